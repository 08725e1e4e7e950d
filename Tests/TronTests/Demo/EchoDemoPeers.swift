// Peers for the demo's tests: the demo as a server, and plain sockets that know nothing of Tron.
import Glibc
import Testing
import Tron

/// `echo-demo serve` as a process that listens.
struct EchoServer {
    let process: ProcessUnderTest
    let address: SocketAddress

    init(_ options: [String] = ["--port", "0"], under launcher: [String] = []) throws {
        process = try ProcessUnderTest(["serve"] + options, under: launcher)
        let words = try process.readLine().split(separator: " ")
        try #require(words.dropLast() == ["listening", "on"])
        address = try SocketAddress(String(words[2]))
    }

    /// The arguments that connect to it.
    var connect: [String] { ["connect", "--port", "\(address.port ?? 0)"] }

    /// Ends it with a signal; a client that is given closes as soon as the server has.
    func end(
        with signal: Int32, closing client: PlainClient? = nil
    ) throws -> ProcessUnderTest.Outcome {
        process.signal(signal)
        if let client {
            #expect(try client.receive(count: 1) == [])
            client.finish()
        }
        return try process.awaitEnd()
    }
}

/// A plain, blocking TCP socket, connected to 127.0.0.1.
final class PlainClient {
    private let descriptor: Int32

    init(_ address: SocketAddress, from host: String = "127.0.0.1") throws {
        let descriptor = plainSocket()
        self.descriptor = descriptor
        var local = internetAddress(host, port: 0)
        try #require(withRaw(&local) { bind(descriptor, $0, $1) } == 0)
        var remote = internetAddress("127.0.0.1", port: try #require(address.port))
        try #require(withRaw(&remote) { Glibc.connect(descriptor, $0, $1) } == 0)
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) {
        let count = Glibc.send(descriptor, bytes, bytes.count, ProcessUnderTest.noSignal)
        #expect(count == bytes.count)
    }

    /// As many bytes as asked for, or those before the end of the stream.
    func receive(count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let next = try #require(
                try ProcessUnderTest.receive(descriptor), "neither bytes arrive nor the end")
            if next.isEmpty { break }
            bytes += next
        }
        return bytes
    }

    /// Ends its stream.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }
}

/// A listener that never answers: the kernel accepts for it.
final class SilentListener {
    private let descriptor: Int32
    let address: SocketAddress

    init() throws {
        let descriptor = plainSocket()
        self.descriptor = descriptor
        var local = internetAddress("127.0.0.1", port: 0)
        try #require(withRaw(&local) { bind(descriptor, $0, $1) } == 0)
        try #require(listen(descriptor, 1) == 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withRaw(&local) { address, _ in getsockname(descriptor, address, &length) }
        try #require(named == 0)
        address = .loopback(port: UInt16(bigEndian: local.sin_port))
    }

    deinit { close(descriptor) }
}

private func plainSocket() -> Int32 {
    socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
}

private func internetAddress(_ host: String, port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    return address
}

private func withRaw(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
