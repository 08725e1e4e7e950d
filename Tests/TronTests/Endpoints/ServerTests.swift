// Servers: their limits, what they do without descriptors, and how they stop and drain.
import Glibc
import Testing

@testable import Tron

@Suite struct ServerLimitTests {
    @Test func `above the limit connections are closed at once until a session has ended`() throws {
        var options = ServerOptions()
        options.limits.maximumSessions = 2
        let bench = try Bench(options: options)
        let peers = [try bench.connect(), try bench.connect()]
        let refused = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { refused.drained.isAtEnd })
        #expect(bench.server.counters.refusedByLimit == 1 && bench.server.sessionCount == 2)
        peers[0].close()
        try bench.turnUntilClosed()
        _ = try bench.connect()
        #expect(bench.server.counters.accepted == 3)
    }

    @Test func `one host has no more sessions than its share until one of them has ended`() throws {
        var options = ServerOptions()
        options.limits.maximumSessionsPerAddress = 2
        let bench = try Bench(.ipv4, options: options)
        let peers = [try bench.connect(), try bench.connect()]
        let refused = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { refused.drained.isAtEnd })
        #expect(bench.server.counters.refusedByAddressLimit == 1)
        for peer in peers { peer.close() }
        try bench.turnUntilClosed(2)
        let others = [try bench.connect(), try bench.connect()]
        #expect(bench.server.sessionCount == others.count && bench.server.counters.accepted == 4)
    }

    /// More at once than may be, from one host, and again when those have gone.
    @Test(arguments: [true, false])
    func `a burst opens as many sessions as there are places, and the others are told`(
        isPerAddress: Bool
    ) throws {
        var options = ServerOptions()
        if isPerAddress {
            options.limits.maximumSessionsPerAddress = 10
        } else {
            options.limits.maximumSessions = 10
        }
        let bench = try Bench(.ipv4, options: options)
        for round in 1...3 {
            let peers = try (0..<50).map { _ in try Peer(to: bench.server.address) }
            let counters = bench.server.counters
            var most = 0
            try bench.reactor.turn(until: {
                most = max(most, bench.server.sessionCount)
                let now = bench.server.counters.since(counters)
                return now.accepted + now.refusedByLimit + now.refusedByAddressLimit == 50
            })
            #expect(most == 10 && bench.server.counters.accepted == 10 * round)
            let told = peers.filter { $0.drained.isAtEnd || $0.error != 0 }
            #expect(told.count == 40)
            for peer in peers { peer.close() }
            try bench.turnUntilClosed(10 * round)
        }
        let counters = bench.server.counters
        #expect(counters.refusedByLimit == (isPerAddress ? 0 : 120))
        #expect(counters.refusedByAddressLimit == (isPerAddress ? 120 : 0))
    }

    @Test func `a burst of connections is accepted in portions`() throws {
        var options = ServerOptions()
        options.limits.maximumAcceptsPerTurn = 10
        let bench = try Bench(options: options)
        let peers = try (0..<35).map { _ in try Peer(to: bench.server.address) }
        var counts: [Int] = []
        for _ in 0..<5 {
            try bench.reactor.turn()
            counts.append(bench.sessions.count)
        }
        #expect(counts == [10, 20, 30, 35, 35])
        #expect(peers.count == 35)
    }
}

@Suite struct ServerExhaustionTests {
    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func `without descriptors accepting rests and does not spin`(code: Int32) throws {
        let bench = try Bench()
        let kernel = bench.kernel
        kernel.fault = { call, _, _ in call == .accept ? .error(code) : nil }
        let peer = try Peer(to: bench.server.address)
        try bench.reactor.turn()
        let (calls, start) = (kernel.allCalls, kernel.clock)
        while kernel.clock - start < 10_000_000_000 { try bench.reactor.turn() }
        // Ten seconds, a look every 50 ms: three calls to look, two waits.
        #expect(kernel.allCalls - calls < 10 * 20 * 6)
        #expect(bench.server.counters.exhaustions >= 190)
        kernel.fault = { _, _, _ in nil }
        let freed = kernel.clock
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        #expect(kernel.clock - freed <= 100_000_000)
        _ = peer
    }

    @Test func `the close of a session makes room for the next connection at once`() throws {
        let bench = try Bench()
        let first = try bench.connect()
        let kernel = bench.kernel
        // Two of the reactor's own, the listener, one session; and no more.
        kernel.fault = { [unowned kernel] call, _, _ in
            call == .accept && kernel.openDescriptors.count >= 4 ? .error(EMFILE) : nil
        }
        let second = try Peer(to: bench.server.address)
        for _ in 0..<100 { try bench.reactor.turn() }
        #expect(bench.sessions.count == 1)
        let list = Mirror(reflecting: bench.reactor.registry.starved)
        #expect(list.descendant("count") as? Int == 1)
        first.close()
        let start = kernel.clock
        kernel.isFrozen = true
        try bench.reactor.turn(until: { bench.sessions.count == 2 }, atMost: 10)
        #expect(kernel.clock == start && bench.reasons == [.peerClosed])
        _ = second
    }

    @Test func `a connection that was lost before it was accepted harms nobody`() throws {
        let bench = try Bench()
        bench.kernel.fault = { call, number, _ in
            call == .accept && number <= 3
                ? .error([ECONNABORTED, EPROTO, EINTR][number - 1]) : nil
        }
        _ = try bench.connect()
        #expect(bench.server.counters.failed == 2 && bench.server.counters.exhaustions == 0)
    }

    @Test func `a session that epoll refuses is closed and given back`() throws {
        let bench = try Bench()
        let open = bench.kernel.openDescriptors.count
        bench.kernel.fault = { call, _, _ in call == .epollControl ? .error(ENOSPC) : nil }
        let peer = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(bench.server.counters.failed == 1 && bench.server.sessionCount == 0)
        #expect(bench.kernel.openDescriptors.count == open)
        bench.kernel.fault = { _, _, _ in nil }
        _ = try bench.connect()
    }
}

@Suite struct ServerEndTests {
    @Test func `stop takes effect in its very turn and not with the next connection`() throws {
        let bench = try Bench(.ipv4)
        let peer = try bench.connect()
        bench.server.stop(sessions: .abort)
        bench.server.stop()
        let late = try? Peer(to: bench.server.address)
        #expect(late == nil)
        try bench.turnUntilClosed()
        peer.drainToEnd()
        #expect(bench.reasons == [.aborted] && peer.error == ECONNRESET)
        #expect(bench.kernel.openDescriptors.count == 2)
    }

    @Test func `a drain closes the sessions spread over its time and reports`() throws {
        let bench = try Bench()
        let peers = try (0..<20).map { _ in try bench.connect() }
        let start = bench.kernel.clock
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(10), spread: .seconds(2)) { reports.append($0) }
        #expect((try? Peer(to: bench.server.address)) == nil)
        var halfway = 0
        while reports.isEmpty && bench.kernel.clock - start < 20_000_000_000 {
            try bench.reactor.turn()
            for peer in peers where peer.descriptor >= 0 {
                peer.drain()
                if peer.isAtEnd { peer.close() }
            }
            if bench.kernel.clock - start < 1_000_000_000 { halfway = bench.reasons.count }
        }
        #expect((7...13).contains(halfway))
        #expect(reports.map(\.closed) == [20] && reports.map(\.aborted) == [0])
        #expect((1_800_000_000...2_100_000_000).contains(bench.kernel.clock - start))
        #expect(bench.reasons == Array(repeating: .requested, count: 20))
    }

    @Test func `at its deadline a drain aborts what is left and says how much`() throws {
        var options = ServerOptions()
        options.session.limits.closeTimeout = .seconds(60)
        let bench = try Bench(options: options)
        let peers = [try bench.connect(), try bench.connect(), try bench.connect()]
        var reports: [DrainReport] = []
        let start = bench.kernel.clock
        bench.server.drain(within: .seconds(5)) { reports.append($0) }
        peers[0].finish()
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports.map(\.closed) == [1] && reports.map(\.aborted) == [2])
        #expect((5_000_000_000...5_002_000_000).contains(bench.kernel.clock - start))
        #expect(bench.reasons == [.requested, .aborted, .aborted])
    }

    @Test func `a drain of a server without sessions reports and a second drain reports too`()
        throws
    {
        let bench = try Bench()
        var reports = 0
        bench.server.drain(within: .seconds(5)) { _ in reports += 1 }
        try bench.reactor.turn(until: { reports == 1 })
        let other = try Bench()
        let peer = try other.connect()
        other.server.drain(within: .seconds(5)) { _ in reports += 1 }
        other.server.drain(within: .seconds(5)) { _ in reports += 1 }
        try other.reactor.turn(until: { reports == 3 })
        _ = peer
    }
}
