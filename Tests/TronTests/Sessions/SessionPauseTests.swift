// Sessions that pause reading: nothing is lost, nothing spins, and what is kept has its bound.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionPauseTests {
    private let hundred = (0..<100).map { "packet \($0)" }

    /// A bench whose session pauses itself after every `step` packets.
    private func pausingBench(
        every step: Int, _ transport: Bench.Transport = .unix,
        session options: SessionOptions = SessionOptions()
    ) throws -> Bench {
        try Bench(transport, session: options) { session, log in
            session.onPacket { session, packet in
                #expect(!session.isReadingPaused)
                log.texts.append(packet.text)
                if log.texts.count % step == 0 { session.pauseReading() }
            }
        }
    }

    @Test func `a pause within a batch keeps the rest and delivers it in order after resuming`()
        throws
    {
        let bench = try pausingBench(every: 7)
        let peer = try bench.connect()
        peer.send(hundred.flatMap { wire($0) })
        var resumes = 0
        try bench.reactor.turn(until: {
            guard bench.texts.count < 100 else { return true }
            if bench.sessions[0].isReadingPaused {
                #expect(bench.texts.count % 7 == 0)
                resumes += 1
                bench.sessions[0].resumeReading()
            }
            return false
        })
        #expect(bench.texts == hundred)
        #expect(resumes == 14)
        #expect(bench.reasons == [])
    }

    @Test func `a handler that pauses and resumes its session loses nothing`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        bench.sessions[0].onPacket { [log = bench.log] session, packet in
            session.pauseReading()
            session.resumeReading()
            log.texts.append(packet.text)
        }
        peer.send(hundred.flatMap { wire($0) })
        try bench.reactor.turn(until: { bench.texts == hundred })
    }

    @Test func `the peer's end while paused is seen after resuming and after what was kept`()
        throws
    {
        for transport in [Bench.Transport.unix, .ipv4] {
            let bench = try pausingBench(every: 1, transport)
            let peer = try bench.connect()
            // Or `halfCloseTimeout` would be over.
            bench.kernel.isFrozen = true
            peer.send(wire("one") + wire("two") + wire("three"))
            peer.finish()
            try bench.reactor.turn(until: { bench.texts == ["one"] })
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 5)
            bench.kernel.isFrozen = false
            #expect(bench.reasons == [])
            // From a timer, that is, after the turn's events.
            let session = bench.sessions[0]
            bench.kernel.advance(.milliseconds(2))
            bench.reactor.schedule(after: .zero) { session.resumeReading() }
            bench.kernel.advance(.milliseconds(2))
            try bench.reactor.turn(until: { bench.texts.count == 2 || !bench.reasons.isEmpty })
            #expect(bench.reasons == [])
            session.onPacket { [log = bench.log] in log.texts.append($1.text) }
            bench.reactor.schedule(after: .zero) { session.resumeReading() }
            bench.kernel.advance(.milliseconds(2))
            try bench.turnUntilClosed()
            #expect(bench.texts == ["one", "two", "three"])
            #expect(bench.reasons == [.peerClosed])
        }
    }

    @Test func `a reset while paused ends the session`() throws {
        let bench = try pausingBench(every: 1, .ipv4)
        let peer = try bench.connect()
        peer.send(wire("one") + wire("two"))
        try bench.reactor.turn(until: { bench.texts == ["one"] })
        try bench.reactor.turn(times: 2)
        peer.reset()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.system(SystemError(.recv, code: ECONNRESET))])
        #expect(bench.texts == ["one"])
    }

    @Test func `a hang-up while paused does not spin and what came before it is delivered`()
        throws
    {
        let bench = try pausingBench(every: 1)
        let peer = try bench.connect()
        peer.send(wire("one") + wire("two"))
        try bench.reactor.turn(until: { bench.texts == ["one"] })
        peer.send(wire("three"))
        peer.close()
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 5)
        let kernel = bench.kernel
        let (waits, empty) = (kernel.waits, kernel.emptyWaits)
        try bench.reactor.turn(times: 50)
        #expect(kernel.waits - waits == 50 && kernel.emptyWaits - empty == 50)
        #expect(bench.reasons == [] && bench.texts == ["one"])
        bench.sessions[0].onPacket { [log = bench.log] in log.texts.append($1.text) }
        bench.sessions[0].resumeReading()
        try bench.turnUntilClosed()
        #expect(bench.texts == ["one", "two", "three"])
        #expect(bench.reasons == [.peerClosed])
    }

    @Test func `a session that takes one packet a resume keeps no more than one read`() throws {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 16 << 10
        let bench = try Bench(limits: limits) { session, _ in
            session.onPacket { session, _ in session.pauseReading() }
        }
        let peer = try bench.connect()
        let bulk = Array(repeatElement(wire("some data to keep"), count: 400).joined())
        var most = 0
        let id = bench.sessions[0].id
        for _ in 0..<2000 {
            peer.send(bulk)
            try bench.reactor.turn()
            most = max(most, bench.sessions[0].inbound.keptCount)
            bench.reactor.submit { reactor in reactor.session(id)?.resumeReading() }
        }
        #expect(most > 8 << 10 && most <= 16 << 10)
    }

    @Test func `thousands of resumes leave nothing behind in the reactor`() throws {
        let bench = try pausingBench(every: 1)
        let peer = try bench.connect()
        for round in 0..<2000 {
            peer.send(wire("a") + wire("b"))
            try bench.reactor.turn(until: { bench.texts.count >= 2 * round + 1 })
            bench.sessions[0].resumeReading()
            try bench.reactor.turn(until: { bench.texts.count == 2 * round + 2 })
            bench.sessions[0].resumeReading()
        }
        #expect(bench.reactor.registry.woken.capacity == 64)
    }

    @Test func `while paused neither silence nor a half packet counts against the peer`() throws {
        var options = SessionOptions()
        options.idle.read = .seconds(5)
        options.limits.packetTimeout = .seconds(5)
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        peer.send(wire("half").prefix(10))
        try bench.reactor.turn()
        let session = bench.sessions[0]
        session.pauseReading()
        bench.reactor.schedule(after: .seconds(60)) { session.resumeReading() }
        try bench.reactor.turn(until: { bench.kernel.clock >= 61_000_000_000 })
        #expect(bench.reasons == [])
        peer.send(wire("half").dropFirst(10))
        try bench.reactor.turn(until: { bench.texts == ["half"] })
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.idle(.read)])
    }
}
