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
private struct OutboundRun: ~Copyable {
    private let pool = BufferPool(maximumIdleBytes: 1 << 15)
    private var outbound = Outbound(now: 0)
    private var model = OutboundModel(lastSend: 0)
    private var generator: SeededGenerator
    private let source: RandomBytes
    private var now: Int64 = 0
    private var period: UInt32 = .max - 40
    private var low = 0
    private var high = 0
    private var packetCredit = 0
    private(set) var problem: String?
    private(set) var lives = 0
    private(set) var puts = 0
    private(set) var pieces = 0
    private(set) var told = 0
    private(set) var drafts = 0
    private(set) var dropped = 0
    private(set) var runs = 0
    private(set) var longerRuns = 0
    /// Where the last run ended.
    private var runEnd = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Bytes and drafts queued, also empty ones.
    private var queued = 0

    private static var limit: Int { 40_000 }

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

    private mutating func expect(_ isSo: Bool, _ what: String) {
        if !isSo && problem == nil { problem = what }
    }
}

// MARK: - Queueing

extension OutboundRun {
    /// Now and then exactly as much as the credit allows.
    private mutating func sendPacket() {
        var data = [UInt8](source.slice(limit: 4000, using: &generator))
        if outbound.credit >= 11, Int.random(in: 0..<4, using: &generator) == 0 {
            data = Array(repeating: 7, count: Int(outbound.credit) - 11)
        }
        let length = data.count + 11
        let head = generator.next() >> 24
        guard model.writing == .open, model.waiting.count + length <= Self.limit else { return }
        if length > outbound.credit { reserve(length) }
        if length <= outbound.credit {
            let credit = outbound.credit
            outbound.put(head: head, data.span.bytes, length)
            expect(Int(credit) - Int(outbound.credit) == length, "a packet costs its length")
            puts += 1
        } else {
            outbound.putInPieces(head: head, data.span.bytes)
            outbound.countPacket()
            expect(outbound.credit == 0, "credit left after a packet in pieces")
            pieces += 1
        }
        model.packetsSent += 1
        model.queue(
            bigEndian(head, 5) + bigEndian(UInt64(data.count), 4) + data + [13, 10])
    }

    private func bigEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    private mutating func sendBytes() {
        let bytes = source.slice(limit: 9000, using: &generator)
        guard model.writing == .open, model.waiting.count + bytes.count <= Self.limit else {
            return
        }
        reserve(bytes.count)
        outbound.append(bytes)
        queued += 1
        expect(outbound.credit == 0, "credit left for room that is used")
        model.queue([UInt8](bytes))
    }

    /// Bytes that stay where they are; often those that continue the ones before.
    private mutating func forward() {
        var bytes = source.slice(limit: 4000, using: &generator)
        let goesOn = !runEnd.isEmpty && Int.random(in: 0..<2, using: &generator) == 0
        if goesOn { bytes = runEnd }
        guard model.writing == .open, !bytes.isEmpty,
            model.waiting.count + bytes.count <= Self.limit
        else { return }
        let half = UnsafeRawBufferPointer(rebasing: bytes[..<((bytes.count + 1) / 2)])
        let hadRun = outbound.hasRun
        if !model.isBlocked { model.askForRoom(in: period) }
        guard outbound.forward(half, period: period, pool) else {
            expect(
                !model.waiting.isEmpty || model.isBlocked || outbound.draft != .none,
                "nothing keeps it from that")
            return
        }
        model.queue([UInt8](half))
        expect(outbound.credit == 0 && outbound.hasRun, "credit beside a run")
        runEnd = UnsafeRawBufferPointer(rebasing: bytes[half.count...])
        if hadRun { longerRuns += 1 } else { runs += 1 }
        if Int.random(in: 0..<2, using: &generator) == 0 { forward() }
    }

    private mutating func ownRun() {
        if model.writing == .over { model.waiting.removeLast(outbound.hasRun ? outbound.count : 0) }
        outbound.ownRun(pool)
        expect(!outbound.hasRun, "a run that is not copied")
    }

    /// A closure writes all it may. Meanwhile other bytes are queued, or those that wait are
    /// offered, or the session closes, or it changes its mind at the end.
    private mutating func sendDraft() {
        let bytes = [UInt8](source.slice(limit: 4000, using: &generator))
        guard model.writing == .open, model.waiting.count + bytes.count <= Self.limit else {
            return
        }
        if bytes.isEmpty || bytes.count > outbound.credit { reserve(bytes.count) }
        let isInPlace = outbound.hasRoomInPlace(bytes.count)
        expect(isInPlace || bytes.count > outbound.credit || bytes.isEmpty, "no room for credit")
        let (credit, outer, before) = (outbound.credit, outbound.draft, queued)
        let room = outbound.beginDraft(bytes.count, isInPlace: isInPlace, pool)
        expect(outbound.credit == 0 && outbound.draft != .none, "credit beside a draft")
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1:
            outbound.setDraftAside(pool)
            sendBytes()
            sendDraft()
        case 2:
            outbound.setDraftAside(pool)
            offer()
        case 3: endAfterQueue()
        default: break
        }
        room.start.copyMemory(from: bytes, byteCount: bytes.count)
        let (isWhole, isStillInPlace) = (outbound.isDraftWhole, outbound.draft == .inPlace)
        expect(isWhole == (queued == before && model.writing == .open), "dropped: \(!isWhole)")
        if queued > before { dropped += 1 }
        if isWhole && Int.random(in: 0..<4, using: &generator) > 0 {
            outbound.queueDraft(room, bytes.count, pool)
            let left = isStillInPlace ? max(0, Int(credit) - bytes.count) : 0
            expect(Int(outbound.credit) == left, "a draft costs its length")
            model.queue(bytes)
            queued += 1
            drafts += 1
        } else {
            outbound.abandonDraft(room, pool)
            expect(!isWhole || outbound.credit == credit, "an abandoned draft costs something")
        }
        let isOuterDropped = outer != .none && queued > before
        expect(outbound.draft == (isOuterDropped ? .dropped : outer), "the outer draft")
    }

    private mutating func reserve(_ length: Int) {
        outbound.reserve(length, within: high, packetCredit, period: period, pool)
        model.askForRoom(in: period)
        expect(outbound.capacity - outbound.count >= length, "no room for what was reserved")
    }

    private mutating func lendOrTakeBack() {
        if model.isLent {
            outbound.takeBack(pool)
            model.isLent = false
            if model.writing == .over { model.waiting = [] }
        } else {
            outbound.endCredit()
            if outbound.hasRun { ownRun() }
            guard outbound.canBeLent else { return }
            expect(
                model.writing == .open && model.waiting.isEmpty, "lent to one that cannot use it")
            outbound.lend(packetCredit, pool)
            model.isLent = true
            let credit = min(packetCredit, pool.shared.capacity)
            expect(outbound.credit == credit, "credit \(outbound.credit), not \(credit)")
        }
    }
}

// MARK: - Sending

extension OutboundRun {
    private mutating func offer() {
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

    private mutating func endAfterQueue() {
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
