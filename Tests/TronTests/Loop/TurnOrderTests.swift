// The order of a turn, whole, and that each of its phases has a bound.
import Glibc
import Testing

@testable import Tron

extension ReactorLimits {
    /// What the last two phases do at most.
    fileprivate static func bounding(flushes: Int, releases: Int) -> ReactorLimits {
        var limits = ReactorLimits()
        limits.maximumFlushesPerTurn = flushes
        limits.maximumReleasesPerTurn = releases
        return limits
    }
}

@Suite struct TurnOrderTests {
    @Test func `a turn is events, timers, calls, submitted work, output, releases`() throws {
        let notes = Locked<[String]>([])
        let note: @Sendable (String) -> Void = { text in notes.withLock { $0.append(text) } }
        let kernel = FaultyKernel()
        let bench = try Bench(kernel: kernel) { session, log in
            session.onPacket { _, _ in note("event") }
            session.onClose { _, _ in note("release") }
        }
        let reactor = bench.reactor
        let peers = try (0..<3).map { _ in try bench.connect() }
        kernel.isFrozen = true
        try reactor.turn(times: 2)
        // In the opposite order, and each a turn's worth.
        bench.sessions[2].abort()
        bench.sessions[1].send(category: 1, data: "out")
        #expect(reactor.submit { _ in note("work") } == .accepted)
        // An event that is told later is owed.
        reactor.onEvent(slowHandler: nil) { event in
            if case .stoppedListening = event { note("owed") }
        }
        let other = try reactor.listen(on: Bench.unixName()) { _ in }
        other.stop()
        reactor.callSoon { note("soon") }
        reactor.schedule(after: .milliseconds(1)) { note("timer") }
        kernel.advance(.milliseconds(1))
        peers[0].send(wire("in"))
        let output = kernel.accepted[1]
        kernel.fault = { call, _, descriptor in
            if call == .send && descriptor == output { note("output") }
            return nil
        }
        try reactor.turn()
        #expect(
            notes.withLock { $0 } == [
                "event", "timer", "owed", "soon", "work", "output", "release",
            ])
    }

    /// Sessions, each with a peer that is kept.
    private func crowd(_ count: Int, _ limits: ReactorLimits) throws -> (Bench, [Peer]) {
        let bench = try Bench(limits: limits)
        let peers = try (0..<count).map { _ in try bench.connect() }
        bench.kernel.isFrozen = true
        return (bench, peers)
    }

    /// Takes turns, after each of which it asks for a number.
    private func numbers(_ bench: Bench, turns: Int, _ number: () -> Int) throws -> [Int] {
        try (0..<turns).map { _ in
            try bench.reactor.turn()
            return number()
        }
    }

    @Test func `the output phase flushes no more sessions a turn than its bound, oldest first`()
        throws
    {
        let (bench, peers) = try crowd(30, .bounding(flushes: 7, releases: 1000))
        for session in bench.sessions { session.send(category: 1, data: "x") }
        let before = (waits: bench.kernel.waits, looks: bench.kernel.looks)
        let seen = try numbers(bench, turns: 5) {
            let reached = peers.map { $0.drained.texts.count }
            #expect(reached == reached.sorted(by: >))
            return reached.reduce(0, +)
        }
        #expect(seen == [7, 14, 21, 28, 30])
        // None of these turns waited: who waits looks again.
        #expect(bench.kernel.waits - before.waits == bench.kernel.looks - before.looks)
    }

    @Test func `the release phase releases no more sources a turn than its bound`() throws {
        let (bench, peers) = try crowd(30, .bounding(flushes: 1000, releases: 7))
        for session in bench.sessions { session.abort() }
        let seen = try numbers(bench, turns: 5) { bench.reasons.count }
        #expect(seen == [7, 14, 21, 28, 30])
        #expect(bench.server.sessionCount == 0 && peers.count == 30)
    }

    @Test func `a phase with much to do does not keep others from their events`() throws {
        let (bench, peers) = try crowd(30, .bounding(flushes: 7, releases: 7))
        for session in bench.sessions.prefix(29) { session.abort() }
        peers[29].send(wire("heard"))
        try bench.reactor.turn()
        #expect(bench.texts == ["heard"] && bench.reasons.count == 7)
    }

    /// What ends while the phase has more to do than its bound is released all the same at the end.
    @Test func `a reactor that stops releases everything, whatever a turn's bound is`() throws {
        let (bench, peers) = try crowd(30, .bounding(flushes: 7, releases: 7))
        for session in bench.sessions { session.send(category: 1, data: "x") }
        for session in bench.sessions.prefix(20) { session.abort() }
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(bench.reasons.count == 30 && bench.reasons.count { $0 == .aborted } == 20)
        #expect(peers.count == 30 && bench.kernel.openDescriptors.count == 2)
    }

    @Test func `calls that are owed wait for the next turn beyond its budget`() throws {
        var limits = ReactorLimits()
        limits.maximumWorkPerTurn = 7
        let reactor = try Reactor(limits: limits, kernel: FaultyKernel())
        var calls = 0
        for _ in 0..<20 { reactor.registry.callLater { calls += 1 } }
        var seen: [Int] = []
        for _ in 0..<3 {
            try reactor.turn()
            seen.append(calls)
        }
        #expect(seen == [7, 14, 20])
    }
}
