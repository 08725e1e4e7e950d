// Asio, standalone: one thread without locks, a session that owns itself for every connection.
// Packets are checked where they lie and sent back from there, first with a write that does not
// block; `async_write` takes only what the kernel did not.
#include "../packets.h"

#include <asio.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

using asio::ip::tcp;

constexpr std::size_t first_capacity = 16 << 10;

class Session : public std::enable_shared_from_this<Session> {
public:
    explicit Session(tcp::socket socket)
        : socket(std::move(socket)), buffer(new std::uint8_t[first_capacity]) {
        std::error_code ignored;
        this->socket.set_option(tcp::no_delay(true), ignored);
        this->socket.non_blocking(true);
    }

    /// A session that starts no operation is released, and closes.
    void read() {
        auto space = asio::buffer(buffer.get() + count, capacity - count);
        socket.async_read_some(
            space, [self = shared_from_this()](std::error_code error, std::size_t received) {
                if (!error) self->received(received);
            });
    }

private:
    void received(std::size_t received) {
        count += received;
        bool is_full = count == capacity;
        std::size_t needed;
        ssize_t whole = whole_packets(buffer.get(), count, &needed);
        if (whole < 0) return;
        if (is_full || needed > capacity) {
            wanted = std::max(needed, std::size_t(RECEIVE_BUFFER_LENGTH));
        }
        if (whole) {
            answer(std::size_t(whole));
        } else {
            read_after(0);
        }
    }

    void answer(std::size_t whole) {
        std::error_code error;
        std::size_t sent = socket.write_some(asio::buffer(buffer.get(), whole), error);
        if (error && error != asio::error::would_block) return;
        if (sent == whole) return read_after(whole);
        asio::async_write(
            socket, asio::buffer(buffer.get() + sent, whole - sent),
            [self = shared_from_this(), whole](std::error_code error, std::size_t) {
                if (!error) self->read_after(whole);
            });
    }

    /// Drops what is answered, makes room, and reads on.
    void read_after(std::size_t answered) {
        count -= answered;
        if (wanted > capacity) {
            std::unique_ptr<std::uint8_t[]> larger(new std::uint8_t[wanted]);
            std::memcpy(larger.get(), buffer.get() + answered, count);
            buffer = std::move(larger);
            capacity = wanted;
        } else if (answered && count) {
            std::memmove(buffer.get(), buffer.get() + answered, count);
        }
        read();
    }

    tcp::socket socket;
    std::unique_ptr<std::uint8_t[]> buffer;
    std::size_t capacity = first_capacity, count = 0, wanted = first_capacity;
};

static void accept_on(tcp::acceptor &acceptor) {
    acceptor.async_accept([&acceptor](std::error_code error, tcp::socket socket) {
        if (!error) std::make_shared<Session>(std::move(socket))->read();
        accept_on(acceptor);
    });
}

int main(int count, char **arguments) try {
    if (count != 2) return std::fputs("usage: asio PORT\n", stderr), 64;
    raise_descriptor_limit();
    asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
    auto port = static_cast<unsigned short>(std::atoi(arguments[1]));
    tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    tcp::acceptor acceptor(context, endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen(65535);
    accept_on(acceptor);
    context.run();
} catch (const std::exception &error) {
    std::fprintf(stderr, "asio: %s\n", error.what());
    return 1;
}
