// Handlers of frames that give way: to other handlers, to a pause, and to their session's end.
import Testing

@testable import Tron

@Suite struct FrameHandlerTests: LinesSuite {
    @Test func `a switch from lines to packets loses nothing between them`() throws {
        let stream = Array("hello\nupgrade\n".utf8) + wire("a") + wire("b\n")
        for cut in 0...stream.count {
            let bench = try Bench { session, log in
                session.onFrames(of: .lines()) { session, line in
                    log.texts.append(line.text)
                    guard line.text == "upgrade" else { return }
                    session.onPacket { _, packet in log.texts.append("packet " + packet.text) }
                }
            }
            let peer = try bench.connect()
            bench.kernel.isFrozen = true
            for piece in [stream[..<cut], stream[cut...]] where !piece.isEmpty {
                peer.send(piece)
                try bench.reactor.turn(times: 2)
            }
            try bench.reactor.turn(until: { bench.texts.count == 4 }, atMost: 5)
            #expect(bench.texts == ["hello", "upgrade", "packet a", "packet b\n"], "cut \(cut)")
        }
    }

    @Test func `packets, bytes, lines and other frames follow one another in one read`() throws {
        let bench = try Bench { session, log in
            session.onPacket { session, packet in
                log.texts.append("packet " + packet.text)
                session.onBytes { session, bytes in
                    log.texts.append("bytes \(bytes.byteCount)")
                    session.onFrames(of: .fixedLength(3)) { session, frame in
                        log.texts.append("fixed " + frame.text)
                        session.onFrames(of: .delimited(by: [59], maximumLength: 9)) { _, frame in
                            log.texts.append("delimited " + frame.text)
                        }
                    }
                    return 2
                }
            }
        }
        let stream = wire("p") + Array("..abcx;yz;".utf8)
        let expected = ["packet p", "bytes 10", "fixed abc", "delimited x", "delimited yz"]
        let peer = try bench.connect()
        peer.send(stream)
        try bench.reactor.turn(until: { bench.texts.count == 5 }, atMost: 3)
        #expect(bench.texts == expected)
    }

    @Test func `a handler that is replaced between two frames leaves the rest to the new one`()
        throws
    {
        var isFirst = true
        let bench = try Bench { session, log in
            session.onFrames(of: .lines()) { session, line in
                log.texts.append("old " + line.text)
                guard isFirst else { return }
                isFirst = false
                session.onFrames(of: .lines()) { _, line in log.texts.append("new " + line.text) }
            }
        }
        let peer = try bench.connect()
        peer.send("a\nb\nc\n".utf8)
        try bench.reactor.turn(until: { bench.texts.count == 3 })
        #expect(bench.texts == ["old a", "new b", "new c"])
    }

    @Test func `a framing that is installed later begins anew with what is kept`() throws {
        let bench = try bench()
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        peer.send("abc;de".utf8)
        try bench.reactor.turn(times: 2)
        #expect(bench.texts == [] && bench.sessions[0].inbound.keptCount == 6)
        let log = bench.log
        bench.sessions[0].onFrames(of: .delimited(by: [59], maximumLength: 9)) { _, frame in
            log.texts.append(frame.text)
        }
        try bench.reactor.turn(until: { bench.texts == ["abc"] }, atMost: 2)
        #expect(bench.sessions[0].inbound.keptCount == 2)
    }

    @Test func `a pause in a handler leaves the frames behind it until reading goes on`() throws {
        let bench = try bench { session, _ in session.pauseReading() }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        peer.send("a\nb\nc\nd".utf8)
        for count in 1...3 {
            try bench.reactor.turn(until: { bench.texts.count == count })
            try bench.reactor.turn(times: 2)
            #expect(bench.texts.count == count)
            bench.sessions[0].resumeReading()
        }
        peer.send("\n".utf8)
        try bench.reactor.turn(until: { bench.texts == ["a", "b", "c", "d"] })
    }

    @Test func `a handler that closes has its answer sent and sees no further frame`() throws {
        let bench = try bench { session, _ in
            session.send(bytes: "bye")
            session.close()
        }
        let peer = try bench.connect()
        peer.send("a\nb\n".utf8)
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.texts == ["a"] && peer.received == Array("bye".utf8))
        #expect(bench.reasons == [.requested])
        // Nothing is installed any more.
        bench.sessions[0].onFrames(of: .lines()) { _, _ in }
        #expect(bench.sessions[0].rareState?.streamHandler == nil)
    }

    @Test func `a handler that aborts sees no further frame`() throws {
        let bench = try bench { session, _ in session.abort() }
        let peer = try bench.connect()
        peer.send("a\nb\n".utf8)
        try bench.turnUntilClosed()
        #expect(bench.texts == ["a"] && bench.reasons == [.aborted])
    }
}
