// What the users of sessions send: as packets, as bytes, by closures; and how that was taken.
import TronTestKit

@testable import Tron

/// A closure that writes what is sent, and what it did besides.
private struct SendingClosure {
    struct Failure: Error {}

    /// How many others it is called within.
    let depth: Int
    var wasCalled = false
    var isInterrupted = false
    var writesTooMuch = false
    var hasThrown = false
}

extension World {
    /// Sends one packet, as a packet or as bytes. Within a closure that writes another it is
    /// `depth` closures deep.
    func send(on record: SessionRecord, depth: Int = 0) {
        if chance.hits(150) { record.askWritable() }
        let most =
            isHeavy
            ? 12_000 : chance.pick(0, 30, 30, 400, record.options.limits.maximumDataLength + 1)
        let packet = WirePacket(
            sequence: chance.pick(-1, -1, Int32.min), category: WirePacket.plain,
            number: UInt64(run.nextSerial()), length: chance.below(most + 1))
        let isRaw = chance.hits(200) && packet.length <= record.options.limits.maximumDataLength
        if chance.hits(20) { askForTooMuchRoom(on: record) }
        record.isGiven(packet)
        let offers = record.offers
        var closure = SendingClosure(depth: depth)
        let outcome = outcome(of: packet, isRaw: isRaw, on: record, &closure)
        if closure.wasCalled {
            judge(outcome, of: closure, on: record)
            if outcome == .queued { record.took(packet) } else { record.refused(packet) }
        } else {
            settle(outcome, packet, record, offersBefore: offers)
        }
    }

    /// Every other packet is written by a closure.
    private func outcome(
        of packet: WirePacket, isRaw: Bool, on record: SessionRecord,
        _ closure: inout SendingClosure
    ) -> SendOutcome {
        let (session, bytes, data) = (record.session, packet.wireBytes, packet.data)
        switch (isRaw, packet.number.isMultiple(of: 2)) {
        case (true, true): return session.send(bytes: bytes)
        case (true, false):
            let outcome = try? session.send(bytesCapacity: bytes.count) {
                try encode(bytes, to: &$0, on: record, &closure)
            }
            return outcome ?? .interrupted
        case (false, true):
            return session.send(
                sequence: packet.sequence, category: packet.category, data: data)
        case (false, false):
            let outcome = try? session.send(
                sequence: packet.sequence, category: packet.category, capacity: data.count
            ) {
                try encode(data, to: &$0, on: record, &closure)
            }
            return outcome ?? .interrupted
        }
    }

    /// What a closure writes, and whatever it does besides, before it or after.
    private func encode(
        _ bytes: [UInt8], to output: inout ByteWriter, on record: SessionRecord,
        _ closure: inout SendingClosure
    ) throws(SendingClosure.Failure) {
        closure.wasCalled = true
        let isBefore = chance.hits(500)
        if isBefore { try interfere(on: record, &closure) }
        output.write(bytes)
        if closure.writesTooMuch { output.write([0]) }
        if !isBefore { try interfere(on: record, &closure) }
        if closure.writesTooMuch && !isBefore { output.write([0]) }
    }

    private func interfere(
        on record: SessionRecord, _ closure: inout SendingClosure
    ) throws(SendingClosure.Failure) {
        sendTooMuch(on: record)
        guard closure.depth < 3, chance.hits(300) else { return }
        // What is under way is not queued before the closure has returned.
        let outer = record.underWay
        defer { record.underWay = outer }
        switch chance.below(8) {
        case 0...2:
            let count = record.tookCount
            for _ in 0..<chance.pick(1, 1, 2) { send(on: record, depth: closure.depth + 1) }
            if record.tookCount > count { closure.isInterrupted = true }
        case 3: if let other = chance.pick(from: records), other !== record { send(on: other) }
        case 4: closure.writesTooMuch = true
        case 5 where chance.hits(200): beginClosing(record, call: record.session.close)
        case 6:
            closure.hasThrown = true
            throw SendingClosure.Failure()
        default: break
        }
    }

    /// What a closure's packet came to has to follow from what the closure did.
    private func judge(
        _ outcome: SendOutcome, of closure: SendingClosure, on record: SessionRecord
    ) {
        if closure.hasThrown { return run.met(.closureThrew) }
        let isOpen = record.session.isOpen
        let expected: SendOutcome =
            !isOpen
            ? .closed
            : closure.isInterrupted
                ? .interrupted : closure.writesTooMuch ? .overCapacity : .queued
        run.expect(
            outcome == expected,
            "session \(record.id) says \(outcome) of a closure that did what is \(expected)")
        switch outcome {
        case .interrupted: run.met(.closureInterrupted)
        case .overCapacity: run.met(.closureOverran)
        default: break
        }
    }

    /// Within a closure: what never fits is refused, and does not touch what the closure writes.
    private func sendTooMuch(on record: SessionRecord) {
        guard record.options.overflow == .refuse, chance.hits(200) else { return }
        let limits = record.options.limits
        let most = max(
            limits.maximumQueuedBytes, limits.maximumDataLength + PacketFormat.overhead)
        let outcome = record.session.send(bytes: [UInt8](repeating: 0, count: most + 1))
        run.expect(
            outcome == .overflow || outcome == .closed,
            "session \(record.id) says of too many bytes: \(outcome)")
    }

    /// No packet may have so much room, and no closure is called for it.
    private func askForTooMuchRoom(on record: SessionRecord) {
        let session = record.session
        let outcome = session.send(category: WirePacket.plain, capacity: .max - chance.below(20)) {
            _ in run.fail("session \(record.id) has room for everything")
        }
        run.expect(
            outcome == (session.isOpen ? .tooLarge : .closed),
            "session \(record.id) says of far too much room: \(outcome)")
        guard record.options.overflow == .refuse else { return }
        let raw = session.send(bytesCapacity: .max - chance.below(20)) { _ in
            run.fail("session \(record.id) has room for everything")
        }
        run.expect(
            raw == .overflow || raw == .closed,
            "session \(record.id) says of far too much room for bytes: \(raw)")
    }

    func settle(
        _ outcome: SendOutcome, _ packet: WirePacket, _ record: SessionRecord,
        offersBefore offers: Int = -1
    ) {
        let isTooLarge = packet.length > record.options.limits.maximumDataLength
        if outcome != .queued { record.refused(packet) }
        switch outcome {
        case .queued:
            run.expect(!record.isClosed, "session \(record.id), which is closed, took a packet")
            run.expect(!isTooLarge, "session \(record.id) took more data than a packet may have")
            run.expect(!record.closeCalled, "session \(record.id) took a packet after close()")
            run.expect(
                record.session.queuedBytes <= record.mostWaiting,
                "session \(record.id) has \(record.session.queuedBytes) of "
                    + "\(record.mostWaiting) bytes waiting")
            record.took(packet)
        case .closed: break
        case .tooLarge:
            run.expect(
                isTooLarge && !record.isClosed && !record.closeCalled,
                "session \(record.id) refused a packet for its size")
        case .overflow:
            run.met(.capHit)
            record.overflowed = true
            run.expect(
                record.offers > offers || record.session.queuedBytes == 0,
                "session \(record.id) refused a packet before the kernel had")
            run.expect(
                record.session.queuedBytes + packet.wireLength > record.mostQueued,
                "session \(record.id) refused \(packet.wireLength) bytes beside "
                    + "\(record.session.queuedBytes)")
        case .overCapacity, .interrupted:
            run.expect(false, "session \(record.id) refused as only a closure is refused")
        }
    }
}
