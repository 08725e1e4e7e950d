// What the users of sessions send: as packets, as bytes, by closures; and how that was taken.
import TronTestKit

@testable import Tron

extension World {
    /// Sends one packet, as a packet or as bytes.
    func send(on record: SessionRecord) {
        if chance.hits(150) { record.askWritable() }
        let most =
            isHeavy
            ? 12_000 : chance.pick(0, 30, 30, 400, record.options.limits.maximumDataLength + 1)
        let packet = WirePacket(
            sequence: chance.pick(-1, -1, Int32.min), category: WirePacket.plain,
            number: UInt64(run.nextSerial()), length: chance.below(most + 1))
        let isRaw = chance.hits(200) && packet.length <= record.options.limits.maximumDataLength
        record.isGiven(packet)
        let offers = record.offers
        settle(outcome(of: packet, isRaw: isRaw, on: record), packet, record, offersBefore: offers)
    }

    /// Every other packet is written by a closure.
    private func outcome(
        of packet: WirePacket, isRaw: Bool, on record: SessionRecord
    ) -> SendOutcome {
        let (session, bytes, data) = (record.session, packet.wireBytes, packet.data)
        switch (isRaw, packet.number.isMultiple(of: 2)) {
        case (true, true): return session.send(bytes: bytes)
        case (true, false):
            return session.send(bytesCapacity: bytes.count) {
                $0.write(bytes)
                sendTooMuch(on: record)
            }
        case (false, true):
            return session.send(
                sequence: packet.sequence, category: packet.category, data: data)
        case (false, false):
            return session.send(
                sequence: packet.sequence, category: packet.category, capacity: data.count
            ) {
                sendTooMuch(on: record)
                $0.write(data)
            }
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
            record.took(packet)
        case .closed: break
        case .tooLarge:
            run.expect(isTooLarge, "session \(record.id) refused a packet for its size")
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
