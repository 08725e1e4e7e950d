// The sending half of a session without a socket: order, credit, room, what the user is told.
import Testing

@testable import Tron

@Suite struct OutboundTests {
    @Test func `random operations agree with an array of what waits`() {
        var run = OutboundRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations {
            run.perform()
            if let problem = run.problem {
                Issue.record("\(problem), TRON_SEED=\(RandomRun.seed), step \(step)")
                break
            }
        }
        // It ends, and then gives back what it has.
        run.end()
        run.end()
        guard RandomRun.meetsEveryKind else { return }
        #expect(run.lives > 10 && run.puts > 100 && run.pieces > 100 && run.told > 0)
        #expect(run.runs > 20 && run.longerRuns > 5, "\(run.runs), \(run.longerRuns)")
        #expect(run.drafts > 50 && run.dropped > 10, "\(run.drafts), \(run.dropped)")
    }
}

/// One session after another beside its model, driven as a session drives it.
struct OutboundRun: ~Copyable {
    let pool = BufferPool(maximumIdleBytes: 1 << 15)
    var outbound = Outbound(now: 0)
    var model = OutboundModel(lastSend: 0)
    var generator: SeededGenerator
    let source: RandomBytes
    private var now: Int64 = 0
    var period: UInt32 = .max - 40
    private var low = 0
    var high = 0
    var packetCredit = 0
    private(set) var problem: String?
    private(set) var lives = 0
    var puts = 0
    var pieces = 0
    private(set) var told = 0
    var drafts = 0
    var dropped = 0
    var runs = 0
    var longerRuns = 0
    /// Where the last run ended.
    var runEnd = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Bytes and drafts queued, also empty ones.
    var queued = 0

    static var limit: Int { 40_000 }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        source = RandomBytes(using: &generator)
        begin()
    }

    private mutating func begin() {
        outbound = Outbound(now: now)
        model = OutboundModel(lastSend: now)
        high = Int(generator.nextOfAnyMagnitude() % 20_000)
        low = Int.random(in: 0...high, using: &generator)
        packetCredit = min(high, Int.random(in: 11...9000, using: &generator))
        lives += 1
    }

    mutating func perform() {
        now += 1
        switch Int.random(in: 0..<512, using: &generator) {
        case 0..<140: sendPacket()
        case 140..<170: sendDraft()
        case 170..<210: sendBytes()
        case 210..<270: lendOrTakeBack()
        case 270..<350: offer()
        case 350..<370: unblock()
        case 370..<430: flush()
        case 430..<440: tell()
        case 440..<480: forward()
        case 480..<490: ownRun()
        case 490..<508: askWritable()
        case 508..<511: endAfterQueue()
        default: end()
        }
        check()
    }

    mutating func expect(_ isSo: Bool, _ what: String) {
        if !isSo && problem == nil { problem = what }
    }
}

// MARK: - Sending

extension OutboundRun {
    mutating func offer() {
        guard model.writing != .over, !model.waiting.isEmpty else { return }
        let isAll = Int.random(in: 0..<3, using: &generator) == 0
        let waiting = model.waiting.count
        let count = isAll ? waiting : Int.random(in: 0...waiting, using: &generator)
        outbound.noteOffered(taken: count, now: now)
        model.send(count, at: now)
        expect(outbound.credit == 0, "credit beside what was offered")
    }

    private mutating func unblock() {
        outbound.unblock()
        model.isBlocked = false
    }

    /// The output phase, after which another period begins.
    private mutating func flush() {
        guard !model.isLent else { return }
        outbound.endCredit()
        if !model.isBlocked { offer() }
        if model.waiting.isEmpty && model.writing != .over {
            outbound.release(to: pool)
            expect(outbound.capacity == 0, "an empty one keeps its block")
            if model.writing == .ending {
                outbound.finish()
                model.writing = .finished
            }
        }
        period &+= UInt32.random(in: 0...2, using: &generator)
    }
}

// MARK: - Telling and ending

extension OutboundRun {
    private mutating func tell() {
        var expected: Bool?
        if model.writing == .open && !model.isTold && model.waiting.count <= low { expected = true }
        if model.writing == .open && model.isTold && model.waiting.count > high { expected = false }
        let isWritable = outbound.writabilityToTell(low: low, high: high)
        expect(isWritable == expected, "told \(String(describing: isWritable))")
        guard let isWritable else { return }
        expect(isWritable != model.isTold, "told what it knew")
        model.isTold = isWritable
        told += 1
    }

    private mutating func askWritable() {
        guard model.writing != .over else { return }
        model.askForRoom(in: period)
        let isRoom = model.waiting.count <= high && model.queuedSinceAsked < max(1, high)
        expect(outbound.hasRoom(high, period: period) == isRoom, "room: \(!isRoom)")
        if !isRoom && model.writing == .open {
            outbound.noteToldUnwritable()
            model.isTold = false
        }
    }

    mutating func endAfterQueue() {
        outbound.endAfterQueue()
        if model.writing == .open { model.writing = .ending }
        expect(outbound.credit == 0, "credit to one that takes no more")
    }

    /// The first time it ends; the second time another follows.
    mutating func end() {
        if model.writing != .over {
            outbound.end()
            model.writing = .over
            model.isBlocked = false
            model.holdsBack = false
            return check()
        }
        if model.isLent { outbound.takeBack(pool) }
        outbound.release(to: pool)
        expect(outbound.isEmpty && outbound.capacity == 0, "memory kept after the end")
        expect(outbound.largestCount == model.largest, "the largest count is forgotten")
        begin()
    }

    private mutating func check() {
        if problem == nil {
            problem = model.disagreement(
                with: outbound, high: high, packetCredit: packetCredit)
        }
    }
}
