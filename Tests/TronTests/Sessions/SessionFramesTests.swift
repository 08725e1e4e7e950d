// Frames in place of packets: what a session hands over, however its stream is cut, and when.
import Testing

@testable import Tron

@Suite struct SessionFramesTests: LinesSuite {
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
