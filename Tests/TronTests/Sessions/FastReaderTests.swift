// What one turn gives to a peer that reads at once: a high mark's worth, and others go on.
import Glibc
import Testing

@testable import Tron

@Suite struct FastReaderTests {
    @Test func `within a turn a high mark's worth makes a session unwritable, written or not`()
        throws
    {
        var (queued, answers, isSending) = (0, [Bool](), false)
        var options = SinkBench.options
        options.limits.maximumQueuedBytes = 64 << 10
        let stage = try SinkBench(options) { session, log in
            session.onWritabilityChange { _, isWritable in
                log.notes.append("\(isWritable)\(isSending ? " within send" : "")")
            }
        }
        try stage.within { session in
            let data = [UInt8](repeating: 0, count: 4000)
            for _ in 0..<100 {
                isSending = true
                let outcome = session.send(category: 1, data: data)
                isSending = false
                if outcome == .queued { queued += 4011 }
                answers.append(session.isWritable)
            }
        }
        try #require(queued == 100 * 4011 && stage.reasons == [], "\(queued) bytes queued")
        // 16 packets are below the mark.
        #expect(answers == (1...100).map { $0 <= 16 })
        #expect(stage.notes == ["true"])
        #expect(stage.session.isWritable)
        #expect(stage.taken() == queued)
    }

    @Test func `a fast reader gets a high mark's worth a turn, and others make progress`() throws {
        let highMark = 64 << 10
        var produced = 0
        func fill(_ session: Session) {
            let data = [UInt8](repeating: 0, count: 4000)
            // Without an end of its own, the producer would never leave a loop that has none.
            while produced < 64 << 20 && session.isWritable {
                if session.send(category: 1, data: data) == .queued { produced += 4011 }
            }
        }
        let stage = try SinkBench { session, log in
            session.onPacket { $0.reply(to: $1, data: $1.data) }
            session.onWritabilityChange { session, isWritable in
                log.notes.append("\(isWritable)")
                if isWritable { fill(session) }
            }
        }
        stage.sink.keepsBytes = false
        let reader = stage.kernel.accepted[0]
        stage.sink.takes = { number, _ in number == reader }
        let other = try stage.connect()
        try stage.within { fill($0) }
        for round in 1...100 {
            let before = (bytes: stage.taken(), sends: stage.sends(), told: stage.notes.count)
            other.send(wire("\(round)"))
            try stage.reactor.turn()
            let bytes = stage.taken() - before.bytes
            try #require((highMark - 4011...highMark + 4011).contains(bytes), "turn \(round)")
            try #require(stage.sends() == before.sends + 1)
            try #require(stage.notes.count == before.told + 1)
            try #require(other.drained.texts.count == round)
        }
    }

    /// With the default limits, and requests as fast as they can be read.
    @Test func `an echo whose peer reads never meets the high watermark`() throws {
        let stage = try SinkBench(SessionOptions()) { session, log in
            session.onPacket { $0.reply(to: $1, data: $1.data) }
            session.onWritabilityChange { log.notes.append("\($1)") }
        }
        stage.sink.keepsBytes = false
        let peer = stage.peers[0]
        var size: Int32 = 4 << 20
        setsockopt(peer.descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
        let packet = wire(String(repeating: "x", count: 1000))
        let bulk = Array(repeatElement(packet, count: 400).joined())
        for _ in 0..<50 {
            peer.send(bulk)
            try stage.reactor.turn()
        }
        #expect(stage.session.counters.bytesReceived > 5 << 20)
        #expect(stage.notes == [] && stage.session.largestQueuedBytes <= 512 << 10)
    }

    @Test func `a producer whose peer reads at once hears that peer`() throws {
        let data = [UInt8](repeating: 0, count: 3000)
        func fill(_ session: Session) {
            while session.isWritable { session.send(category: 1, data: data) }
        }
        let stage = try SinkBench { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                session.reply(to: packet, data: "heard")
            }
            session.onWritabilityChange { if $1 { fill($0) } }
        }
        stage.sink.keepsBytes = false
        try stage.within { fill($0) }
        for round in 1...20 {
            stage.peers[0].send(wire("\(round)"))
            try stage.reactor.turn(times: 3)
            try #require(stage.bench.texts.count == round)
        }
        stage.peers[0].finish()
        try stage.reactor.turn(until: { !stage.session.isOpen }, atMost: 5)
    }

    @Test func `a producer whose peer does not read, reads no further requests`() throws {
        let data = [UInt8](repeating: 0, count: 3000)
        let stage = try SinkBench { session, log in
            session.onPacket { _, packet in log.texts.append(packet.text) }
            session.onWritabilityChange { session, isWritable in
                while isWritable && session.isWritable { session.send(category: 1, data: data) }
            }
        }
        try stage.within { session in
            while session.isWritable { session.send(category: 1, data: data) }
        }
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        try stage.reactor.turn(times: 3)
        for number in 0..<5 { stage.peers[0].send(wire("\(number)")) }
        try stage.reactor.turn(times: 10)
        #expect(stage.bench.texts == [] && stage.session.queuedBytes > 64 << 10)
    }

    /// With the default limits, and without asking whether the sink is writable. Each source sends
    /// its 250 KB in so many pieces, one a turn.
    @Test(arguments: [OverflowPolicy.close, .refuse], [1, 2, 25])
    func `forty sources relay everything to a sink that reads at once`(
        overflow: OverflowPolicy, pieces: Int
    ) throws {
        var options = SessionOptions()
        options.overflow = overflow
        let stage = try SinkBench(options) { session, log in
            session.onPacket { _, packet in
                log.sessions[0].send(
                    sequence: packet.sequence, category: packet.category, data: packet.data)
            }
        }
        let sources = try (0..<40).map { _ in try stage.connect() }
        let text = String(repeating: "x", count: 989)
        let streams = (0..<40).map { source in
            (0..<250).flatMap { wire(text, sequence: Int32($0), category: UInt8(source)) }
        }
        for piece in 0..<pieces {
            for (source, stream) in zip(sources, streams) {
                var size: Int32 = 400_000
                setsockopt(source.descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
                let length = stream.count / pieces
                let bytes = stream[piece * length..<(piece + 1) * length]
                try #require(source.send(bytes) == bytes.count)
            }
            try stage.reactor.turn()
        }
        try stage.reactor.turn(times: 3)
        let packets = stage.packets()
        try #require(
            packets.count == 10_000 && stage.reasons == [],
            "\(packets.count) packets, \(stage.reasons)")
        for index in 0..<40 {
            let sequences = packets.filter { $0.category == index }.map(\.sequence)
            #expect(sequences == Array(0..<250), "source \(index)")
        }
        #expect(stage.session.counters.packetsRefused == 0)
    }
}
