// Servers behind proxies: who is closed without a session, how that is counted and told.
import Glibc
import Testing

@testable import Tron

@Suite struct ProxyRefusalTests {
    private let header = ProxyHeaderText.ipv4.bytes

    private func bench(
        _ transport: Bench.Transport = .unix, from networks: [Network] = [.unix],
        within timeLimit: Duration = .seconds(5), _ change: (inout ServerOptions) -> Void = { _ in }
    ) throws -> Bench {
        var options = ServerOptions()
        options.proxyProtocol = .required(from: networks, within: timeLimit)
        change(&options)
        let bench = try Bench(transport, options: options)
        bench.reactor.onEvent { [log = bench.log] event in
            if case .refused(let peer, let refusal) = event {
                log.notes.append(
                    "\(peer == nil ? "nobody" : "peer"): \(refusal), \(event.isProblem)")
            }
        }
        return bench
    }

    /// No connection was a session, and nothing of any is left.
    private func expectNothingLeft(
        _ bench: Bench, _ notes: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 2)
        #expect(bench.log.notes == notes, sourceLocation: sourceLocation)
        #expect(bench.sessions.isEmpty, sourceLocation: sourceLocation)
        #expect(bench.kernel.openDescriptors.count == 3, sourceLocation: sourceLocation)
        #expect(bench.server.arrivalCount == 0, sourceLocation: sourceLocation)
        #expect(bench.reactor.registry.wheel.count == 0, sourceLocation: sourceLocation)
        #expect(bench.reactor.snapshot().serverTotals == bench.server.counters)
    }

    @Test func `a header from elsewhere is closed unread`() throws {
        let bench = try bench(.ipv4, from: [Network("192.0.2.0/24"), Network("::1"), .unix])
        let peer = try Peer(to: bench.server.address)
        peer.send(header + wire("spoofed"))
        try bench.reactor.turn(until: { bench.server.counters.proxy.untrusted == 1 })
        peer.drainToEnd()
        #expect(peer.received == [] && bench.kernel.calls[.receive] == nil)
        try expectNothingLeft(bench, ["peer: its address is not a trusted proxy's, true"])
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\n\r\n".utf8), ProxyHeaderText.signature + [0x21, 0x12, 0, 0],
        ProxyHeaderText(command: 0x22).bytes, Array("PROXY TCP4 1 2 3 4\r\n".utf8), wire("hello"),
    ])
    func `what is no header is closed, and nothing is sent`(bytes: [UInt8]) throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        peer.send(bytes)
        try bench.reactor.turn(until: { bench.server.counters.proxy.faulty == 1 })
        peer.drainToEnd()
        #expect(peer.received == [])
        let step = ProxyHeaderDecoder.decode(bytes.span.bytes, maximumLength: 4096)
        guard case .fault(let fault) = step else {
            Issue.record("\(step)")
            return
        }
        try expectNothingLeft(bench, ["peer: \(fault), true"])
    }

    @Test func `a header above its bound is closed once its length has come`() throws {
        let bench = try bench { $0.limits.maximumProxyHeaderLength = 256 }
        let peer = try Peer(to: bench.server.address)
        peer.send(ProxyHeaderText.ipv4.with(0xee, [UInt8](repeating: 0, count: 226)).bytes)
        try bench.reactor.turn(until: { bench.server.counters.proxy.faulty == 1 })
        try expectNothingLeft(bench, ["peer: a PROXY header of 257 bytes, true"])
        let other = try Peer(to: bench.server.address)
        other.send(ProxyHeaderText.ipv4.with(0xee, [UInt8](repeating: 0, count: 225)).bytes)
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
    }

    @Test(arguments: [0, 5, 27])
    func `a header that does not come in time is closed, however it dribbles`(count: Int) throws {
        let bench = try bench(within: .seconds(2))
        let peer = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { bench.server.arrivalCount == 1 })
        let start = bench.kernel.clock
        for byte in header.prefix(count) {
            peer.send([byte])
            try bench.reactor.turn()
            bench.kernel.advance(.milliseconds(50))
        }
        try bench.reactor.turn(until: { bench.server.counters.proxy.late == 1 })
        #expect((2_000_000_000...2_060_000_000).contains(bench.kernel.clock - start))
        try expectNothingLeft(bench, ["peer: the PROXY header did not come in time, true"])
    }

    @Test func `the time limit ends with the header`() throws {
        let bench = try bench(within: .seconds(2))
        let peer = try Peer(to: bench.server.address)
        peer.send(header)
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        bench.kernel.advance(.seconds(10))
        try bench.reactor.turn(times: 3)
        peer.send(wire("late"))
        try bench.reactor.turn(until: { bench.texts == ["late"] })
        #expect(bench.server.counters.proxy.late == 0)
    }

    @Test(arguments: [0, 5])
    func `a peer that ends before its header is no problem`(count: Int) throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        peer.send(header.prefix(count))
        try bench.reactor.turn(until: { bench.server.arrivalCount == 1 })
        peer.close()
        try bench.reactor.turn(until: { bench.server.counters.proxy.ended == 1 })
        try expectNothingLeft(bench, ["peer: it ended before its PROXY header, false"])
    }

    @Test func `a connection that fails before its header says how`() throws {
        let bench = try bench()
        bench.kernel.fault = { call, _, _ in call == .receive ? .error(ECONNRESET) : nil }
        let peer = try Peer(to: bench.server.address)
        peer.send(header)
        try bench.reactor.turn(until: { bench.server.counters.proxy.ended == 1 })
        try expectNothingLeft(
            bench, ["peer: before its PROXY header: recv: Connection reset by peer, true"])
    }

    @Test func `no more than so many wait for their header, and each has its time`() throws {
        let bench = try bench { $0.limits.maximumConnectionsWithoutHeader = 2 }
        let peers = try (0..<3).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn(until: { bench.server.counters.proxy.tooMany == 1 })
        peers[2].drainToEnd()
        peers[0].send(header)
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        let other = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { bench.server.arrivalCount == 2 })
        bench.kernel.isFrozen = true
        try bench.reactor.turn()
        #expect(bench.log.notes == ["peer: too many connections without a PROXY header, true"])
        withExtendedLifetime(other) {}
    }

    @Test func `a connection without a header takes a session's place`() throws {
        let bench = try bench { $0.limits.maximumSessions = 2 }
        let peers = try (0..<3).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn(until: { bench.server.counters.refusedByLimit == 1 })
        for peer in peers.prefix(2) { peer.send(header) }
        try bench.reactor.turn(until: { bench.sessions.count == 2 })
        #expect(bench.server.counters.accepted == 2)
    }

    @Test func `the client's address is what has a limit, not its proxy's`() throws {
        let bench = try bench(.ipv4, from: [Network("127.0.0.1")]) {
            $0.limits.maximumSessionsPerAddress = 1
        }
        func client(_ host: Int) throws -> Peer {
            let peer = try Peer(to: bench.server.address)
            peer.send("PROXY TCP4 192.0.2.\(host) 198.51.100.2 1 2\r\n".utf8)
            return peer
        }
        let first = try client(1)
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        let second = try client(2)
        try bench.reactor.turn(until: { bench.sessions.count == 2 })
        let refused = try client(1)
        try bench.reactor.turn(until: { bench.server.counters.refusedByAddressLimit == 1 })
        refused.drainToEnd()
        #expect(refused.received == [] && bench.server.arrivalCount == 0)
        first.close()
        try bench.turnUntilClosed()
        let again = try client(1)
        try bench.reactor.turn(until: { bench.sessions.count == 3 })
        #expect(bench.log.notes == ["peer: too many sessions from its address, true"])
        withExtendedLifetime((second, again)) {}
    }

    @Test(arguments: 0..<4)
    func `whatever ends the server ends what waits`(end: Int) throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        peer.send(header.dropLast())
        try bench.reactor.turn(until: { bench.server.arrivalCount == 1 })
        var report: DrainReport?
        switch end {
        case 0: bench.server.stopListening()
        case 1: bench.server.stop(sessions: .abort)
        case 2: bench.server.drain(within: .seconds(1)) { report = $0 }
        default:
            bench.reactor.stop()
            try bench.reactor.run()
        }
        #expect(bench.server.counters.proxy.stopped == 1)
        peer.send(header.suffix(1))
        if end < 3 { try bench.reactor.turn(times: 2) }
        peer.drainToEnd()
        #expect(peer.received == [] && bench.sessions.isEmpty)
        #expect(
            bench.log.notes == ["peer: the server stopped before its PROXY header, false"])
        #expect(bench.kernel.openDescriptors.count == (end < 3 ? 2 : 0) || end == 3)
        #expect(end != 2 || report == DrainReport())
        #expect(bench.reactor.snapshot().serverTotals.proxy.stopped == 1)
    }

    @Test(arguments: [1, 2])
    func `a connection that epoll refuses is counted and closed`(place: Int) throws {
        let bench = try bench()
        let before = bench.kernel.calls[.epollControl] ?? 0
        bench.kernel.fault = { call, number, _ in
            call == .epollControl && number == before + place ? .error(ENOMEM) : nil
        }
        let peer = try Peer(to: bench.server.address)
        peer.send(header)
        try bench.reactor.turn(until: { bench.server.counters.failed == 1 })
        peer.drainToEnd()
        try expectNothingLeft(bench, [])
        let other = try Peer(to: bench.server.address)
        other.send(header)
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
    }

    @Test func `what waits is part of the memory bound`() throws {
        let plain = try Bench()
        let bench = try bench { $0.limits.maximumConnectionsWithoutHeader = 10 }
        let sum = plain.reactor.memoryBound + 10 * 2 * 4096
        #expect(bench.reactor.memoryBound == sum)
        let peer = try Peer(to: bench.server.address)
        peer.send(header.dropLast())
        try bench.reactor.turn(until: { bench.server.arrivalCount == 1 })
        #expect(bench.reactor.memoryBound == sum)
        bench.server.stopListening()
        try bench.reactor.turn()
        #expect(bench.reactor.memoryBound < sum)
    }

    @Test func `the defaults are those that are documented`() {
        let options = ServerOptions()
        #expect(options.proxyProtocol == nil && options.limits.maximumAcceptRate == nil)
        #expect(options.limits.maximumProxyHeaderLength == 4096)
        #expect(options.limits.maximumConnectionsWithoutHeader == 1024)
        #expect(options.session.limits.maximumPacketRate == nil)
        #expect(ProxyProtocol.required(from: [.unix]).timeLimit == .seconds(5))
        #expect(RateLimit(perSecond: 7).burst == 7)
    }
}
