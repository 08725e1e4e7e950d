// How a group begins: its reactors and their processors, and what it listens on.
import Glibc
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct GroupBeginTests {
    @Test func `as many reactors as processors that may be used`() {
        let processors = Processors.ofCallingThread()
        #expect(!processors.isEmpty && processors == processors.sorted())
        #expect(ReactorGroup(count: .cores).count == processors.count)
        #expect(ReactorGroup(count: 5).count == 5)
        #expect(ReactorGroup(count: .exactly(1)).count == 1)
    }

    @Test func `a pinned reactor may run on one processor alone`() async throws {
        let processors = Processors.ofCallingThread()
        let pins = Locked<[Int: [Int]]>([:])
        let running = try RunningGroup(isPinned: true) { _, index in
            pins.withLock { $0[index] = Processors.ofCallingThread() }
        }
        try await RunningGroup.wait { running.group.isReady }
        let expected = (0..<3).map { [processors[$0 % processors.count]] }
        #expect(pins.withLock { pins in (0..<3).map { pins[$0] ?? [] } } == expected)
        try await running.end([])
    }

    @Test func `port zero is resolved once, and all listen on it`() throws {
        let group = ReactorGroup(count: 4)
        let server = try group.listen(on: "127.0.0.1:0") { _ in }
        #expect(server.address.port != 0)
        // Connections wait from now on.
        let peer = try Peer(to: server.address)
        #expect(!peer.drained.isAtEnd && peer.error == 0)
    }

    /// Who has the option, too, could otherwise be joined unnoticed.
    @Test func `a port that another program has is found, whatever options it has`() throws {
        let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(other) }
        var one: Int32 = 1
        setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &one, 4)
        _ = SocketAddress.loopback(port: 0).withRawAddress { raw, length in
            bind(other, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        listen(other, 1)
        let calls = SocketCalls(kernel: Kernel())
        let address = try #require(try calls.localAddress(of: other))
        let group = ReactorGroup(count: 2)
        let taken = EndpointError(address: address, cause: SystemError(.bind, code: EADDRINUSE))
        #expect(throws: taken) { try group.listen(on: address) { _ in } }
        // Who says that it shares the port does.
        var options = ServerOptions()
        options.reusesPort = true
        let server = try group.listen(on: address, options: options) { _ in }
        #expect(server.address == address)
        #expect(throws: AddressError.self) { try group.listen(on: "nowhere") { _ in } }
    }

    @Test func `a group that never runs closes its sockets, and removes its files`() throws {
        let path = "/tmp/tron-group-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
        var group: ReactorGroup? = ReactorGroup(count: 2)
        let server = try #require(try group?.listen(on: "127.0.0.1:0") { _ in })
        try group?.listen(on: path) { _ in }
        #expect(access(path, F_OK) == 0)
        group = nil
        #expect(access(path, F_OK) != 0)
        #expect(throws: SystemError(.connect, code: ECONNREFUSED)) { try Peer(to: server.address) }
    }

    @Test func `a Unix socket's file is there while the group listens`() async throws {
        let path = "/tmp/tron-group-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
        let running = try RunningGroup(count: 2, on: path)
        let peers = try await running.connect(4)
        let counts = running.server.sessionCounts
        #expect(counts.reduce(0, +) == 4 && counts.allSatisfy { $0 > 0 })
        try await running.end(peers)
        #expect(access(path, F_OK) != 0)
    }

    @Test func `an inherited listener is accepted from by the first, and stays`() async throws {
        let foreign = Foreign(.loopback(port: 0))
        let inherited = try InheritedListeners([("echo", foreign.copy)], kernel: Kernel())
        let group = ReactorGroup(count: 2, drainingWithin: .seconds(600))
        let server = try group.listen(on: inherited.claim("echo")) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        #expect(server.address == foreign.address)
        let peers = try (0..<4).map { _ in try Peer(to: foreign.address) }
        let run = Task { try await group.run() }
        try await RunningGroup.wait { server.sessionCount == 4 }
        for peer in peers {
            peer.send(wire("x"))
            #expect(peer.read(1) == ["x"])
        }
        // One that is about to arrive may count twice for a moment.
        let counts = server.sessionCounts
        #expect(counts.reduce(0, +) == 4 && counts.allSatisfy { $0 > 0 })
        run.cancel()
        for peer in peers { peer.drainToEnd() }
        for peer in peers { peer.close() }
        let report = try await run.value
        #expect(report == .closing(4))
        let late = try Peer(to: foreign.address)
        #expect(!late.drained.isAtEnd && late.error == 0)
    }
}
