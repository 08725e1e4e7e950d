// libuv: one buffer shared by all reads; packets are checked where they lie and sent back from
// there with `uv_try_write`, `uv_write` taking only what the kernel did not. With a route
// packets leave elsewhere: on the connection's neighbour (pairs), or on all connections (room).
#include "../packets.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { HIGH_WATERMARK = 1 << 20 };

// Behind a page's beginning, as that of raw-epoll.
static uint8_t pages[RECEIVE_BUFFER_LENGTH + 4096] __attribute__((aligned(4096)));
static uint8_t *const received = pages + 512;

static enum route { TO_SOURCE, TO_NEIGHBOUR, TO_ALL } route;

struct connection {
    uv_tcp_t tcp;
    struct connection *source; // whose packets are sent here, and wait while many are unsent
    uint8_t *partial; // the start of a packet
    size_t partial_count, partial_capacity;
    size_t needed; // the whole packet's length, 0 while its header is not there
    bool is_paused;
};

// With a route: all that were ever accepted, since others may still refer to them.
static struct connection **connections;
static size_t connection_count;

struct unsent {
    uv_write_t request;
    uint8_t bytes[];
};

static uv_stream_t *stream(struct connection *connection) {
    return (uv_stream_t *)&connection->tcp;
}

static void release(uv_handle_t *handle) {
    struct connection *connection = handle->data;
    if (route != TO_SOURCE) return;
    free(connection->partial);
    free(connection);
}

static void end(struct connection *connection) {
    uv_handle_t *handle = (uv_handle_t *)&connection->tcp;
    if (!uv_is_closing(handle)) uv_close(handle, release);
}

// MARK: - Sending

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer);
static void read_some(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void wrote(uv_write_t *request, int status) {
    struct connection *connection = request->handle->data, *source = connection->source;
    free(request->data);
    if (status < 0) return end(connection);
    if (!source->is_paused || uv_stream_get_write_queue_size(stream(connection))) return;
    source->is_paused = false;
    uv_read_start(stream(source), allocate, read_some);
}

static void queue(struct connection *connection, const uint8_t *bytes, size_t count) {
    struct unsent *unsent = malloc(sizeof *unsent + count);
    if (!unsent) return end(connection);
    memcpy(unsent->bytes, bytes, count);
    unsent->request.data = unsent;
    uv_buf_t buffer = uv_buf_init((char *)unsent->bytes, (unsigned)count);
    uv_write(&unsent->request, stream(connection), &buffer, 1, wrote);
    if (uv_stream_get_write_queue_size(stream(connection)) <= HIGH_WATERMARK) return;
    connection->source->is_paused = true;
    uv_read_stop(stream(connection->source));
}

static void send_to(struct connection *connection, const uint8_t *bytes, size_t count) {
    if (uv_is_closing((uv_handle_t *)&connection->tcp)) return;
    uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)count);
    int sent = uv_try_write(stream(connection), &buffer, 1);
    if (sent == (int)count) return;
    if (sent < 0 && sent != UV_EAGAIN) return end(connection);
    if (sent < 0) sent = 0;
    queue(connection, bytes + sent, count - (size_t)sent);
}

/// Sends what came in to where the route says. In a room only one connection sends.
static void answer(struct connection *source, const uint8_t *bytes, size_t count) {
    if (route == TO_SOURCE) return send_to(source, bytes, count);
    if (route == TO_NEIGHBOUR) return send_to(source->source, bytes, count);
    for (size_t index = 0; index < connection_count; index++) {
        connections[index]->source = source;
        send_to(connections[index], bytes, count);
    }
}

// MARK: - Receiving

/// A packet larger than the shared buffer is read to where it belongs, and to its end only.
static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct connection *connection = handle->data;
    size_t kept = connection->partial_count;
    (void)suggested;
    if (connection->needed > RECEIVE_BUFFER_LENGTH) {
        char *end = (char *)connection->partial + kept;
        *buffer = uv_buf_init(end, (unsigned)(connection->needed - kept));
    } else {
        if (kept) memcpy(received, connection->partial, kept);
        *buffer = uv_buf_init((char *)received + kept, (unsigned)(RECEIVE_BUFFER_LENGTH - kept));
    }
}

static bool keep(struct connection *connection, const uint8_t *bytes, size_t count) {
    size_t capacity = connection->needed > RECEIVE_BUFFER_LENGTH ? connection->needed : count;
    if (connection->partial_capacity < capacity) {
        free(connection->partial);
        connection->partial = malloc(capacity);
        connection->partial_capacity = connection->partial ? capacity : 0;
        if (!connection->partial) return false;
    }
    memcpy(connection->partial, bytes, count);
    return true;
}

static void read_some(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct connection *connection = stream->data;
    (void)buffer;
    if (count == 0) return;
    if (count < 0) return end(connection);
    bool is_large = connection->needed > RECEIVE_BUFFER_LENGTH;
    const uint8_t *bytes = is_large ? connection->partial : received;
    size_t available = connection->partial_count + (size_t)count;
    ssize_t whole = whole_packets(bytes, available, &connection->needed);
    if (whole < 0) return end(connection);
    if (whole) answer(connection, bytes, (size_t)whole);
    size_t rest = available - (size_t)whole;
    connection->partial_count = rest;
    if (rest && !is_large && !keep(connection, bytes + whole, rest)) end(connection);
}

// MARK: - Listening

/// Whether it can be read: it joins a neighbour, for which it waits, or the room.
static bool join(struct connection *connection) {
    connections = realloc(connections, (connection_count + 1) * sizeof *connections);
    if (!connections) abort();
    connections[connection_count++] = connection;
    if (route == TO_ALL) return true;
    if (connection_count % 2) return false;
    struct connection *neighbour = connections[connection_count - 2];
    connection->source = neighbour;
    neighbour->source = connection;
    if (!uv_is_closing((uv_handle_t *)&neighbour->tcp)) {
        uv_read_start(stream(neighbour), allocate, read_some);
    }
    return true;
}

static void accept_one(uv_stream_t *listener, int status) {
    if (status < 0) return;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) abort();
    uv_tcp_init(listener->loop, &connection->tcp);
    connection->tcp.data = connection;
    connection->source = connection;
    if (uv_accept(listener, stream(connection))) return end(connection);
    uv_tcp_nodelay(&connection->tcp, 1);
    if (route != TO_SOURCE && !join(connection)) return;
    uv_read_start(stream(connection), allocate, read_some);
}

int main(int count, char **arguments) {
    const char *word = count == 3 ? arguments[2] : "";
    if (strcmp(word, "pairs") == 0) route = TO_NEIGHBOUR;
    if (strcmp(word, "room") == 0) route = TO_ALL;
    if (count != 2 && (count != 3 || route == TO_SOURCE)) {
        return fputs("usage: libuv PORT [pairs|room]\n", stderr), 64;
    }
    raise_descriptor_limit();
    uv_tcp_t listener;
    struct sockaddr_in address;
    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", atoi(arguments[1]), &address);
    int error = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (!error) error = uv_listen((uv_stream_t *)&listener, 65535, accept_one);
    if (error) return fprintf(stderr, "libuv: cannot listen: %s\n", uv_strerror(error)), 1;
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
