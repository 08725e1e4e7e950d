// The C library as Tron's System layer sees it: one static inline function per system call, each of
// which returns the kernel's answer, or -errno, so that no Swift code runs between the call and the
// reading of errno. What the headers hide behind _GNU_SOURCE (which breaks debug builds when it is
// defined here) goes through syscall(2), the same on glibc and musl, x86_64 and arm64.
#ifndef TRON_EPOLL_SHIM_H
#define TRON_EPOLL_SHIM_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netdb.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "signals.h"

static inline long tron_result(long result) { return result < 0 ? -(long)errno : result; }

// ---- sockets

static inline long tron_socket(int family) {
    return tron_result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static inline long tron_bind(int descriptor, const void *address, uint32_t length) {
    return tron_result(bind(descriptor, (const struct sockaddr *)address, length));
}

static inline long tron_listen(int descriptor, int backlog) {
    return tron_result(listen(descriptor, backlog));
}

static inline long tron_accept(int descriptor, void *address, uint32_t *length) {
    return tron_result(syscall(SYS_accept4, descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

static inline long tron_connect(int descriptor, const void *address, uint32_t length) {
    return tron_result(connect(descriptor, (const struct sockaddr *)address, length));
}

static inline long tron_shutdown(int descriptor, int how) {
    return tron_result(shutdown(descriptor, how));
}

static inline long tron_close(int descriptor) { return tron_result(close(descriptor)); }

static inline long tron_local_address(int descriptor, void *address, uint32_t *length) {
    return tron_result(getsockname(descriptor, (struct sockaddr *)address, (socklen_t *)length));
}

static inline long tron_set_option(int descriptor, int level, int name, int value) {
    return tron_result(setsockopt(descriptor, level, name, &value, sizeof value));
}

// The pending error of a socket, which the call also clears.
static inline long tron_socket_error(int descriptor, int *error) {
    socklen_t length = sizeof *error;
    return tron_result(getsockopt(descriptor, SOL_SOCKET, SO_ERROR, error, &length));
}

// Makes the next close(2) send RST in place of FIN.
static inline long tron_set_linger_zero(int descriptor) {
    struct linger linger = {1, 0};
    return tron_result(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

// What TCP_INFO tells of the bytes that were sent. The C library's struct tcp_info ends before the
// fields that are needed, so the kernel's layout (linux/tcp.h, which only grows) is read by offset.
static inline long tron_send_progress(
    int descriptor, uint64_t *acknowledged, uint32_t *segments_in_flight, uint32_t *unsent_bytes,
    uint32_t *unanswered_probes, uint32_t *milliseconds_since_acknowledgement
) {
    unsigned char info[148];
    socklen_t length = sizeof info;
    memset(info, 0, sizeof info);
    long result = tron_result(getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, &length));
    if (result < 0) return result;
    *unanswered_probes = info[3];
    memcpy(segments_in_flight, info + 24, 4);
    memcpy(milliseconds_since_acknowledgement, info + 56, 4);
    memcpy(acknowledged, info + 120, 8);
    memcpy(unsent_bytes, info + 144, 4);
    return 0;
}

// Has the kernel drop what asks a listener for a new connection: segments with SYN and without ACK.
// Handshakes under way go on, and so do connections, which inherit the filter. It sees a segment from
// the TCP header on, whose flags are byte 13.
static inline long tron_drop_new_connections(int descriptor) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return tron_result(
        setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

// ---- bytes

// The two that each packet needs: else the compiler joins them in one function that is called with
// the function to call, at 12 instructions a packet.
#define TRON_ALWAYS_INLINE static inline __attribute__((always_inline))

TRON_ALWAYS_INLINE long tron_receive(int descriptor, void *bytes, size_t count) {
    return tron_result(recv(descriptor, bytes, count, 0));
}

static inline long tron_receive_two(
    int descriptor, void *first, size_t first_count, void *second, size_t second_count
) {
    struct iovec parts[2] = {{first, first_count}, {second, second_count}};
    return tron_result(readv(descriptor, parts, 2));
}

// MSG_NOSIGNAL on every send: SIGPIPE can never kill the process, and its disposition is not touched.
TRON_ALWAYS_INLINE long tron_send(int descriptor, const void *bytes, size_t count) {
    return tron_result(send(descriptor, bytes, count, MSG_NOSIGNAL));
}

// Each piece may be empty.
static inline long tron_send_three(
    int descriptor, const void *first, size_t first_count, const void *second, size_t second_count,
    const void *third, size_t third_count
) {
    struct iovec parts[3] = {
        {(void *)first, first_count}, {(void *)second, second_count}, {(void *)third, third_count}
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    return tron_result(sendmsg(descriptor, &message, MSG_NOSIGNAL));
}

static inline long tron_read(int descriptor, void *bytes, size_t count) {
    return tron_result(read(descriptor, bytes, count));
}

static inline long tron_write(int descriptor, const void *bytes, size_t count) {
    return tron_result(write(descriptor, bytes, count));
}

// ---- epoll: the struct is packed on x86_64 and not on arm64, so its fields are reached here alone

static inline long tron_epoll_create(void) { return tron_result(epoll_create1(EPOLL_CLOEXEC)); }

static inline long tron_epoll_control(
    int epoll, int operation, int descriptor, uint32_t events, uint64_t token
) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = token;
    return tron_result(epoll_ctl(epoll, operation, descriptor, &event));
}

static inline size_t tron_epoll_event_size(void) { return sizeof(struct epoll_event); }

static inline uint32_t tron_epoll_events(const void *list, long index) {
    return ((const struct epoll_event *)list)[index].events;
}

static inline uint64_t tron_epoll_token(const void *list, long index) {
    return ((const struct epoll_event *)list)[index].data.u64;
}

// Waits at most `nanoseconds`, for ever when negative. Kernels before 5.11 lack epoll_pwait2, and
// old containers forbid it: they get whole milliseconds, rounded up so that a wait never ends early.
static inline long tron_epoll_wait(int epoll, void *list, int count, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
    if (nanoseconds > 0) {
        int64_t timeout[2] = {nanoseconds / 1000000000, nanoseconds % 1000000000};
        long result = tron_result(syscall(SYS_epoll_pwait2, epoll, list, count, timeout, NULL, 8));
        if (result != -ENOSYS && result != -EPERM) return result;
    }
#endif
    int64_t milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
    if (milliseconds > INT32_MAX) milliseconds = INT32_MAX;
    return tron_result(epoll_wait(epoll, (struct epoll_event *)list, count, (int)milliseconds));
}

// ---- other descriptors

static inline long tron_eventfd(void) { return tron_result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

static inline int64_t tron_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// ---- Unix paths

static inline long tron_unlink(const char *path) { return tron_result(unlink(path)); }

// Whether a socket lies at the path, and which.
static inline int tron_socket_file(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return 0;
    *device = (uint64_t)status.st_dev;
    *inode = (uint64_t)status.st_ino;
    return 1;
}

// ---- addresses: struct sockaddr and its kin are written and read here alone

static inline uint32_t tron_address_capacity(void) { return sizeof(struct sockaddr_storage); }

static inline int tron_address_family(const void *address) {
    return ((const struct sockaddr *)address)->sa_family;
}

// `host` is in network order.
static inline uint32_t tron_put_ipv4(void *storage, const void *host, uint16_t port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    memcpy(&address.sin_addr, host, 4);
    memcpy(storage, &address, sizeof address);
    return sizeof address;
}

static inline uint16_t tron_get_ipv4(const void *storage, void *host) {
    struct sockaddr_in address;
    memcpy(&address, storage, sizeof address);
    memcpy(host, &address.sin_addr, 4);
    return ntohs(address.sin_port);
}

static inline uint32_t tron_put_ipv6(void *storage, const void *host, uint16_t port, uint32_t scope) {
    struct sockaddr_in6 address;
    memset(&address, 0, sizeof address);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_scope_id = scope;
    memcpy(&address.sin6_addr, host, 16);
    memcpy(storage, &address, sizeof address);
    return sizeof address;
}

static inline uint16_t tron_get_ipv6(const void *storage, void *host, uint32_t *scope) {
    struct sockaddr_in6 address;
    memcpy(&address, storage, sizeof address);
    memcpy(host, &address.sin6_addr, 16);
    *scope = address.sin6_scope_id;
    return ntohs(address.sin6_port);
}

static inline size_t tron_unix_path_capacity(void) { return sizeof((struct sockaddr_un *)0)->sun_path; }

// `count` bytes of path, fewer than tron_unix_path_capacity(); the rest is zero.
static inline uint32_t tron_put_unix(void *storage, const void *path, size_t count) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path, count);
    memcpy(storage, &address, sizeof address);
    return (uint32_t)(offsetof(struct sockaddr_un, sun_path) + count + 1);
}

// Where the path starts within a sockaddr_un.
static inline size_t tron_unix_path_offset(void) { return offsetof(struct sockaddr_un, sun_path); }

// ---- service managers

// A variable of the environment, or NULL.
static inline const char *tron_environment(const char *name) { return getenv(name); }

static inline void tron_forget_environment(const char *name) { unsetenv(name); }

static inline int tron_process(void) { return getpid(); }

// Readies a listening socket that another process made. Its flags are set on the open file, which the
// other process may share: that of nonblocking reads and accepts, too.
static inline long tron_adopt_listener(int descriptor) {
    int type = 0, listens = 0;
    socklen_t length = sizeof type;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length)) return -errno;
    length = sizeof listens;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length)) return -errno;
    if (type != SOCK_STREAM) return -ESOCKTNOSUPPORT;
    if (!listens) return -EINVAL;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    return tron_result(fcntl(descriptor, F_SETFD, FD_CLOEXEC));
}

// Sends one datagram to a Unix socket. Never blocks.
static inline long tron_send_datagram(
    const void *address, uint32_t length, const void *bytes, size_t count
) {
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    long result = tron_result(sendto(
        descriptor, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)address, length));
    close(descriptor);
    return result;
}

// ---- names

// Stream addresses of a host, in the order of RFC 6724, as sockaddr_storage. Returns getaddrinfo's
// code, 0 for success. Blocks, for seconds where a name server is silent.
static inline int tron_resolve(const char *host, void *storages, int capacity, int *count) {
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    *count = 0;
    int code = getaddrinfo(host, NULL, &hints, &found);
    if (code != 0) return code;
    for (struct addrinfo *each = found; each && *count < capacity; each = each->ai_next)
        memcpy((struct sockaddr_storage *)storages + (*count)++, each->ai_addr, each->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static inline const char *tron_resolve_message(int code) { return gai_strerror(code); }

// ---- threads

// Starts a thread that nobody waits for. Returns 0, or -errno.
static inline long tron_start_thread(void *(*body)(void *), void *context) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, context);
    if (error == 0) pthread_detach(thread);
    return -(long)error;
}

// The processors that the calling thread may run on, a bit each. How many bytes of the set were
// filled, or -errno: EINVAL where the machine has more processors than the set has bits.
static inline long tron_processors(void *set, size_t size) {
    memset(set, 0, size);
    return tron_result(syscall(SYS_sched_getaffinity, 0, size, set));
}

// Has the calling thread run on this processor alone.
static inline long tron_pin_thread(int processor) {
    unsigned char set[1024] = {0};
    if (processor < 0 || processor >= 8 * (int)sizeof set) return -EINVAL;
    // The kernel's words are of native order, so that a bit's byte depends on it.
    unsigned long word = 1ul << (processor % (8 * sizeof(long)));
    memcpy(set + processor / (8 * sizeof(long)) * sizeof(long), &word, sizeof word);
    return tron_result(syscall(SYS_sched_setaffinity, 0, sizeof set, set));
}

// Names the calling thread. Not pthread_self(), whose value the compiler may carry across an
// `await`, that is, to another thread.
static inline uintptr_t tron_thread(void) { return (uintptr_t)__builtin_thread_pointer(); }

#endif
