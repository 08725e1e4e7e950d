// A limit on accepts a second: what is above it waits in the backlog, and nobody is refused.
import Glibc
import Testing

@testable import Tron

@Suite struct AcceptRateTests {
    private func bench(perSecond: Int, burst: Int) throws -> Bench {
        var options = ServerOptions()
        options.limits.maximumAcceptRate = RateLimit(perSecond: perSecond, burst: burst)
        return try Bench(options: options)
    }

    @Test func `a burst is accepted at once, and the others as time allows`() throws {
        let bench = try bench(perSecond: 10, burst: 3)
        let start = bench.kernel.clock
        let peers = try (0..<6).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn()
        #expect(bench.sessions.count == 3 && bench.kernel.clock == start)
        var times: [Int64] = []
        while bench.sessions.count < 6 {
            let count = bench.sessions.count
            try bench.reactor.turn(until: { bench.sessions.count > count })
            times.append((bench.kernel.clock - start) / 1_000_000)
        }
        #expect(times == [100, 200, 300])
        // Once each time that it had to wait: whoever had no token rested at once.
        #expect(bench.server.counters.ratePauses == 3 && bench.server.counters.exhaustions == 0)
        #expect(bench.server.counters.accepted == peers.count)
    }

    @Test func `waiting connections cost no turns`() throws {
        let bench = try bench(perSecond: 1, burst: 1)
        let peers = try (0..<3).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn(times: 2)
        let calls = bench.kernel.allCalls
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 10)
        #expect(bench.kernel.allCalls - calls <= 20 && bench.sessions.count == 1)
        withExtendedLifetime(peers) {}
    }

    @Test func `what was not needed is there for a later burst, and no more`() throws {
        let bench = try bench(perSecond: 100, burst: 2)
        bench.kernel.advance(.seconds(60))
        let peers = try (0..<3).map { _ in try Peer(to: bench.server.address) }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.sessions.count == 2)
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { bench.sessions.count == 3 })
        withExtendedLifetime(peers) {}
    }

    @Test func `it is told, and shows in the sums`() throws {
        let bench = try bench(perSecond: 1, burst: 1)
        bench.reactor.onEvent { [log = bench.log] event in
            if case .acceptingPaced = event { log.notes.append("\(event)") }
        }
        let peers = try (0..<2).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn(until: { bench.sessions.count == 2 })
        #expect(
            bench.log.notes == [
                "\(bench.server.address): accepting rests: more connections a second than allowed"
            ])
        #expect(bench.reactor.snapshot().serverTotals.ratePauses == 1)
        withExtendedLifetime(peers) {}
    }

    @Test func `a server that rests for its rate can stop`() throws {
        let bench = try bench(perSecond: 1, burst: 1)
        let peers = try (0..<2).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn(until: { bench.server.accepting.isResting })
        bench.server.stop(sessions: .abort)
        try bench.reactor.turn(times: 2)
        #expect(bench.reactor.registry.wheel.count == 0 && bench.sessions.count == 1)
        withExtendedLifetime(peers) {}
    }

    @Test func `however many a turn may accept, it ends when there are no tokens`() throws {
        var options = ServerOptions()
        options.limits.maximumAcceptRate = RateLimit(perSecond: 1, burst: 2)
        options.limits.maximumAcceptsPerTurn = .max
        let bench = try Bench(options: options)
        let peers = try (0..<3).map { _ in try Peer(to: bench.server.address) }
        try bench.reactor.turn()
        #expect(bench.sessions.count == 2)
        withExtendedLifetime(peers) {}
    }
}
