// Sends that a closure writes: as it wrote them, in place or aside, and within the limits.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionEncodingTests {
    @Test func `packets and bytes leave as their closures wrote them`() throws {
        let stage = try SinkBench()
        let session = stage.session
        let packet = session.send(sequence: 5, category: 7, capacity: 100) { output in
            output.write("value ")
            output.writeDecimal(42)
        }
        let bytes = session.send(bytesCapacity: 3) { $0.writeByte(9) }
        let empty = session.send(category: 1, capacity: 0) { _ in }
        let nothing = session.send(bytesCapacity: 0) { _ in }
        #expect([packet, bytes, empty, nothing].allSatisfy { $0 == .queued })
        let expected = wire("value 42", sequence: 5, category: 7) + [9] + wire("")
        #expect(session.queuedBytes == expected.count)
        #expect(session.counters.packetsSent == 2 && session.counters.packetsRefused == 0)
        try stage.reactor.turn()
        #expect(stage.sink.taken[stage.kernel.accepted[0]] == expected)
    }

    @Test func `a handler's closure answers in place, now or later`() throws {
        var address: ReplyAddress?
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                address = session.replyAddress(of: packet)
                session.reply(to: packet, capacity: packet.data.byteCount + 3) { output in
                    #expect(session.outbound.draft == .inPlace && session.outbound.isLent)
                    output.write(packet.data)
                    output.write("!")
                }
                session.send(bytesCapacity: 20) { output in
                    #expect(session.outbound.draft == .inPlace)
                    output.write(wire("raw"))
                }
            }
        }
        let peer = try bench.connect()
        peer.send(wire("ping", sequence: 3, category: 4))
        try bench.reactor.turn(until: { peer.drained.packets.count == 2 })
        #expect(peer.received == wire("ping!", sequence: 3, category: 4) + wire("raw"))
        let later = try #require(address)
        #expect(bench.reactor.reply(to: later, capacity: 9) { $0.write("later") } == .queued)
        try bench.reactor.turn(until: { peer.drained.packets.count == 3 })
        #expect(peer.packets[2].sequence == 3 && peer.texts[2] == "later")
        peer.close()
        try bench.turnUntilClosed()
        var isCalled = false
        #expect(bench.reactor.reply(to: later, capacity: 9) { _ in isCalled = true } == .closed)
        #expect(!isCalled)
    }

    @Test func `random sends through closures leave just what was accepted`() throws {
        let run = try EncodingRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations / 10 {
            try run.perform()
            if let problem = run.problem {
                Issue.record("\(problem), TRON_SEED=\(RandomRun.seed), step \(step)")
                break
            }
        }
        try run.end()
        #expect(run.problem == nil, "TRON_SEED=\(RandomRun.seed)")
        guard RandomRun.meetsEveryKind else { return }
        let (inPlace, aside) = (run.drafts[.inPlace] ?? 0, run.drafts[.aside] ?? 0)
        #expect(inPlace > 100 && aside > 10, "\(inPlace), \(aside)")
        let refusals: [SendOutcome] = [.interrupted, .overCapacity, .overflow, .tooLarge]
        #expect(refusals.allSatisfy { run.refused[$0, default: 0] > 3 }, "\(run.refused)")
        #expect(run.thrown > 10, "TRON_SEED=\(RandomRun.seed)")
    }
}

// MARK: - Limits

extension SessionEncodingTests {
    @Test func `a capacity beyond the limits is refused before the closure runs`() throws {
        var options = SinkBench.options
        options.limits.maximumQueuedBytes = 64 << 10
        options.overflow = .refuse
        let stage = try SinkBench(options)
        let session = stage.session
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        var calls = 0
        func send(bytes capacity: Int) -> SendOutcome {
            session.send(bytesCapacity: capacity) { _ in calls += 1 }
        }
        func send(packet capacity: Int) -> SendOutcome {
            session.send(category: 1, capacity: capacity) { _ in calls += 1 }
        }
        #expect(send(packet: 4097) == .tooLarge && send(packet: .max) == .tooLarge)
        #expect(send(bytes: (64 << 10) + 1) == .overflow && send(bytes: .max) == .overflow)
        #expect(calls == 0 && session.queuedBytes == 0)
        #expect(send(packet: 4096) == .queued && send(bytes: 64 << 10 - 11) == .queued)
        #expect(calls == 2 && session.queuedBytes == 11)
        #expect(send(bytes: .max) == .overflow && send(packet: .max) == .tooLarge && calls == 2)
        #expect(send(packet: -1) == .queued && send(bytes: .min) == .queued && calls == 4)
        #expect(session.send(bytesCapacity: -1) { $0.writeByte(1) } == .overCapacity)
        session.send(bytes: [UInt8](repeating: 0, count: 64 << 10 - 22))
        #expect(send(packet: 1) == .overflow && send(bytes: 1) == .overflow && calls == 4)
        session.close()
        #expect(send(packet: 1) == .closed && send(bytes: 1) == .closed && calls == 4)
        #expect(send(packet: .max) == .closed && calls == 4)
    }

    @Test func `the kernel is offered what waits before a capacity is refused`() throws {
        var options = SinkBench.options
        options.limits.maximumQueuedBytes = 64 << 10
        let stage = try SinkBench(options)
        for number in 0..<100 {
            let outcome = stage.session.send(category: 1, capacity: 4000) { output in
                output.write([UInt8](repeating: UInt8(number), count: 3000))
            }
            try #require(outcome == .queued, "packet \(number)")
        }
        try stage.reactor.turn()
        #expect(stage.packets().map { $0.data[2999] } == (0..<100).map { UInt8($0) })
        #expect(stage.reasons == [])
    }

    @Test func `a peer that takes nothing is ended for its overflow`() throws {
        let stage = try SinkBench()
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        #expect(stage.session.send(bytesCapacity: 1 << 30) { _ in } == .overflow)
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.overflow(bytes: 1 << 30)])
    }

    @Test func `reading pauses by what was written and not by the capacity`() throws {
        let stage = try SinkBench()
        let session = stage.session
        session.send(bytesCapacity: 100 << 10) { $0.writeByte(1) }
        #expect(session.inbound.isReading && session.queuedBytes == 1)
        session.send(bytesCapacity: 100 << 10) { output in
            output.write([UInt8](repeating: 1, count: 100 << 10))
        }
        let isReading = session.inbound.isReading
        #expect(!isReading)
        try stage.reactor.turn()
        #expect(session.inbound.isReading && stage.taken() == (100 << 10) + 1)
    }

    @Test func `every block comes back to the pool, dropped drafts' blocks too`() throws {
        let stage = try SinkBench()
        let pool = stage.session.buffers
        let before = pool.idleBytes
        stage.session.send(bytesCapacity: 10) { _ in stage.session.send(bytes: "x") }
        try stage.reactor.turn()
        #expect(stage.session.outbound.capacity == 0 && pool.idleBytes == before + 2 * 8192)
        stage.session.send(bytesCapacity: 10) { _ in stage.session.send(bytes: "x") }
        try stage.reactor.turn()
        #expect(pool.idleBytes == before + 2 * 8192 && pool.checkInvariant() && stage.taken() == 2)
    }
}
