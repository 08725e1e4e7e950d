// What is sent on as it came: from where it was received, if it is large and lies there whole.
import TronTestKit

@testable import Tron

extension World {
    /// Sends on what has come: on the session that it came on, on another, or on all of a group's;
    /// now and then under another category, so that it does not lie there as it is to be sent.
    func forward(_ data: UnsafeRawBufferPointer, _ wire: WirePacket, from record: SessionRecord) {
        guard wantsForwarding(wire) else { return }
        var wire = wire
        if chance.hits(100) { wire.category = WirePacket.plain }
        if chance.hits(150), let group = chance.pick(from: groups) {
            return send(wire, data, to: group, except: nil)
        }
        let target = drawTarget(record)
        target.isGiven(wire)
        let offers = target.offers
        let outcome = target.session.send(
            sequence: wire.sequence, category: wire.category, data: data.bytes)
        settle(outcome, wire, target, offersBefore: offers)
        countForwarded(outcome, to: target, from: record)
    }

    /// The same for a handler of bytes, with the packets that lie there whole.
    func forward(
        _ bytes: UnsafeRawBufferPointer, _ packets: [(packet: WirePacket, place: Range<Int>)],
        from record: SessionRecord
    ) {
        let target = drawTarget(record)
        for (wire, place) in packets where wantsForwarding(wire) {
            guard wire.length <= target.options.limits.maximumDataLength else { continue }
            target.isGiven(wire)
            let offers = target.offers
            let outcome = target.session.send(
                bytes: UnsafeRawBufferPointer(rebasing: bytes[place]).bytes)
            settle(outcome, wire, target, offersBefore: offers)
            countForwarded(outcome, to: target, from: record)
        }
    }

    private func wantsForwarding(_ wire: WirePacket) -> Bool {
        (isRelaying || habits.has(.forwards)) && wire.category >= WirePacket.plain
            && wire.sequence < 0 && chance.hits(isRelaying ? 900 : 500)
    }

    private func drawTarget(_ record: SessionRecord) -> SessionRecord {
        guard chance.hits(isRelaying ? 650 : 500) else { return record }
        let others = records.filter { $0 !== record && (!isRelaying || $0.session.isOpen) }
        return chance.pick(from: others) ?? record
    }

    private func countForwarded(
        _ outcome: SendOutcome, to target: SessionRecord, from record: SessionRecord
    ) {
        guard outcome == .queued, target.session.outbound.hasRun else { return }
        run.met(target === record ? Success.forwarded : .forwardedElsewhere)
    }
}

extension SessionRecord {
    /// The packets that lie whole in the next so many bytes, and where; none from within a packet.
    func packets(within count: Int) -> [(packet: WirePacket, place: Range<Int>)] {
        guard isAtPacket, let log = end.other?.log.packets else { return [] }
        var start = 0
        return log.dropFirst(delivered).prefix { $0.end - position <= count }.map { each in
            defer { start = each.end - position }
            return (each.packet, start..<(each.end - position))
        }
    }
}
