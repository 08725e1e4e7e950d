// A limit on packets a second: above it the session does not read, and nothing is lost.
import Glibc
import Testing

@testable import Tron

@Suite struct PacketRateTests {
    private enum Kind: CaseIterable {
        case packets, frames, bytes
    }

    /// Sessions note what they are given: packets, lines, or bytes one by one.
    private func bench(
        _ kind: Kind = .packets, perSecond: Int = 10, burst: Int = 3,
        _ change: (inout SessionOptions) -> Void = { _ in }
    ) throws -> Bench {
        var options = SessionOptions()
        options.limits.maximumPacketRate = RateLimit(perSecond: perSecond, burst: burst)
        change(&options)
        return try Bench(session: options) { session, log in
            switch kind {
            case .packets: break
            case .frames: session.onFrames(of: .lines()) { log.texts.append($1.text) }
            case .bytes:
                session.onBytes { _, bytes in
                    log.texts.append(bytes.text.prefix(1).description)
                    return min(1, bytes.byteCount)
                }
            }
        }
    }

    private func bytes(_ texts: [String], _ kind: Kind) -> [UInt8] {
        texts.flatMap { text in
            switch kind {
            case .packets: wire(text)
            case .frames: Array("\(text)\n".utf8)
            case .bytes: Array(text.utf8)
            }
        }
    }

    @Test(arguments: Kind.allCases)
    private func `a burst is delivered at once, and the rest as time allows`(kind: Kind) throws {
        let bench = try bench(kind)
        let peer = try bench.connect()
        let texts = (0..<6).map { "\($0)" }
        peer.send(bytes(texts, kind))
        let start = bench.kernel.clock
        try bench.reactor.turn()
        #expect(bench.texts == ["0", "1", "2"] && bench.kernel.clock == start)
        var times: [Int64] = []
        while bench.texts.count < 6 {
            let count = bench.texts.count
            try bench.reactor.turn(until: { bench.texts.count > count })
            times.append((bench.kernel.clock - start) / 1_000_000)
        }
        #expect(bench.texts == texts && times == [100, 200, 300])
        #expect(bench.sessions[0].counters.packetsReceived == 6)
        // With the last token the session pauses, not with the first packet too many.
        #expect(bench.sessions[0].counters.ratePauses == 4)
        #expect(bench.reactor.snapshot().sessions.traffic.ratePauses == 4)
    }

    @Test func `while it waits nothing is read, and no turn is taken for it`() throws {
        let bench = try bench(perSecond: 1, burst: 1)
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b"))
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        let (calls, reads) = (bench.kernel.allCalls, bench.kernel.calls[.receive])
        peer.send(wire("c"))
        try bench.reactor.turn(times: 10)
        #expect(bench.texts == ["a"] && bench.kernel.calls[.receive] == reads)
        #expect(bench.kernel.allCalls - calls <= 20)
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { bench.texts == ["a", "b", "c"] })
    }

    @Test func `slow packets meet no limit`() throws {
        let bench = try bench()
        let peer = try bench.connect()
        for index in 0..<10 {
            bench.kernel.advance(.milliseconds(100))
            peer.send(wire("\(index)"))
            try bench.reactor.turn(until: { bench.texts.count == index + 1 })
        }
        #expect(bench.sessions[0].counters.ratePauses == 0)
    }

    @Test func `a session that has spent its last token reads again, with nothing left over`()
        throws
    {
        let bench = try bench()
        let peer = try bench.connect()
        peer.send(bytes(["0", "1", "2"], .packets))
        try bench.reactor.turn()
        #expect(bench.texts.count == 3)
        let start = bench.kernel.clock
        peer.send(bytes(["3"], .packets))
        try bench.reactor.turn(until: { bench.texts.count == 4 })
        #expect(bench.kernel.clock - start == 100_000_000)
    }

    @Test func `a peer that ends meanwhile is heard to its end`() throws {
        let bench = try bench()
        let peer = try bench.connect()
        let texts = (0..<6).map { "\($0)" }
        peer.send(bytes(texts, .packets))
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.texts == texts && bench.reasons == [.peerClosed])
        #expect(bench.sessions[0].counters.ratePauses > 0)
    }

    @Test func `its user's own pause goes on, and so does the limit`() throws {
        let bench = try bench()
        let peer = try bench.connect()
        peer.send(bytes(["0", "1", "2", "3"], .packets))
        try bench.reactor.turn()
        bench.sessions[0].pauseReading()
        bench.kernel.advance(.seconds(1))
        try bench.reactor.turn(times: 3)
        #expect(bench.texts.count == 3)
        bench.sessions[0].resumeReading()
        try bench.reactor.turn(until: { bench.texts.count == 4 })
    }

    @Test(arguments: [true, false])
    func `it can be closed and aborted while it waits`(isClose: Bool) throws {
        let bench = try bench(perSecond: 1, burst: 1)
        let peer = try bench.connect()
        peer.send(bytes(["0", "1"], .packets))
        try bench.reactor.turn()
        if isClose { bench.sessions[0].close() } else { bench.sessions[0].abort() }
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.texts == ["0"])
        #expect(bench.reasons == [isClose ? .requested : .aborted])
        #expect(bench.reactor.registry.wheel.count == 0)
    }

    @Test func `each session has its own`() throws {
        let bench = try bench(perSecond: 1, burst: 2)
        let peers = [try bench.connect(), try bench.connect()]
        for peer in peers { peer.send(bytes(["x", "y", "z"], .packets)) }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.texts == ["x", "y", "x", "y"])
    }

    @Test func `heartbeats are packets as well, and are no sign of another handler's`() throws {
        let bench = try bench(perSecond: 1, burst: 2) {
            $0.heartbeat = Heartbeat(category: 9, interval: .seconds(60))
        }
        let peer = try bench.connect()
        peer.send(wire("\0", category: 9) + wire("a") + wire("b"))
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.texts == ["a"] && bench.sessions[0].counters.ratePauses == 1)
    }

    @Test func `a packet takes all the time it needs, whatever waits before it`() throws {
        let bench = try bench(perSecond: 1, burst: 1) {
            $0.limits.packetTimeout = .seconds(3)
            $0.idle.read = .seconds(3)
        }
        let peer = try bench.connect()
        peer.send(bytes((0..<10).map { "\($0)" }, .packets))
        try bench.reactor.turn(until: { bench.texts.count == 10 || !bench.reasons.isEmpty })
        #expect(bench.texts.count == 10 && bench.reasons == [])
    }
}
