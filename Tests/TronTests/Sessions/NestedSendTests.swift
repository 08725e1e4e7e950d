// Sends within a closure that writes a packet: only what is queued there ends the closure's own.
import Glibc
import Testing

@testable import Tron

@Suite struct NestedSendTests {
    /// What lies in the outbound buffer, and what the kernel takes of it, when a closure within
    /// which something is refused begins.
    enum Queued: CaseIterable {
        case nothing, taken, takenInPart, blocked
    }

    /// A session that refuses what is too much, with 1000 bytes at the most.
    private func narrowStage(_ queued: Queued) throws -> SinkBench {
        var options = SinkBench.options
        options.limits.maximumDataLength = 100
        options.limits.maximumQueuedBytes = 1000
        options.limits.outputHighWatermark = 1000
        options.limits.outputLowWatermark = 100
        options.overflow = .refuse
        let stage = try SinkBench(options)
        stage.kernel.fault = { call, _, _ in
            guard call == .send else { return nil }
            switch queued {
            case .nothing, .taken: return nil
            case .takenInPart: return .atMost(100)
            case .blocked: return .error(EAGAIN)
            }
        }
        return stage
    }

    private static let before = [UInt8](repeating: 0x62, count: 300)

    /// Refused by the room that there is, by the size, and by its own closure's doing.
    private func refuse(on session: Session) {
        let much = [UInt8](repeating: 1, count: 1001)
        #expect(session.send(bytes: much) == .overflow)
        #expect(session.send(category: 1, data: much) == .tooLarge)
        #expect(session.send(bytesCapacity: 1001) { _ in } == .overflow)
        #expect(session.send(bytesCapacity: 1) { $0.write("two") } == .overCapacity)
        let outer = session.send(bytesCapacity: 9) { output in
            output.write("outer")
            #expect(session.send(category: 1, capacity: 1) { $0.write("two") } == .overCapacity)
            #expect(session.send(bytes: much) == .overflow)
            output.write([UInt8](repeating: 1, count: 9))
        }
        #expect(outer == .overCapacity)
        _ = try? session.send(category: 1, capacity: 9) { output throws(Refused) in
            output.write("thrown")
            throw Refused()
        }
    }

    @Test(arguments: Queued.allCases)
    func `what is refused within a closure does not touch what the closure writes`(
        _ queued: Queued
    ) throws {
        let stage = try narrowStage(queued)
        let session = stage.session
        if queued != .nothing { session.send(bytes: Self.before) }
        let credit = session.outbound.credit
        for (text, capacity) in [("first", 20), ("second", 90)] {
            let outcome = session.send(category: 1, capacity: capacity) { output in
                output.write(text)
                refuse(on: session)
                output.write(" whole")
                #expect(session.outbound.invariantHolds && session.outbound.credit == 0)
            }
            #expect(outcome == .queued && session.outbound.invariantHolds)
            #expect(session.outbound.draft == .none)
        }
        session.send(category: 1, data: "last")
        stage.kernel.fault = { _, _, _ in nil }
        try stage.reactor.turn(times: 2)
        let expected =
            (queued == .nothing ? [] : Self.before)
            + ["first whole", "second whole", "last"].flatMap { wire($0) }
        #expect(stage.sink.taken[stage.kernel.accepted[0]] == expected)
        #expect(session.buffers.checkInvariant() && credit >= 0)
    }

    @Test func `what is queued two closures deep interrupts both`() throws {
        let stage = try narrowStage(.taken)
        let session = stage.session
        let outer = session.send(bytesCapacity: 20) { output in
            output.write("outer")
            let inner = session.send(bytesCapacity: 20) { output in
                output.write("inner")
                session.send(bytes: "innermost")
            }
            #expect(inner == .interrupted)
            output.write("outer")
        }
        #expect(outer == .interrupted)
        try stage.reactor.turn()
        #expect(stage.sink.taken[stage.kernel.accepted[0]] == Array("innermost".utf8))
    }

    @Test func `an overflow within a closure that ends the session ends the closure's send`()
        throws
    {
        let stage = try SinkBench()
        let much = [UInt8](repeating: 1, count: 5 << 20)
        let outcome = stage.session.send(category: 1, capacity: 20) { output in
            output.write("lost")
            #expect(stage.session.send(bytes: much) == .overflow)
        }
        #expect(outcome == .closed)
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.overflow(bytes: much.count)] && stage.taken() == 0)
    }
}
