// How sessions end: every reason, told once and last, over real sockets.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionLifeTests {
    /// By its user, or by a send that meets what its peer has done meanwhile.
    @Test(arguments: [true, false])
    func `who asks for the end of a session that has just ended is told of it`(isAborted: Bool)
        throws
    {
        let kernel = FaultyKernel()
        kernel.fault = { call, _, _ in call == .send ? .error(EPIPE) : nil }
        let bench = try Bench(kernel: kernel) { session, log in
            if isAborted {
                session.abort()
            } else {
                let most = session.settings.outboundCapacity
                session.send(bytes: [UInt8](repeating: 1, count: most))
                #expect(session.send(bytes: "more") == .closed)
            }
            session.onClose { _, reason in log.texts.append("\(reason.cause)") }
        }
        let peer = try bench.connect()
        try bench.reactor.turn()
        #expect(bench.texts == [isAborted ? "aborted" : "reset"])
        bench.sessions[0].onClose { _, _ in bench.log.texts.append("again") }
        try bench.reactor.turn(times: 2)
        #expect(bench.texts.count == 1)
        withExtendedLifetime(peer) {}
    }

    /// Asserts that nothing of the only session happens after its end.
    private func expectEnd(
        _ bench: Bench, _ reason: CloseReason, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try bench.turnUntilClosed(sourceLocation: sourceLocation)
        let texts = bench.texts
        try bench.reactor.turn(times: 5)
        #expect(bench.reasons == [reason], sourceLocation: sourceLocation)
        #expect(bench.texts == texts, sourceLocation: sourceLocation)
        #expect(bench.server.sessionCount == 0, sourceLocation: sourceLocation)
        #expect(!bench.sessions[0].isOpen, sourceLocation: sourceLocation)
        #expect(bench.reactor.session(bench.sessions[0].id) == nil, sourceLocation: sourceLocation)
    }

    @Test func `close ends with requested once the peer has ended its stream too`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        bench.sessions[0].send(category: 1, data: "last")
        bench.sessions[0].close()
        bench.sessions[0].close()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == ["last"])
        #expect(bench.reasons == [])
        peer.close()
        try expectEnd(bench, .requested)
    }

    @Test func `abort drops what is queued and resets the connection`() throws {
        let bench = try Bench(.ipv4)
        let peer = try bench.connect()
        bench.sessions[0].send(category: 1, data: "never")
        bench.sessions[0].abort()
        bench.sessions[0].abort()
        bench.sessions[0].close()
        try expectEnd(bench, .aborted)
        peer.drainToEnd()
        #expect(peer.error == ECONNRESET)
        #expect(peer.received == [])
    }

    @Test func `the peer's end between packets ends with peerClosed after the queue has left`()
        throws
    {
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b"))
        peer.finish()
        try expectEnd(bench, .peerClosed)
        peer.drainToEnd()
        #expect(peer.texts == ["a", "b"])
        #expect(peer.isAtEnd)
    }

    @Test(arguments: [
        (IdleTimeouts(read: .seconds(3)), IdleKind.read),
        (IdleTimeouts(write: .seconds(3)), IdleKind.write),
        (IdleTimeouts(either: .seconds(3)), IdleKind.either),
    ])
    func `silence ends with idle, in its kind and in time`(
        timeouts: IdleTimeouts, kind: IdleKind
    ) throws {
        var options = SessionOptions()
        options.idle = timeouts
        let bench = try Bench(session: options)
        let start = bench.kernel.clock
        let peer = try bench.connect()
        try expectEnd(bench, .idle(kind))
        let waited = bench.kernel.clock - start
        #expect((3_000_000_000...3_001_000_000).contains(waited))
        peer.drainToEnd()
        #expect(peer.isAtEnd)
    }

    @Test func `a length above the limit ends the session on the header alone`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 1000
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        peer.send(wire("ok") + [0, 0, 0, 1, 7, 0, 0, 3, 0xe9])
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.close()
        try expectEnd(bench, .protocolFault(.dataTooLong(announced: 1001)))
        #expect(bench.texts == ["ok"])
    }

    @Test func `a wrong trailer ends the session after the packets before it were answered`()
        throws
    {
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b") + wire("bad").dropLast() + [0x0b] + wire("after"))
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == ["a", "b"])
        peer.send(wire("much later"))
        peer.close()
        try expectEnd(bench, .protocolFault(.badTrailer(0x0d0b)))
        #expect(bench.sessions[0].counters.packetsReceived == 2)
    }

    @Test func `an end of stream within a packet is told apart from a clean one`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        peer.send(wire("whole") + wire("cut").prefix(12))
        try bench.reactor.turn(until: { bench.texts == ["whole"] })
        peer.finish()
        try expectEnd(bench, .protocolFault(.truncatedPacket(bytes: 12)))
    }

    @Test func `more output than may wait ends with overflow`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 100
        options.limits.maximumQueuedBytes = 1000
        options.limits.outputHighWatermark = 1000
        options.limits.outputLowWatermark = 0
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        let data = [UInt8](repeating: 7, count: 89)
        var outcomes: [SendOutcome] = []
        for _ in 0..<12 { outcomes.append(bench.sessions[0].send(category: 1, data: data)) }
        #expect(
            outcomes == Array(repeating: .queued, count: 10) + [.overflow, .closed])
        try expectEnd(bench, .overflow(bytes: 1100))
        peer.drain()
        #expect(peer.received == [])
    }

    @Test func `a stopped reactor ends its sessions with reactorStopped before run returns`()
        throws
    {
        let bench = try Bench()
        let peer = try bench.connect()
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(bench.reasons == [.reactorStopped])
        peer.drainToEnd()
        #expect(peer.isAtEnd)
        #expect(bench.sessions[0].send(category: 1, data: "x") == .closed)
    }

    @Test func `a peer's reset ends with the call and ECONNRESET`() throws {
        let bench = try Bench(.ipv4)
        let peer = try bench.connect()
        peer.reset()
        try expectEnd(bench, .system(SystemError(.recv, code: ECONNRESET)))
    }

    @Test func `writing to a peer that is gone ends with EPIPE and does not kill the process`()
        throws
    {
        signal(SIGPIPE, SIG_DFL)
        let bench = try Bench()
        let peer = try bench.connect()
        peer.close()
        let session = bench.sessions[0]
        session.pauseReading()
        session.send(category: 1, data: "to nobody")
        session.flush()
        try expectEnd(bench, .system(SystemError(.send, code: EPIPE)))
    }

    @Test func `handlers are dropped at the end and with them what they hold`() throws {
        final class Held {}
        weak var held: Held?
        let bench = try Bench { session, _ in
            let object = Held()
            held = object
            session.onPacket { _, _ in _ = object }
            session.onWritabilityChange { _, _ in _ = object }
            session.onPeerFinished { _ in _ = object }
            session.onClose { _, _ in _ = object }
        }
        let peer = try bench.connect()
        #expect(held != nil)
        peer.finish()
        try bench.reactor.turn(until: { held == nil })
        #expect(bench.server.sessionCount == 0)
        bench.sessions[0].onClose { _, _ in Issue.record("told after its end") }
        bench.sessions[0].onPacket { _, _ in Issue.record("delivered after its end") }
        try bench.reactor.turn(times: 3)
    }

    @Test func `a closed session answers that it is closed and nothing else happens`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        let session = bench.sessions[0]
        session.abort()
        #expect(session.send(category: 1, data: "x") == .closed)
        #expect(session.send(bytes: "x") == .closed)
        try bench.turnUntilClosed()
        session.pauseReading()
        session.resumeReading()
        session.closeWriting()
        session.close()
        session.abort()
        #expect(session.send(category: 1, data: "x") == .closed)
        #expect(session.localAddress == nil && !session.isWritable && session.queuedBytes == 0)
        try bench.reactor.turn(times: 3)
        #expect(bench.reasons == [.aborted])
        _ = peer
    }
}
