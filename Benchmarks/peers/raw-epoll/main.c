// The limit: what epoll allows when nothing stands between the server and the system calls.
//
// One thread, level-triggered, one shared receive buffer. Packets are checked where they lie and
// sent back from there: the echo of a packet is the packet. Only what is not yet a whole packet is
// copied, into a buffer of the connection's own, and the next read completes it in place.
//
// With a route packets leave elsewhere: on the connection's neighbour (pairs), or on all (room).
#define _GNU_SOURCE
#include "../packets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EVENTS_PER_WAIT = 512 };

// Behind a page's beginning: where the kernel's memory begins as the buffer does, some processors
// copy slowly (rep movsb with the target up to 63 bytes ahead of the source, modulo 4 KiB).
static uint8_t pages[RECEIVE_BUFFER_LENGTH + 4096] __attribute__((aligned(4096)));
static uint8_t *const received = pages + 512;
static int epoll;

static enum route { TO_SOURCE, TO_NEIGHBOUR, TO_ALL } route;

struct connection {
    int socket;
    struct connection *source; // whose packets are sent here, and wait while some are unsent
    uint32_t blocked_targets;  // how many connections have not sent all of this one's packets
    uint32_t partial_count, partial_capacity;
    uint32_t unsent_start, unsent_end, unsent_capacity;
    uint8_t *partial; // the start of a packet
    uint8_t *unsent;  // what the kernel did not take; nothing is read until it has
};

// With a route: all that were ever accepted, since others may still refer to them.
static struct connection **connections;
static size_t connection_count;

static void release(struct connection *connection) {
    close(connection->socket);
    connection->socket = -1;
    if (route != TO_SOURCE) return;
    free(connection->partial);
    free(connection->unsent);
    free(connection);
}

/// Reads while all of its packets have been sent, and waits for room while others' have not.
static void wait_for_events(struct connection *connection) {
    uint32_t events = connection->blocked_targets ? 0 : EPOLLIN;
    if (connection->unsent_end > connection->unsent_start) events |= EPOLLOUT;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->socket, &event);
}

/// Makes room for so many bytes, losing those that were there.
static bool reserve(uint8_t **buffer, uint32_t *capacity, size_t count) {
    if (*capacity >= count) return true;
    free(*buffer);
    *buffer = malloc(count);
    *capacity = *buffer ? (uint32_t)count : 0;
    return *buffer;
}

// MARK: - Sending

/// `completed` bytes of the source's own packet, then `whole` bytes as they were received.
/// In a room only one connection sends: what waits is of one source.
static bool keep_unsent(
    struct connection *connection, struct connection *source, size_t completed, size_t whole,
    size_t sent
) {
    size_t rest = completed + whole - sent;
    if (!reserve(&connection->unsent, &connection->unsent_capacity, rest)) return false;
    uint8_t *end = connection->unsent;
    if (sent < completed) {
        memcpy(end, source->partial + sent, completed - sent);
        end += completed - sent;
        sent = completed;
    }
    memcpy(end, received + (sent - completed), whole - (sent - completed));
    connection->unsent_start = 0;
    connection->unsent_end = (uint32_t)rest;
    connection->source = source;
    source->blocked_targets++;
    if (connection != source) wait_for_events(connection);
    wait_for_events(source);
    return true;
}

static ssize_t send_both(int socket, struct connection *source, size_t completed, size_t whole) {
    struct iovec parts[2] = {{source->partial, completed}, {received, whole}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

/// What the kernel does not take waits until the socket is writable, and the source's reading waits
/// with it.
static bool send_to(
    struct connection *connection, struct connection *source, size_t completed, size_t whole
) {
    if (connection->socket < 0) return true;
    ssize_t sent = completed ? send_both(connection->socket, source, completed, whole)
                             : send(connection->socket, received, whole, MSG_NOSIGNAL);
    if (sent == (ssize_t)(completed + whole)) return true;
    if (sent < 0 && errno != EAGAIN) return connection != source;
    return keep_unsent(connection, source, completed, whole, sent < 0 ? 0 : (size_t)sent);
}

/// Sends what came in to where the route says.
static bool answer(struct connection *source, size_t completed, size_t whole) {
    if (route == TO_SOURCE) return send_to(source, source, completed, whole);
    if (route == TO_NEIGHBOUR) return send_to(source->source, source, completed, whole);
    for (size_t index = 0; index < connection_count; index++) {
        if (!send_to(connections[index], source, completed, whole)) return false;
    }
    return true;
}

static bool writable(struct connection *connection) {
    size_t count = connection->unsent_end - connection->unsent_start;
    uint8_t *start = connection->unsent + connection->unsent_start;
    ssize_t sent = send(connection->socket, start, count, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection->unsent_start += (uint32_t)sent;
    if (connection->unsent_start < connection->unsent_end) return true;
    connection->source->blocked_targets--;
    wait_for_events(connection);
    if (connection->source != connection) wait_for_events(connection->source);
    return true;
}

// MARK: - Receiving

/// Reads the rest of a packet whose length is known to where it belongs, and what follows it.
static ssize_t receive_rest(struct connection *connection, size_t *completed) {
    uint8_t *end = connection->partial + connection->partial_count;
    size_t length = packet_length(connection->partial);
    size_t missing = length - connection->partial_count;
    struct iovec parts[2] = {{end, missing}, {received, RECEIVE_BUFFER_LENGTH}};
    ssize_t count = readv(connection->socket, parts, 2);
    if (count <= 0) return count < 0 && errno == EAGAIN ? 0 : -1;
    if ((size_t)count < missing) {
        connection->partial_count += (uint32_t)count;
        return 0;
    }
    connection->partial_count = 0;
    *completed = length;
    return has_trailer(connection->partial, length) ? count - (ssize_t)missing : -1;
}

/// How many bytes are in the shared buffer now, behind those of a completed packet; -1 at the end.
static ssize_t receive(struct connection *connection, size_t *completed) {
    size_t kept = connection->partial_count;
    if (kept >= HEADER_LENGTH) return receive_rest(connection, completed);
    if (kept) memcpy(received, connection->partial, kept);
    ssize_t count = recv(connection->socket, received + kept, RECEIVE_BUFFER_LENGTH - kept, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN ? 0 : -1;
    connection->partial_count = 0;
    return (ssize_t)kept + count;
}

static bool keep_partial(
    struct connection *connection, const uint8_t *bytes, size_t count, size_t needed
) {
    size_t capacity = needed ? needed : HEADER_LENGTH;
    if (!reserve(&connection->partial, &connection->partial_capacity, capacity)) return false;
    memcpy(connection->partial, bytes, count);
    connection->partial_count = (uint32_t)count;
    return true;
}

static bool readable(struct connection *connection) {
    size_t completed = 0, needed;
    ssize_t count = receive(connection, &completed);
    if (count < 0) return false;
    ssize_t whole = whole_packets(received, (size_t)count, &needed);
    if (whole < 0) return false;
    if (completed + (size_t)whole && !answer(connection, completed, (size_t)whole)) return false;
    if (whole == count) return true;
    return keep_partial(connection, received + whole, (size_t)(count - whole), needed);
}

// MARK: - Listening

/// Joins a neighbour, for which it is not read before; or the room.
static void join(struct connection *connection) {
    connections = realloc(connections, (connection_count + 1) * sizeof *connections);
    if (!connections) abort();
    connections[connection_count++] = connection;
    connection->source = connection;
    if (route == TO_ALL) return;
    if (connection_count % 2) {
        connection->blocked_targets = 1;
    } else {
        struct connection *neighbour = connections[connection_count - 2];
        connection->source = neighbour;
        neighbour->source = connection;
        neighbour->blocked_targets = 0;
        wait_for_events(neighbour);
    }
    wait_for_events(connection);
}

static void accept_all(int listener) {
    int socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) abort();
        connection->socket = socket;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        connection->source = connection;
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event)) release(connection);
        else if (route != TO_SOURCE) join(connection);
    }
}

/// TCP_NODELAY passes to the accepted sockets.
static int listen_on(uint16_t port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 65535)) {
        perror("raw-epoll: cannot listen");
        exit(1);
    }
    return listener;
}

int main(int count, char **arguments) {
    const char *word = count == 3 ? arguments[2] : "";
    if (strcmp(word, "pairs") == 0) route = TO_NEIGHBOUR;
    if (strcmp(word, "room") == 0) route = TO_ALL;
    if (count != 2 && (count != 3 || route == TO_SOURCE)) {
        return fputs("usage: raw-epoll PORT [pairs|room]\n", stderr), 64;
    }
    raise_descriptor_limit();
    int listener = listen_on((uint16_t)atoi(arguments[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS_PER_WAIT];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_PER_WAIT, -1);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (!connection) {
                accept_all(listener);
                continue;
            }
            bool is_alive = events[index].events & EPOLLOUT ? writable(connection)
                                                            : readable(connection);
            if (!is_alive) release(connection);
        }
    }
}
