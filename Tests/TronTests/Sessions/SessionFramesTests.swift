// Frames in place of packets: what a session hands over, however its stream is cut and handled.
import Testing

@testable import Tron

@Suite struct SessionFramesTests {
    /// A bench whose sessions note the lines that they are given.
    private func bench(
        _ framing: LineFraming = .lines(), session options: SessionOptions = SessionOptions(),
        line: @escaping (Session, String) -> Void = { _, _ in }
    ) throws -> Bench {
        try Bench(session: options) { session, log in
            session.onFrames(of: framing) { session, frame in
                log.texts.append(frame.text)
                line(session, frame.text)
            }
        }
    }

    @Test func `frames are the same at every one and every two cuts of their stream`() throws {
        let bench = try bench()
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        let stream = Array("ab\r\n\nlonger\ncd\n".utf8)
        for first in 0...stream.count {
            for second in first...stream.count {
                bench.log.texts = []
                for piece in [stream[..<first], stream[first..<second], stream[second...]] {
                    if !piece.isEmpty { peer.send(piece) }
                    try bench.reactor.turn()
                }
                try bench.reactor.turn(until: { bench.texts.count >= 4 }, atMost: 5)
                #expect(bench.texts == ["ab", "", "longer", "cd"], "\(first), \(second)")
            }
        }
        let lines = (stream.count + 1) * (stream.count + 2) / 2 * 4
        #expect(bench.sessions[0].counters.packetsReceived == lines)
        #expect(!bench.sessions[0].inbound.hasKept && bench.reasons == [])
    }

    @Test func `a frame's bytes are whole, and its content is where the layout says`() throws {
        let bench = try Bench { session, log in
            let framing = LengthPrefixFraming(.one, at: 2, maximumLength: 9)
            session.onFrames(of: framing) { _, frame in
                let bytes = frame.bytes.withUnsafeBytes { [UInt8]($0) }
                log.notes.append("\(bytes) \(frame.layout) \(frame.copy())")
            }
        }
        let peer = try bench.connect()
        peer.send([1, 2, 3, 7, 8, 9, 4, 5, 0])
        try bench.reactor.turn(until: { bench.log.notes.count == 2 })
        #expect(bench.log.notes == ["[1, 2, 3, 7, 8, 9] 3..<6 [7, 8, 9]", "[4, 5, 0] 3..<3 []"])
    }

    @Test func `random frames in random reads come whole and in order, also past pauses`() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let source = RandomBytes(using: &generator)
        var contents: [[UInt8]] = []
        var expected: [[UInt8]] = []
        var pauses = SeededGenerator(seed: generator.next())
        let bench = try Bench { session, _ in
            session.onFrames(of: .lengthPrefixed(.four, maximumLength: 60_000)) { session, frame in
                contents.append(frame.copy())
                if Int.random(in: 0..<10, using: &pauses) == 0 { session.pauseReading() }
            }
        }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        var unsent: [UInt8] = []
        for _ in 0..<max(300, RandomRun.operations / 200) {
            let content = Array(source.slice(limit: 60_000, using: &generator))
            let count = UInt32(content.count)
            unsent += (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } + content
            expected.append(content)
            let magnitude = Int.random(in: 0...16, using: &generator)
            let sent = peer.send(
                unsent.prefix(Int.random(in: 0...1 << magnitude, using: &generator)))
            unsent.removeFirst(max(0, sent))
            try bench.reactor.turn()
            bench.sessions[0].resumeReading()
        }
        for _ in 0..<100_000 where contents.count < expected.count && bench.reasons.isEmpty {
            unsent.removeFirst(max(0, peer.send(unsent.prefix(50_000))))
            try bench.reactor.turn()
            bench.sessions[0].resumeReading()
        }
        #expect(contents == expected, "TRON_SEED=\(RandomRun.seed)")
        #expect(bench.reasons == [] && !bench.sessions[0].inbound.hasKept)
    }

    @Test func `frames are counted when their handler is called, like packets`() throws {
        var counts: [Int] = []
        let bench = try bench { session, _ in counts.append(session.counters.packetsReceived) }
        let peer = try bench.connect()
        peer.send("a\nb\nc".utf8)
        try bench.reactor.turn(until: { counts.count == 2 })
        #expect(counts == [1, 2] && bench.sessions[0].counters.bytesReceived == 5)
    }
}

// MARK: - Handlers that give way

extension SessionFramesTests {
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

// MARK: - Ends and times

extension SessionFramesTests {
    @Test(arguments: [("a\nbc", 2), ("abc", 3), ("a\n\r", 1)])
    func `a stream that ends within a frame is a fault that says how much there was`(
        stream: String, left: Int
    ) throws {
        let bench = try bench()
        let peer = try bench.connect()
        peer.send(stream.utf8)
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.protocolFault(.truncatedPacket(bytes: left))])
    }

    @Test func `a stream that ends between two frames ends the session, all of them delivered`()
        throws
    {
        let bench = try bench()
        let peer = try bench.connect()
        peer.send("a\nb\n".utf8)
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.texts == ["a", "b"] && bench.reasons == [.peerClosed])
    }

    @Test func `a half-closed session answers the frames that it was sent`() throws {
        var options = SessionOptions()
        options.allowsHalfClose = true
        let bench = try Bench(session: options) { session, log in
            session.onFrames(of: .lines()) { _, line in log.texts.append(line.text) }
            session.onPeerFinished { session in
                session.send(bytes: log.texts.joined(separator: "+"))
                session.close()
            }
        }
        let peer = try bench.connect()
        peer.send("a\nb\n".utf8)
        peer.finish()
        try bench.turnUntilClosed()
        #expect(peer.drained.received == Array("a+b".utf8))
    }

    @Test func `an incomplete frame has the time of a packet, from its own first byte`() throws {
        var options = SessionOptions()
        options.limits.packetTimeout = .seconds(5)
        let bench = try bench(session: options)
        let peer = try bench.connect()
        let start = bench.kernel.clock
        for piece in ["on", "e\ntw"] {
            bench.kernel.isFrozen = true
            peer.send(piece.utf8)
            try bench.reactor.turn(times: 2)
            if piece == "on" { bench.kernel.advance(.seconds(4)) }
        }
        bench.kernel.isFrozen = false
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.deadlineExceeded(.packet)] && bench.texts == ["one"])
        let seconds = Double(bench.kernel.clock - start) / 1e9
        #expect((9.0...9.01).contains(seconds), "after \(seconds) s")
    }

    @Test func `no heartbeat is sent into a stream of frames, and again into one of packets`()
        throws
    {
        var options = SessionOptions()
        options.heartbeat = Heartbeat(category: 200, interval: .seconds(2))
        let bench = try bench(session: options)
        let peer = try bench.connect()
        bench.reactor.schedule(after: .seconds(9)) { [log = bench.log] in
            log.sessions[0].onPacket { _, _ in }
        }
        bench.reactor.schedule(after: .seconds(8)) { [log = bench.log] in
            log.notes.append("\(peer.drained.received.count)")
        }
        let start = bench.kernel.clock
        try bench.reactor.turn(until: { !peer.drained.received.isEmpty })
        #expect(bench.log.notes == ["0"])
        #expect((9.0...11.01).contains(Double(bench.kernel.clock - start) / 1e9))
    }

    @Test func `both ends may speak in frames`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let name = Bench.unixName()
        try reactor.listen(on: name) { session in
            session.onFrames(of: .lines()) { session, line in
                session.send(bytes: "<\(line.text)>\n")
            }
        }
        var answers: [String] = []
        let client = reactor.makeClient(to: name) { session in
            session.onFrames(of: .lines()) { _, line in answers.append(line.text) }
            session.send(bytes: "one\r\ntwo\n")
        }
        try reactor.turn(until: { answers.count == 2 })
        #expect(answers == ["<one>", "<two>"])
        client.close()
    }
}
