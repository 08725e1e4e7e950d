// What a random run queues on a sending half: packets, bytes, runs, and what closures write.
@testable import Tron

extension OutboundRun {
    /// Now and then exactly as much as the credit allows.
    mutating func sendPacket() {
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

    mutating func sendBytes() {
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
    mutating func forward() {
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

    mutating func ownRun() {
        if model.writing == .over { model.waiting.removeLast(outbound.hasRun ? outbound.count : 0) }
        outbound.ownRun(pool)
        expect(!outbound.hasRun, "a run that is not copied")
    }

    /// A closure writes all it may. Meanwhile other bytes are queued, or those that wait are
    /// offered, or the session closes, or it changes its mind at the end.
    mutating func sendDraft() {
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

    mutating func lendOrTakeBack() {
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
