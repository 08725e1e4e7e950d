// Who moved the bytes, and whose handler took long, between two looks.
import Testing

@testable import Tron

@Suite struct MeterTests {
    @Test func `the busiest sessions come first, by the bytes of the interval alone`() throws {
        let bench = try Bench()
        let peers = try (0..<4).map { _ in try bench.connect() }
        peers[3].send(wire(String(repeating: "x", count: 5000)))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        let meter = bench.reactor.makeMeter()
        peers[0].send(wire("x"))
        peers[1].send(wire(String(repeating: "x", count: 100)))
        peers[2].send(wire(String(repeating: "x", count: 50)))
        try bench.reactor.turn(until: { bench.texts.count == 4 })
        let interval = meter.read(talkers: 2)
        #expect(interval.talkers.map(\.session) == [bench.sessions[1].id, bench.sessions[2].id])
        #expect(interval.talkers.map(\.bytes) == [111, 61])
        #expect(interval.difference.sessions.traffic.packetsReceived == 3)
        #expect(interval.total.sessions.traffic.packetsReceived == 4)
        #expect(meter.read().talkers.isEmpty)
        #expect(meter.read(talkers: 0).talkers.isEmpty)
    }

    @Test func `the slowest session is told with its time, and forgotten with the interval`()
        throws
    {
        let bench = try Bench()
        let peers = try (0..<3).map { _ in try bench.connect() }
        let kernel = bench.kernel
        for session in bench.sessions {
            session.onPacket { _, packet in
                kernel.advance(.milliseconds(Int(packet.text) ?? 0))
            }
        }
        let meter = bench.reactor.makeMeter()
        kernel.isFrozen = true
        for (peer, time) in zip(peers, [3, 40, 5]) { peer.send(wire("\(time)")) }
        try bench.reactor.turn(times: 3)
        bench.reactor.schedule(after: .zero) { kernel.advance(.milliseconds(90)) }
        kernel.advance(.milliseconds(2))
        try bench.reactor.turn(times: 2)
        let interval = meter.read()
        #expect(interval.slowest?.session == bench.sessions[1].id)
        #expect(interval.slowest?.time == .milliseconds(40))
        #expect(interval.difference.handlerTimes.maximum == 90_000_000)
        #expect(interval.difference.handlerTimes.count == 4)
        #expect(meter.read().slowest == nil)
        kernel.isFrozen = false
    }

    @Test func `handlers are timed only while a meter is there`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        peer.send(wire("one"))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        #expect(bench.reactor.snapshot().handlerTimes.count == 0)
        var meter: Meter? = bench.reactor.makeMeter()
        let other = bench.reactor.makeMeter()
        meter = nil
        peer.send(wire("two"))
        try bench.reactor.turn(until: { bench.texts.count == 2 })
        let timed = other.read().difference.handlerTimes.count
        #expect(meter == nil && timed > 0)
    }
}
