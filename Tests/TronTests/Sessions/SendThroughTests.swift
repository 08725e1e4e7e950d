// Large packets go to the kernel from where their data lies, whole and in order, or wait.
import Glibc
import Testing

@testable import Tron

@Suite struct SendThroughTests {
    private static let data = [UInt8]((0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    private static let length = 2011

    private func stage(
        _ overflow: OverflowPolicy = .close,
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws -> SinkBench {
        var options = SinkBench.options
        options.limits.sentThroughLength = 1000
        options.limits.maximumQueuedBytes = 64 << 10
        options.overflow = overflow
        return try SinkBench(options, setup: setup)
    }

    private func send(_ session: Session, _ sequence: Int32) -> SendOutcome {
        session.send(sequence: sequence, category: 3, data: Self.data)
    }

    @Test func `what waits and the packet leave in one call, and nothing is copied`() throws {
        let stage = try stage()
        try stage.within { session in
            session.send(sequence: 0, category: 1, data: "small")
            let before = stage.sends()
            #expect(self.send(session, 1) == .queued)
            #expect(stage.sends() == before + 1 && session.queuedBytes == 0)
            #expect(session.largestQueuedBytes < 100)
            session.send(sequence: 2, category: 1, data: "small")
        }
        try stage.reactor.turn(times: 2)
        #expect(stage.packets().map(\.sequence) == [0, 1, 2])
        #expect(stage.packets()[1].data == Self.data)
        #expect(stage.session.counters.packetsSent == 3)
        #expect(stage.session.counters.bytesSent == stage.taken())
    }

    /// Before the packet 16 bytes wait, then come its header, its data and its trailer.
    @Test(arguments: [0, 1, 15, 16, 17, 24, 25, 26, 1000, 2024, 2025, 2026, 2027])
    func `what the kernel does not take waits and follows, wherever it stops`(taken: Int) throws {
        let stage = try stage()
        stage.kernel.limitNextSend(to: taken)
        try stage.within { session in
            session.send(sequence: 0, category: 1, data: "small")
            #expect(self.send(session, 1) == .queued)
            #expect(session.queuedBytes == 16 + Self.length - taken)
            // Now the kernel is not asked before it tells that it takes more.
            let before = stage.sends()
            #expect(self.send(session, 2) == .queued)
            #expect((stage.sends() == before) == (taken < 16 + Self.length))
        }
        try stage.reactor.turn(times: 3)
        #expect(stage.packets().map(\.sequence) == [0, 1, 2])
        #expect(stage.packets().dropFirst().allSatisfy { $0.data == Self.data })
        #expect(stage.session.counters.bytesSent == stage.taken() && stage.reasons == [])
    }

    @Test func `in its own batch, too, and the rest is settled at the turn's end`() throws {
        let stage = try stage { session, _ in
            session.onPacket { session, packet in
                for _ in 0..<3 { session.reply(to: packet, data: Self.data) }
            }
        }
        var calls = 0
        stage.kernel.fault = { call, _, _ in
            guard call == .send else { return nil }
            calls += 1
            return calls == 2 ? .atMost(500) : nil
        }
        stage.peers[0].send(wire("x", sequence: 5))
        try stage.reactor.turn(until: { stage.packets().count == 3 })
        #expect(stage.packets().allSatisfy { $0.data == Self.data && $0.sequence == 5 })
        #expect(stage.session.counters.bytesSent == stage.taken())
    }

    @Test func `a connection that has failed ends for that, and the packet is not taken`() throws {
        let stage = try stage()
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EPIPE) : nil }
        try stage.within { session in
            #expect(self.send(session, 1) == .closed)
            #expect(!session.isOpen && session.counters.packetsSent == 0)
        }
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.system(.brokenPipe)])
    }

    @Test(arguments: [OverflowPolicy.close, .refuse])
    func `what exceeds the limit is refused whole`(overflow: OverflowPolicy) throws {
        let stage = try stage(overflow)
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        var outcomes: [SendOutcome] = []
        for number in 0..<Int32(40) { outcomes.append(send(stage.session, number)) }
        let most = (64 << 10) / Self.length
        #expect(outcomes.prefix { $0 == .queued }.count == most && outcomes[most] == .overflow)
        #expect(stage.session.isOpen == (overflow == .refuse))
    }

    @Test func `a session is writable for a high mark's worth a turn, though nothing waits`() throws
    {
        let stage = try stage()
        try stage.within { session in
            var count: Int32 = 0
            while session.isWritable && count < 1000 {
                #expect(self.send(session, count) == .queued)
                count += 1
            }
            #expect(count == (64 << 10) / Int32(Self.length) + 1 && session.queuedBytes == 0)
        }
    }

    @Test func `what a closure writes is dropped when a large packet is sent within it`() throws {
        let stage = try stage()
        try stage.within { session in
            let outcome = session.send(category: 1, capacity: 100) { output in
                output.write("dropped")
                #expect(self.send(session, 1) == .queued)
            }
            #expect(outcome == .interrupted)
        }
        try stage.reactor.turn(times: 2)
        #expect(stage.packets().map(\.sequence) == [1] && stage.packets()[0].data == Self.data)
    }
}
