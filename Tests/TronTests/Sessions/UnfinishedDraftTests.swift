// What a closure writes that does not come to its end: nothing of it is sent.
import Testing

@testable import Tron

@Suite struct UnfinishedDraftTests {
    /// What a closure does to its session, and what the send then says; nil when it throws.
    struct Attempt: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let outcome: SendOutcome?
        var inner: [UInt8] = []
        var isOpenAfterwards = true
        let work: @Sendable (Session, inout ByteWriter) throws(Refused) -> Void

        static func throwing(_ output: inout ByteWriter) throws(Refused) { throw Refused() }

        static let all = [
            Attempt(testDescription: "throws", outcome: nil) { _, output throws(Refused) in
                try throwing(&output)
            },
            Attempt(testDescription: "overruns", outcome: .overCapacity) { _, output in
                output.write([UInt8](repeating: 1, count: 51))
            },
            Attempt(testDescription: "sends a packet", outcome: .interrupted, inner: wire("in")) {
                session, _ in
                #expect(session.send(category: 1, data: "in") == .queued)
            },
            Attempt(testDescription: "sends bytes", outcome: .interrupted, inner: [1, 2]) {
                session, _ in
                #expect(session.send(bytes: [1, 2]) == .queued)
            },
            Attempt(testDescription: "sends no bytes", outcome: .interrupted) { session, _ in
                #expect(session.send(bytes: "") == .queued)
            },
            Attempt(testDescription: "sends by closure", outcome: .interrupted, inner: [8, 9]) {
                session, _ in
                let inner = session.send(bytesCapacity: 4) { $0.write([8, 9]) }
                #expect(inner == .queued)
            },
            Attempt(testDescription: "sends much", outcome: .interrupted, inner: Self.much) {
                session, _ in
                for _ in 0..<20 { session.send(bytesCapacity: 2000) { $0.write(Self.piece) } }
                for _ in 0..<20 { session.send(bytes: Self.piece) }
            },
            Attempt(testDescription: "sends and throws", outcome: nil, inner: [3]) {
                session, output throws(Refused) in
                session.send(bytes: [3])
                try throwing(&output)
            },
            Attempt(testDescription: "closes", outcome: .closed, isOpenAfterwards: false) {
                session, _ in
                session.close()
                #expect(session.send(category: 1, capacity: 1) { _ in } == .closed)
            },
            Attempt(testDescription: "closes writing", outcome: .closed, isOpenAfterwards: false) {
                session, _ in session.closeWriting()
            },
            Attempt(
                testDescription: "sends and closes", outcome: .closed, inner: [4],
                isOpenAfterwards: false
            ) { session, _ in
                session.send(bytes: [4])
                session.close()
            },
            Attempt(
                testDescription: "sends too much", outcome: .queued,
                inner: wire(String(repeating: "w", count: 40))
            ) { session, _ in
                let data = [UInt8](repeating: 1, count: 2 << 20)
                #expect(session.send(category: 1, data: data) == .tooLarge)
            },
        ]
        private static let piece = [UInt8](repeating: 0x70, count: 2000)
        private static let much = Array(repeatElement(piece, count: 40).joined())
    }

    /// What is before, within and behind it leaves in order, and nothing of the closure's own, by
    /// which the credit cannot have been spoilt.
    private func attempt(_ attempt: Attempt, on session: Session) {
        session.send(bytes: "<")
        for _ in 0..<2 {
            var outcome: SendOutcome?
            do throws(Refused) {
                outcome = try session.send(category: 1, capacity: 50) { output throws(Refused) in
                    output.write(String(repeating: "w", count: 20))
                    try attempt.work(session, &output)
                    output.write(String(repeating: "w", count: 20))
                }
            } catch {}
            #expect(outcome == attempt.outcome && session.outbound.invariantHolds)
            #expect(session.outbound.draft == .none && session.isOpen == attempt.isOpenAfterwards)
            if !session.isOpen { return }
        }
        for _ in 0..<3 { session.send(category: 2, data: "after") }
    }

    private func expected(_ attempt: Attempt) -> [UInt8] {
        let start: [UInt8] = [0x3c]
        guard attempt.isOpenAfterwards else { return start + attempt.inner }
        let after = wire("after", category: 2)
        return start + attempt.inner + attempt.inner + after + after + after
    }

    @Test(arguments: Attempt.all)
    func `nothing is sent of a closure that does not come to its end`(_ attempt: Attempt) throws {
        let stage = try SinkBench()
        self.attempt(attempt, on: stage.session)
        try stage.reactor.turn(times: 2)
        #expect(stage.sink.taken[stage.kernel.accepted[0]] == expected(attempt))
    }

    @Test(arguments: Attempt.all)
    func `nor of one in the batch of a handler, which writes into the shared block`(
        _ attempt: Attempt
    ) throws {
        let bench = try Bench { session, _ in
            session.onPacket { session, _ in
                session.send(bytes: "")
                self.attempt(attempt, on: session)
            }
        }
        let peer = try bench.connect()
        peer.send(wire("go"))
        let expected = expected(attempt)
        try bench.reactor.turn(until: { peer.drained.received.count >= expected.count })
        #expect(peer.received == expected)
        #expect(bench.sessions[0].buffers.checkInvariant())
    }

    @Test func `an abort within a closure ends the session and sends nothing of it`() throws {
        let stage = try SinkBench()
        let outcome = stage.session.send(category: 1, capacity: 50) { output in
            output.write("lost")
            stage.session.abort()
            output.write("lost")
        }
        #expect(outcome == .closed && stage.session.counters.packetsSent == 0)
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.aborted] && stage.taken() == 0)
    }

    @Test func `the close of another session within a closure does not touch this one`() throws {
        let stage = try SinkBench()
        try stage.connect()
        let other = stage.bench.sessions[1]
        for end in [{ other.close() }, { other.abort() }] {
            let outcome = stage.session.send(category: 1, capacity: 50) { output in
                output.write("he")
                other.send(category: 1, data: "to another")
                end()
                output.write("re")
            }
            #expect(outcome == .queued)
        }
        try stage.reactor.turn(times: 2)
        #expect(stage.packets().map(\.text) == ["here", "here"])
    }

    @Test func `only closures that wanted to send count as refused`() throws {
        let stage = try SinkBench()
        let session = stage.session
        session.send(category: 1, capacity: 0) { $0.writeByte(1) }
        session.send(bytesCapacity: 4) { _ in session.send(bytes: "x") }
        _ = try? session.send(category: 1, capacity: 9) { _ throws(Refused) in
            throw Refused()
        }
        #expect(session.counters.packetsRefused == 2 && session.counters.packetsSent == 0)
    }
}
