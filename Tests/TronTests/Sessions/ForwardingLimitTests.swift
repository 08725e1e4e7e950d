// Forwarding meets its limits: kernels that take less, queues that are full, sessions that end.
import Glibc
import Testing

@testable import Tron

@Suite struct ForwardingLimitTests: ForwardingSuite {
    @Test(arguments: [0, 1, 8, 9, 2012, 2013, 2014, 5000, 8051])
    func `what the kernel does not take is copied and follows, wherever it stops`(
        taken: Int
    ) throws {
        let stage = try stage(Self.echo)
        stage.kernel.limitNextSend(to: taken)
        try stage.within { session in
            Self.receive(Self.packets(0..<4), on: session)
            #expect(session.queuedBytes == 4 * Self.length - taken)
        }
        try stage.reactor.turn(times: 3)
        #expect(stage.packets().map(\.sequence) == [0, 1, 2, 3])
        #expect(stage.packets().allSatisfy { $0.text == Self.text } && stage.reasons == [])
    }

    @Test func `an error at the batch's end ends the session it befell, and no other`() throws {
        let stage = try stage(Self.relay)
        try stage.connect()
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EPIPE) : nil }
        try stage.within { session in
            Self.receive(Self.packets(0..<10), on: session)
            #expect(session.isOpen && !stage.bench.sessions[1].isOpen)
        }
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.system(.brokenPipe)])
    }

    @Test(arguments: ["close", "abort", "closeWriting"])
    func `a handler may end the session that has forwarded`(how: String) throws {
        let stage = try stage { session, _ in
            session.onPacket { session, packet in
                session.reply(to: packet, data: packet.data)
                guard packet.sequence == 2 else { return }
                switch how {
                case "close": session.close()
                case "abort": session.abort()
                default: session.closeWriting()
                }
            }
        }
        try stage.within { Self.receive(Self.packets(0..<5), on: $0) }
        try stage.reactor.turn()
        #expect(stage.packets().map(\.sequence) == (how == "abort" ? [] : [0, 1, 2]))
        #expect(stage.session.counters.bytesSent == stage.taken())
    }

    @Test func `what a closure writes is dropped when a packet is forwarded within it`() throws {
        let stage = try stage { session, log in
            session.onPacket { session, packet in
                let outcome = session.send(category: 1, capacity: 100) { output in
                    output.write("dropped")
                    session.reply(to: packet, data: packet.data)
                }
                log.notes.append("\(outcome)")
            }
        }
        try stage.within { Self.receive(Self.packets(0..<2), on: $0) }
        try stage.reactor.turn()
        #expect(stage.notes == ["interrupted", "interrupted"])
        #expect(stage.packets().map(\.sequence) == [0, 1])
        #expect(stage.packets().allSatisfy { $0.text == Self.text })
    }

    @Test func `what is forwarded counts against the limit of what waits`() throws {
        let stage = try stage(
            { session, log in
                session.onPacket { session, packet in
                    log.notes.append("\(session.reply(to: packet, data: packet.data))")
                }
            },
            options: {
                $0.limits.outputHighWatermark = 4000
                $0.limits.outputLowWatermark = 0
                $0.limits.maximumQueuedBytes = 5 * Self.length
                $0.overflow = .refuse
                $0.pausesReadingAboveHighWatermark = false
            })
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        try stage.within { Self.receive(Self.packets(0..<7), on: $0) }
        #expect(stage.notes == Array(repeating: "queued", count: 5) + ["overflow", "overflow"])
    }

    @Test func `what follows a run is refused where it is more than its session may send`() throws {
        var small = ServerOptions()
        small.session.limits.maximumDataLength = 1500
        var other: Session?
        var outcomes: [SendOutcome] = []
        let stage = try stage { session, _ in
            session.onPacket { _, packet in
                guard let other else { return }
                outcomes.append(
                    other.send(
                        sequence: packet.sequence, category: packet.category, data: packet.data))
            }
        }
        let server = try stage.reactor.listen(on: Bench.unixName(), options: small) { other = $0 }
        let peer = try Peer(to: server.address)
        try stage.reactor.turn(until: { other != nil })
        let texts = [1200, 1700, 1300].map { String(repeating: "x", count: $0) }
        try stage.within { Self.receive(texts.flatMap { wire($0, sequence: 7) }, on: $0) }
        #expect(outcomes == [.queued, .tooLarge, .queued])
        #expect(other?.counters.packetsSent == 2)
        withExtendedLifetime(peer) {}
    }

    @Test func `above the high watermark the rest of a batch is not delivered`() throws {
        let stage = try stage(
            Self.echo,
            options: {
                $0.limits.outputHighWatermark = 4000
                $0.limits.outputLowWatermark = 0
            })
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        try stage.within { session in
            Self.receive(Self.packets(0..<7), on: session)
            #expect(session.queuedBytes == 2 * Self.length)
        }
        stage.kernel.fault = { _, _, _ in nil }
        try stage.reactor.turn(until: { stage.packets().count == 7 })
        #expect(stage.packets().map(\.sequence) == Array(0..<7))
    }

    /// Whatever a handler does with each packet, on this session and on another, each gets its own
    /// packets whole and in order, though the kernel takes little at a time.
    @Test func `random handlers and a kernel that takes parts agree with lists`() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for round in 0..<min(300, RandomRun.operations / 100) {
            var expected: [[[UInt8]]] = [[], []]
            let stage = try stage(
                { session, log in
                    session.onPacket { _, packet in
                        let target = Int.random(in: 0...1, using: &generator)
                        let category = UInt8.random(in: 1...2, using: &generator)
                        let isForwarded = Int.random(in: 0..<4, using: &generator) > 0
                        let data = isForwarded ? packet.text : "small"
                        if isForwarded {
                            log.sessions[target].send(
                                sequence: packet.sequence, category: category, data: packet.data)
                        } else {
                            log.sessions[target].send(
                                sequence: packet.sequence, category: category, data: data)
                        }
                        expected[target].append(
                            wire(data, sequence: packet.sequence, category: category))
                    }
                }, options: { $0.limits.maximumQueuedBytes = 1 << 20 })
            try stage.connect()
            stage.kernel.fault = { call, size, _ in
                guard call == .send else { return nil }
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: return .error(EAGAIN)
                case 1: return .atMost(Int.random(in: 1...max(1, size), using: &generator))
                default: return nil
                }
            }
            for batch in 0..<Int32(4) {
                let first = batch * 12
                let count = Int32.random(in: 1...12, using: &generator)
                try stage.within { session in
                    Self.receive(Self.packets(first..<first + count), on: session)
                }
            }
            stage.kernel.fault = { _, _, _ in nil }
            try stage.reactor.turn(until: {
                stage.bench.sessions.allSatisfy { $0.queuedBytes == 0 }
            })
            for target in 0..<2 {
                let packets = stage.packets(target).map {
                    wire($0.text, sequence: $0.sequence, category: $0.category)
                }
                try #require(
                    packets == expected[target], "TRON_SEED=\(RandomRun.seed), round \(round)")
            }
        }
    }
}
