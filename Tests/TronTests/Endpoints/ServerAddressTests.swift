// Where servers listen: the three kinds of address, socket files, taken ports.
import Glibc
import Testing

@testable import Tron

@Suite struct ServerAddressTests {
    /// A path in a directory of its own, which is removed with what it holds.
    private func withPath(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/tron-server-\(String(repeating: "X", count: 6))".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        defer {
            unlink(directory + "/s")
            rmdir(directory)
        }
        try body(directory + "/s")
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private func reactor() throws -> Reactor { try Reactor(kernel: FaultyKernel()) }

    @Test(arguments: [Bench.Transport.ipv4, .ipv6, .unix])
    func `each kind of address serves and names both ends`(transport: Bench.Transport) throws {
        let bench = try Bench(transport)
        if transport != .unix { #expect(try #require(bench.server.address.port) > 0) }
        let peer = try bench.connect()
        peer.send(wire("hello"))
        try bench.reactor.turn(until: { bench.texts == ["hello"] })
        let session = bench.sessions[0]
        #expect(session.localAddress == bench.server.address)
        #expect(session.remoteAddress?.isUnix == (transport == .unix))
        #expect(session.remoteAddress != bench.server.address)
    }

    @Test func `a socket file is removed when its server stops`() throws {
        try withPath { path in
            let reactor = try reactor()
            let server = try reactor.listen(on: path) { _ in }
            #expect(exists(path))
            server.stop()
            #expect(!exists(path))
            try reactor.turn()
            try reactor.listen(on: path) { _ in }
            #expect(exists(path))
            reactor.stop()
            try reactor.run()
            #expect(!exists(path))
        }
    }

    @Test func `a socket file that a dead server left is replaced`() throws {
        try withPath { path in
            let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let bound = try SocketAddress(path).withRawAddress {
                bind(stale, $0.assumingMemoryBound(to: sockaddr.self), $1)
            }
            close(stale)
            #expect(bound == 0 && exists(path))
            try reactor().listen(on: path) { _ in }
        }
    }

    @Test func `the file of a server that lives is not taken away`() throws {
        try withPath { path in
            let first = try reactor()
            try first.listen(on: path) { _ in }
            #expect(throws: EndpointError.self) { try reactor().listen(on: path) { _ in } }
            #expect(exists(path))
            _ = try Peer(to: SocketAddress(path))
        }
    }

    @Test func `a regular file at the path is left alone and named in the error`() throws {
        try withPath { path in
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            let error = #expect(throws: EndpointError.self) {
                try reactor().listen(on: path) { _ in }
            }
            #expect(error?.cause == SystemError(.bind, code: EADDRINUSE))
            #expect(error?.description.contains(path) == true)
            #expect(exists(path))
        }
    }

    @Test func `a taken port is an error that names the call and the address`() throws {
        let bench = try Bench(.ipv4)
        let open = bench.kernel.openDescriptors.count
        let error = #expect(throws: EndpointError.self) {
            try bench.reactor.listen(on: bench.server.address) { _ in }
        }
        let address = bench.server.address
        #expect(error == EndpointError(address: address, cause: .init(.bind, code: EADDRINUSE)))
        #expect(error?.description == "\(address): bind: Address already in use")
        #expect(bench.kernel.openDescriptors.count == open)
    }

    /// Which of the two gets a connection is the kernel's choice, by a hash of the addresses: that
    /// all of 64 go to one would be a miracle.
    @Test func `with reusesPort two reactors share a port, and each gets connections`() throws {
        var options = ServerOptions()
        options.reusesPort = true
        let bench = try Bench(.ipv4, options: options)
        let other = try reactor()
        let second = try other.listen(on: bench.server.address, options: options) { _ in }
        let peers = try (0..<64).map { _ in try Peer(to: bench.server.address) }
        for _ in 0..<1000 where bench.server.sessionCount + second.sessionCount < peers.count {
            try bench.reactor.turn()
            try other.turn()
        }
        #expect(bench.server.sessionCount + second.sessionCount == 64)
        #expect(bench.server.sessionCount > 0 && second.sessionCount > 0)
    }

    @Test(arguments: [KernelCall.socket, .setOption, .bind, .listen, .localAddress, .epollControl])
    func `whatever call fails while listening is named and nothing stays open`(call: KernelCall)
        throws
    {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let open = kernel.openDescriptors
        kernel.fault = { failed, _, _ in failed == call ? .error(ENOBUFS) : nil }
        let error = #expect(throws: EndpointError.self) {
            try reactor.listen(on: "127.0.0.1:0") { _ in }
        }
        #expect(error?.cause.code == ENOBUFS)
        #expect(kernel.openDescriptors == open)
    }

    @Test(arguments: [KernelCall.bind, .listen, .epollControl])
    func `a server that does not come about leaves no socket file`(call: KernelCall) throws {
        try withPath { path in
            let kernel = FaultyKernel()
            let reactor = try Reactor(kernel: kernel)
            kernel.fault = { failed, _, _ in failed == call ? .error(ENOMEM) : nil }
            #expect(throws: EndpointError.self) { try reactor.listen(on: path) { _ in } }
            #expect(!exists(path))
        }
    }

    @Test func `what the buffers may take is known and goes back with the server`() throws {
        let reactor = try reactor()
        let before = reactor.memoryBound
        var options = ServerOptions()
        options.limits.maximumSessions = 10
        let server = try reactor.listen(on: Bench.unixName(), options: options) { _ in }
        let session = options.session.limits
        #expect(
            reactor.memoryBound - before >= 10
                * (session.maximumQueuedBytes + session.maximumDataLength))
        server.stop()
        try reactor.turn()
        #expect(reactor.memoryBound == before)
    }

    @Test func `sessions that outlive their server, or have none, count until they end`() throws {
        let bench = try Bench()
        let empty = try Reactor(kernel: FaultyKernel()).memoryBound
        var dialled: Session?
        bench.reactor.connectOnce(to: bench.server.address) { dialled = try? $0.get() }
        try bench.reactor.turn(until: { dialled != nil && bench.sessions.count == 1 })
        let one = SessionLimits().memoryBound(
            maximumBytesReadPerTurn: ReactorLimits().maximumBytesReadPerTurn)
        let before = bench.reactor.memoryBound
        bench.sessions[0].send(category: 1, data: [UInt8](repeating: 0, count: 1 << 20))
        dialled?.pauseReading()
        bench.server.stop()
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 2)
        bench.kernel.isFrozen = false
        #expect(bench.reasons == [])
        #expect(before > empty + 2 * one && bench.reactor.memoryBound == empty + 2 * one)
        bench.sessions[0].abort()
        try bench.turnUntilClosed()
        #expect(bench.reactor.memoryBound == empty + one)
        dialled?.abort()
        try bench.reactor.turn()
        #expect(bench.reactor.memoryBound == empty)
        bench.reactor.connectOnce(to: bench.server.address) { _ in }
        try bench.reactor.turn(times: 3)
        #expect(bench.reactor.memoryBound == empty)
    }

    @Test(arguments: ["localhost:1", "", "127.0.0.1", "::1:80"])
    func `a text that is no address is an AddressError`(text: String) throws {
        #expect(throws: AddressError.self) { try reactor().listen(on: text) { _ in } }
    }
}
