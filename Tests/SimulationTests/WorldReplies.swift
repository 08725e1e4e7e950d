// What the handlers of packets do: requests are answered at once, later, twice, or never.
import TronTestKit

@testable import Tron

extension World {
    func receive(_ packet: borrowing Packet, _ record: SessionRecord) {
        let sequence = packet.sequence
        let category = packet.category
        let length = packet.data.byteCount
        var number: UInt64 = 0
        // First the oracle, then the answer, then whatever a handler does besides.
        packet.data.withUnsafeBytes {
            record.deliver(sequence, category, $0)
            number = Payload.number(of: $0) ?? 0
        }
        let isRequest = category == WirePacket.request && number & WirePacket.answerBit == 0
        let address = isRequest ? owe(packet, record) : nil
        handler(.packet, record.end.serial, of: record) {
            guard let address else {
                if chance.hits(200) { send(on: record) }
                if let wire = record.lastDelivered {
                    packet.data.withUnsafeBytes { forward($0, wire, from: record) }
                }
                return
            }
            let isKept = chance.hits(habits.has(.drains) ? 850 : 200)
            if isKept {
                replies.append((address, record, number))
                return drainSoon(record)
            }
            if chance.hits(900) { reply(address, record, number, length: length) }
        }
    }

    /// Asks for a request's address, now and then twice.
    private func owe(_ packet: borrowing Packet, _ record: SessionRecord) -> ReplyAddress {
        let address = record.session.replyAddress(of: packet)
        if record.session.isOpen {
            let isNew = record.owed.insert(address).inserted
            run.expect(isNew, "two requests of session \(record.id) have the same address")
        }
        if chance.hits(100) {
            run.expect(
                record.session.replyAddress(of: packet) == address,
                "a request of session \(record.id) has two addresses")
        }
        return address
    }

    /// Answers a request by its address, which may be that of a session that is gone.
    func reply(_ address: ReplyAddress, _ record: SessionRecord, _ number: UInt64, length: Int) {
        let packet = WirePacket(
            sequence: address.sequence, category: address.category,
            number: number | WirePacket.answerBit, length: max(8, length))
        if chance.hits(100) { return refuse(address, record) }
        let isOwed = record.session.isOpen && record.owed.contains(address)
        // The last reply may close the session: what it took counts before that.
        let (bytes, isWritten) = (packet.data, packet.number.isMultiple(of: 2))
        record.isGiven(packet)
        record.stir()
        let outcome =
            isWritten
            ? reactor?.reply(to: address, capacity: bytes.count) { $0.write(bytes) }
            : reactor?.reply(to: address, data: bytes)
        switch outcome ?? .closed {
        case .queued:
            run.met(.repliedLater)
            if record.isDrained { run.met(.owedWasAnswered) }
            run.expect(isOwed, "session \(record.id) gave a reply that it did not owe")
            record.owed.remove(address)
            run.expect(
                packet.length <= record.options.limits.reservedReplyLength
                    || record.session.queuedBytes <= record.mostQueued,
                "session \(record.id) took a reply of \(packet.length) bytes beyond its limit")
            settle(.queued, packet, record)
        case .notOwed:
            run.expect(!record.owed.contains(address), "a reply that is owed was refused")
        case .closed: settle(.closed, packet, record)
        case .tooLarge: settle(.tooLarge, packet, record)
        case .overflow:
            run.expect(
                packet.length > record.options.limits.reservedReplyLength,
                "session \(record.id) had no room for a reply that it owed")
            settle(.overflow, packet, record)
        case .overCapacity: settle(.overCapacity, packet, record)
        case .interrupted: settle(.interrupted, packet, record)
        }
        // Some are answered twice.
        if outcome == .queued && chance.hits(100) {
            let again = reactor?.reply(to: address, data: packet.data)
            run.expect(!(again?.isQueued ?? false), "a request was answered twice")
        }
    }

    /// Now and then a server is drained just when one of its sessions owes.
    private func drainSoon(_ record: SessionRecord) {
        guard let server = record.server, habits.has(.drains), chance.hits(950) else { return }
        addTimer(within: 5) { [unowned self] in drain(server) }
    }

    /// What a session owes that a drain has told is mostly answered soon.
    func answerDrained(_ record: SessionRecord) {
        guard let reactor, !record.owed.isEmpty, chance.hits(950) else { return }
        reactor.schedule(after: .microseconds(chance.below(2000))) { [unowned self] in
            answerOwed(by: record)
        }
    }

    func answerOwed(by record: SessionRecord) {
        for index in replies.indices.reversed() where replies[index].record === record {
            let (address, _, number) = replies.remove(at: index)
            reply(address, record, number, length: chance.below(50))
        }
    }

    private func refuse(_ address: ReplyAddress, _ record: SessionRecord) {
        record.stir()
        let isOwed = record.session.isOpen && record.owed.contains(address)
        let isRefused = reactor?.refuse(address) ?? false
        run.expect(isRefused == isOwed, "refusing an owed (\(isOwed)) reply says \(isRefused)")
        if isRefused { record.owed.remove(address) }
    }
}
