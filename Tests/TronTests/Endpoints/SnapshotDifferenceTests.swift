// Two snapshots subtract: what was done between them, and how long its turns took.
import Testing

@testable import Tron

@Suite struct SnapshotDifferenceTests {
    @Test func `two snapshots subtract to rates`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        peer.send(wire("before"))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        let earlier = bench.reactor.snapshot()
        for _ in 0..<10 { peer.send(wire("12345")) }
        try bench.reactor.turn(until: { bench.texts.count == 11 })
        bench.kernel.clock = 1_000_000_000 + earlier.time.clampedNanoseconds + 4_000_000_000
        let difference = bench.reactor.snapshot().since(earlier)
        #expect(difference.time == .seconds(4))
        #expect(difference.sessions.traffic.packetsReceived == 10)
        #expect(difference.sessions.traffic.bytesReceived == 160)
        #expect(difference.servers[0].counters.accepted == 0)
        #expect(difference.servers[0].sessions == difference.sessions)
        #expect(difference.sessions.open == 1 && difference.sessions.opened == 0)
        #expect(difference.perSecond(difference.sessions.traffic.packetsReceived) == 2.5)
        #expect(earlier.since(earlier).perSecond(7) == 0)
    }

    @Test func `a turn's length counts as lag, for the turns alone`() throws {
        let bench = try Bench { session, log in
            session.onPacket { _, _ in log.texts.append("") }
        }
        let peer = try bench.connect()
        let kernel = bench.kernel
        bench.sessions[0].onPacket { _, packet in
            kernel.advance(.milliseconds(packet.text == "slow" ? 50 : 0))
        }
        kernel.isFrozen = true
        let earlier = bench.reactor.snapshot()
        peer.send(wire("slow"))
        try bench.reactor.turn(times: 3)
        kernel.isFrozen = false
        let difference = bench.reactor.snapshot().since(earlier)
        #expect(difference.turns == 3)
        #expect(difference.lag.maximum == 50_000_000)
        #expect(difference.lag.count(upTo: 1_000_000) == difference.lag.count - 1)
        #expect(difference.handlerTimes.count == 0)
    }
}
