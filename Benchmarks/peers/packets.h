// What the peers in C and C++ share: the wire protocol, and the limit of descriptors.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>

enum {
    HEADER_LENGTH = 9,
    OVERHEAD = 11,
    MAXIMUM_DATA_LENGTH = 16 << 20,
    RECEIVE_BUFFER_LENGTH = 256 << 10,
};

/// Bytes of the packet that starts with this header, its trailer included.
static inline size_t packet_length(const uint8_t *header) {
    uint32_t data_length;
    memcpy(&data_length, header + 5, sizeof data_length);
    return OVERHEAD + (size_t)__builtin_bswap32(data_length);
}

static inline int has_trailer(const uint8_t *packet, size_t length) {
    return memcmp(packet + length - 2, "\r\n", 2) == 0;
}

/// Bytes of the whole packets at the front; -1 if one breaks the protocol. `needed` becomes the
/// length of the packet that is not whole, or 0 while its header is not there.
static inline ssize_t whole_packets(const uint8_t *bytes, size_t count, size_t *needed) {
    size_t end = 0;
    *needed = 0;
    while (count - end >= HEADER_LENGTH) {
        size_t length = packet_length(bytes + end);
        if (length > OVERHEAD + MAXIMUM_DATA_LENGTH) return -1;
        if (count - end < length) {
            *needed = length;
            break;
        }
        if (!has_trailer(bytes + end, length)) return -1;
        end += length;
    }
    return (ssize_t)end;
}

/// As many descriptors as the system gives without asking.
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
