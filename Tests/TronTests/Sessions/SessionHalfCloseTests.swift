// Half-closed sessions: whichever end has finished, the other is still heard, for so long.
import Testing

@testable import Tron

@Suite struct SessionHalfCloseTests {
    private var halfClosing: SessionOptions {
        var options = SessionOptions()
        options.allowsHalfClose = true
        return options
    }

    @Test(arguments: [Bench.Transport.unix, .ipv4])
    func `a peer that shut its writing side is still sent to`(transport: Bench.Transport) throws {
        var finished = 0
        let bench = try Bench(transport, session: halfClosing) { session, _ in
            session.onPeerFinished { _ in finished += 1 }
        }
        let peer = try bench.connect()
        peer.send(wire("question"))
        peer.finish()
        try bench.reactor.turn(until: { finished == 1 })
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 5)
        #expect(bench.texts == ["question"] && bench.reasons == [])
        let kernel = bench.kernel
        let (waits, empty) = (kernel.waits, kernel.emptyWaits)
        try bench.reactor.turn(times: 3)
        #expect(kernel.waits - waits == kernel.emptyWaits - empty)
        #expect(bench.sessions[0].send(category: 1, data: "late answer") == .queued)
        try bench.reactor.turn(until: { peer.drained.texts == ["late answer"] })
        bench.sessions[0].close()
        try bench.turnUntilClosed()
        peer.drainToEnd()
        #expect(bench.reasons == [.requested] && peer.isAtEnd && finished == 1)
    }

    @Test func `closeWriting ends this end's stream and goes on receiving`() throws {
        let bench = try Bench(.ipv4)
        let peer = try bench.connect()
        let session = bench.sessions[0]
        session.send(category: 1, data: "last")
        session.closeWriting()
        #expect(session.send(category: 1, data: "too late") == .closed)
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == ["last"] && !session.isOpen && bench.reasons.isEmpty)
        peer.send(wire("still heard"))
        try bench.reactor.turn(until: { bench.texts == ["still heard"] })
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.peerClosed])
    }

    @Test func `closeWriting after the peer's end ends the session`() throws {
        for transport in [Bench.Transport.unix, .ipv4] {
            let bench = try Bench(transport, session: halfClosing) { session, _ in
                session.onPeerFinished { session in
                    session.send(category: 1, data: "bye")
                    session.closeWriting()
                }
            }
            let peer = try bench.connect()
            let start = bench.kernel.clock
            peer.finish()
            try bench.turnUntilClosed()
            peer.drain()
            #expect(bench.reasons == [.peerClosed] && peer.texts == ["bye"])
            #expect(bench.kernel.clock - start < 1_000_000_000)
        }
    }

    @Test func `a half-closed session ends at its time limit`() throws {
        var options = halfClosing
        options.limits.halfCloseTimeout = .seconds(7)
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let start = bench.kernel.clock
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.deadlineExceeded(.halfClose)])
        #expect((7_000_000_000...7_001_000_000).contains(bench.kernel.clock - start))
    }
}
