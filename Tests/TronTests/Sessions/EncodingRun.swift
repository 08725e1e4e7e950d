// Random sends through closures, beside the bytes that ought to leave.
@testable import Tron

/// What the closures of these tests throw.
struct Refused: Error {}

/// One session whose sink takes now less, now more, beside the bytes that it was to take.
final class EncodingRun {
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
