// What a session keeps of what it received, without a socket, against an array and plain flags.
import Testing

@testable import Tron

@Suite struct InboundModelTests {
    @Test(arguments: [false, true])
    func `random calls agree with an array and flags`(ofPackets: Bool) {
        var run = InboundWalk(seed: RandomRun.seed, ofPackets: ofPackets)
        for step in 0..<RandomRun.operations / 2 {
            run.perform()
            if let problem = run.problem {
                Issue.record("\(problem), TRON_SEED=\(RandomRun.seed), step \(step)")
                break
            }
        }
        run.begin()
        guard RandomRun.meetsEveryKind else { return }
        #expect(run.lives > 10 && run.taken > 100 && run.keepings > 100 && run.resumptions > 100)
    }
}

/// One session after another beside its model, driven as a session drives it.
private struct InboundWalk: ~Copyable {
    private let pool = BufferPool(maximumIdleBytes: 1 << 15)
    private let ofPackets: Bool
    private var inbound = Inbound(now: 1)
    private var model = InboundModel(lastReceive: 1)
    private var generator: SeededGenerator
    private let source: RandomBytes
    private var now: Int64 = 1
    /// What the peer has written and the kernel has not handed over.
    private var unread: [UInt8] = []
    private(set) var problem: String?
    private(set) var lives = 0
    private(set) var taken = 0
    private(set) var keepings = 0
    private(set) var resumptions = 0

    private static var maximumDataLength: Int { 12_000 }

    init(seed: UInt64, ofPackets: Bool) {
        generator = SeededGenerator(seed: seed)
        source = RandomBytes(using: &generator)
        self.ofPackets = ofPackets
    }

    mutating func begin() {
        inbound.release(to: pool)
        expect(!inbound.hasKept && inbound.keptSince == 0, "kept after the release")
        inbound = Inbound(now: now)
        model = InboundModel(lastReceive: now)
        unread = []
        lives += 1
    }

    mutating func perform() {
        now += Int64.random(in: 0...2, using: &generator)
        switch Int.random(in: 0..<256, using: &generator) {
        case 0..<100: write()
        case 100..<180: receive()
        case 180..<200: pause(Bool.random(using: &generator) ? .user : .watermark)
        case 200..<245: resume(Bool.random(using: &generator) ? .user : .watermark)
        case 245..<250: peerEnds()
        case 250..<252: leave()
        default: drop()
        }
        check()
    }

    private mutating func expect(_ isSo: Bool, _ what: String) {
        if !isSo && problem == nil { problem = what }
    }
}

// MARK: - What comes

extension InboundWalk {
    private mutating func write() {
        guard unread.count < 30_000 else { return }
        let limit = Int.random(in: 0..<8, using: &generator) == 0 ? Self.maximumDataLength : 200
        let data = source.slice(limit: limit, using: &generator)
        unread += [0, 0, 0, 1, 7, 0, 0, UInt8(data.count >> 8), UInt8(data.count & 255)]
        unread += data + [13, 10]
    }

    /// Some of what the peer has written, a part of it straight behind what is kept; or nothing.
    private mutating func receive() {
        guard model.isReading else { return }
        let count = Int.random(in: 0...unread.count, using: &generator)
        var fresh = unread.prefix(count)
        unread.removeFirst(count)
        if !model.kept.isEmpty {
            let room = inbound.roomBehindKept(
                lacking: ofPackets ? nil : .max, Self.maximumDataLength, atMost: 3000, pool)
            expect(room.count <= 3000, "more room than allowed")
            let first = fresh.prefix(room.count)
            room.copyBytes(from: first)
            inbound.commit(first.count)
            model.kept += first
            fresh = fresh.dropFirst(first.count)
        }
        if count > 0 {
            inbound.noteReceived(count, now: now)
            model.lastReceive = now
            model.bytes += count
        }
        deliver([UInt8](fresh))
    }

    /// As `Session.deliver` does, once.
    private mutating func deliver(_ bytes: [UInt8]) {
        let before = inbound.keptCount + bytes.count
        var expected = model.kept + bytes
        inbound.beginBatch()
        model.isInterrupted = false
        bytes.withUnsafeBytes { bytes in
            var fresh = bytes
            while takeOne(&fresh, &expected) && !model.isInterrupted {}
            inbound.keep(fresh, ofPackets ? Self.maximumDataLength : nil, pool)
        }
        guard inbound.isLive else {
            model.kept = [UInt8](inbound.keptBytes)
            return
        }
        inbound.settleKept(consumed: inbound.keptCount != before, now: now, pool)
        if expected.isEmpty {
            model.keptSince = 0
        } else if expected.count < before || model.keptSince == 0 {
            model.keptSince = now
            keepings += 1
        }
        model.kept = expected
    }

    /// Whether there was one, and perhaps is another.
    private mutating func takeOne(
        _ fresh: inout UnsafeRawBufferPointer, _ expected: inout [UInt8]
    ) -> Bool {
        let count = ofPackets ? takePacket(&fresh, expected) : takeBytes(&fresh, expected)
        guard count > 0 else { return false }
        expected.removeFirst(count)
        inbound.countPacket()
        taken += 1
        if Int.random(in: 0..<16, using: &generator) == 0 {
            inbound.uncountHeartbeat()
            model.hasHeartbeat = true
        } else {
            model.packets += 1
        }
        if Int.random(in: 0..<16, using: &generator) == 0 {
            inbound.interrupt()
            model.isInterrupted = true
        }
        if Int.random(in: 0..<32, using: &generator) == 0 { pause(.user) }
        return true
    }

    /// The length of the packet that is due now; 0 for none.
    private mutating func takePacket(
        _ fresh: inout UnsafeRawBufferPointer, _ expected: [UInt8]
    ) -> Int {
        let length = expected.count < 9 ? 9 : Int(expected[7]) << 8 + Int(expected[8]) + 11
        switch inbound.next(&fresh, Self.maximumDataLength, pool) {
        case .packet(_, let data):
            let isWhole = expected.count >= length && data.equals(expected[9..<length - 2])
            expect(isWhole, "another packet than was sent")
            return isWhole ? length : 0
        case .needsMore: expect(expected.count < length, "a whole packet is not seen")
        case .fault(let fault): expect(false, "\(fault)")
        }
        return 0
    }

    private mutating func takeBytes(
        _ fresh: inout UnsafeRawBufferPointer, _ expected: [UInt8]
    ) -> Int {
        if inbound.hasKept {
            inbound.keep(fresh, nil, pool)
            fresh = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let isKept = inbound.hasKept
        let given = isKept ? inbound.keptBytes : fresh
        expect(given.equals(expected[...]), "other bytes than were sent")
        let count = Int.random(in: 0...expected.count, using: &generator)
        if isKept {
            inbound.consumeKept(count)
        } else {
            fresh = UnsafeRawBufferPointer(rebasing: fresh.dropFirst(count))
        }
        return count
    }
}

// MARK: - What reading means

extension InboundWalk {
    private mutating func pause(_ who: Pauses) {
        inbound.pause(by: who)
        guard model.phase == .live else { return }
        model.pauses.insert(who)
        model.isInterrupted = true
    }

    private mutating func resume(_ who: Pauses) {
        let goesOn = model.phase == .live && model.pauses == who
        expect(inbound.resume(by: who, now: now) == goesOn, "goes on: \(!goesOn)")
        if model.phase == .live { model.pauses.remove(who) }
        guard goesOn else { return }
        resumptions += 1
        model.peerHasEnded = false
        model.lastReceive = now
        if !model.kept.isEmpty { model.keptSince = now }
    }

    private mutating func peerEnds() {
        let isNew = model.phase == .live && !model.pauses.isEmpty && !model.peerHasEnded
        expect(inbound.peerHasEnded() == isNew, "new: \(!isNew)")
        if isNew { model.peerHasEnded = true }
    }

    /// A step towards the end; after the last one another session follows.
    private mutating func leave() {
        switch model.phase {
        case .live where Bool.random(using: &generator):
            inbound.discard()
            model.isInterrupted = true
            model.phase = .discarding
        case .live where model.isReading, .discarding:
            inbound.finish()
            model.phase = .finished
        case .live, .finished:
            inbound.end()
            model.isInterrupted = true
            model.phase = .over
        case .over: begin()
        }
    }

    /// What a session that closes still reads.
    private mutating func drop() {
        guard model.phase == .discarding else { return }
        inbound.noteDiscarded(100)
        model.bytes += 100
    }

    private mutating func check() {
        if problem == nil { problem = model.disagreement(with: inbound) }
    }
}
