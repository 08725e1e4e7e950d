// Sends that a closure writes: whole or not at all, whatever the closure does.
import Glibc
import Testing

@testable import Tron

/// What the closures of these tests throw.
struct Refused: Error {}

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

// MARK: - Not at all

extension SessionEncodingTests {
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

/// One session whose sink takes now less, now more, beside the bytes that it was to take.
private final class EncodingRun {
    private let stage: SinkBench
    private var generator: SeededGenerator
    private let source: RandomBytes
    private var expected: [UInt8] = []
    private(set) var problem: String?
    private(set) var drafts: [Draft: Int] = [:]
    private(set) var refused: [SendOutcome: Int] = [:]
    private(set) var thrown = 0
    private var queuedSends = 0

    private var session: Session { stage.session }

    init(seed: UInt64) throws {
        generator = SeededGenerator(seed: seed)
        source = RandomBytes(using: &generator)
        var options = SinkBench.options
        options.limits.maximumQueuedBytes = 40_000
        options.limits.outputHighWatermark = 20_000
        options.limits.outputLowWatermark = 5000
        options.overflow = .refuse
        stage = try SinkBench(options)
    }

    private func random(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }

    func perform() throws {
        switch random(0...9) {
        case 0: try turn(taking: random(0...20) == 0 ? .max : random(1...6000))
        case 1: note(session.send(bytes: piece), self.lastPiece)
        case 2:
            note(session.send(category: 3, data: piece), packet(3, lastPiece))
        default: try draft(depth: 0)
        }
        if !session.outbound.invariantHolds { problem = problem ?? "the invariant" }
        if session.queuedBytes + stage.taken() != expected.count {
            problem = problem ?? "other bytes wait"
        }
    }

    /// Everything leaves, and is what it ought to be.
    func end() throws {
        try turn(taking: .max)
        try turn(taking: .max)
        if stage.sink.taken[stage.kernel.accepted[0]] != expected {
            problem = problem ?? "other bytes were sent"
        }
    }

    private func turn(taking most: Int) throws {
        stage.kernel.fault = { call, _, _ in call == .send ? .atMost(most) : nil }
        try stage.reactor.turn()
    }

    private var lastPiece: [UInt8] = []
    private var piece: [UInt8] {
        lastPiece = [UInt8](source.slice(limit: 4000, using: &generator))
        return lastPiece
    }

    private func packet(_ category: UInt8, _ data: [UInt8]) -> [UInt8] {
        OwnedPacket(category: category, data: data).wireBytes
    }

    private func note(_ outcome: SendOutcome, _ bytes: [UInt8]) {
        guard outcome == .queued else {
            refused[outcome, default: 0] += 1
            return
        }
        expected += bytes
        queuedSends += 1
    }

    /// What a closure does between its two halves. Its own bytes are expected only if it is queued.
    private func draft(depth: Int) throws {
        let (first, second) = (piece, piece)
        let isPacket = Bool.random(using: &generator)
        let spare = random(0...200)
        let capacity = max(0, first.count + second.count + (random(0...9) == 0 ? -spare : spare))
        let deed = random(0...14)
        let (before, sends) = (expected.count, queuedSends)
        do throws(Refused) {
            let encode: (inout ByteWriter) throws(Refused) -> Void = { output throws(Refused) in
                self.drafts[self.session.outbound.draft, default: 0] += 1
                output.write(first)
                switch deed {
                case 0: self.note(self.session.send(bytes: self.piece), self.lastPiece)
                case 1:
                    let outcome = self.session.send(category: 4, data: self.piece)
                    self.note(outcome, self.packet(4, self.lastPiece))
                case 2 where depth < 3: try? self.draft(depth: depth + 1)
                case 3: throw Refused()
                default: break
                }
                output.write(second)
            }
            let outcome =
                isPacket
                ? try session.send(category: 5, capacity: capacity, encode)
                : try session.send(bytesCapacity: capacity, encode)
            let bytes = first + second
            note(outcome, isPacket ? packet(5, bytes) : bytes)
            if outcome == .queued && expected.count - before > bytes.count + 11 {
                problem = problem ?? "queued though something else was meanwhile"
            }
            if outcome == .queued && capacity < bytes.count { problem = problem ?? "an overrun" }
            if outcome == .interrupted && queuedSends == sends {
                problem = problem ?? "interrupted by what was not queued"
            }
        } catch {
            thrown += 1
        }
    }
}
