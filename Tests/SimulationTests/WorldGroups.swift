// One packet to many sessions: groups of them, all of a server's; and filling one to the brim.
import TronTestKit

@testable import Tron

/// A group of the run and its members.
final class GroupRecord {
    let group: SessionGroup
    var members: [SessionRecord] = []

    init(_ group: SessionGroup) { self.group = group }
}

extension World {
    /// Makes a group, or has a session join or leave one, or sends to all of one.
    func pokeGroup(_ own: SessionRecord?) {
        guard let reactor, habits.has(.groups), mayBegin else { return }
        if groups.isEmpty || chance.hits(50) && groups.count < 3 {
            groups.append(GroupRecord(reactor.makeGroup()))
        }
        guard let record = chance.pick(from: groups) else { return }
        for session in records where !session.isClosed && chance.hits(500) {
            join(session, record)
        }
        if let own, chance.hits(100) { leave(own, record) }
        let packet = drawPacket()
        packet.data.withUnsafeBytes {
            send(packet, $0, to: record, except: chance.hits(300) ? own : nil)
        }
        if chance.hits(50) { groups.removeAll { $0 === record } }
    }

    private func join(_ session: SessionRecord, _ record: GroupRecord) {
        let isMember = record.members.contains { $0 === session }
        let isAdded = record.group.add(session.session)
        run.expect(!(isAdded && isMember), "session \(session.id) joined a group twice")
        run.expect(
            isAdded || isMember || session.session.isClosing,
            "session \(session.id) was kept out of a group")
        if isAdded { record.members.append(session) }
    }

    private func leave(_ session: SessionRecord, _ record: GroupRecord) {
        let isMember = record.members.contains { $0 === session }
        let isRemoved = record.group.remove(session.session)
        run.expect(
            isRemoved == isMember, "session \(session.id) left a group that it was not in")
        record.members.removeAll { $0 === session }
    }

    /// Sends data, which is the packet's, to all of a group's but one.
    func send(
        _ packet: WirePacket, _ data: UnsafeRawBufferPointer, to record: GroupRecord,
        except: SessionRecord?
    ) {
        let members = record.members.filter { $0 !== except }
        run.expect(
            record.group.count == record.members.count,
            "a group of \(record.members.count) has \(record.group.count) members")
        var counts = SendCounts()
        let taken = give(packet, to: members) {
            counts = record.group.send(
                sequence: packet.sequence, category: packet.category, data: data.bytes,
                except: except?.session)
        }
        run.expect(
            counts.total == members.count && counts.queued == taken,
            "a group of \(members.count), of which \(taken) took a packet, says \(counts)")
        if taken > 1 { run.met(.groupSent) }
    }

    /// To all sessions of a server that speak packets.
    func broadcast(_ server: ServerRecord) {
        let sessions = records.filter { record in
            record.server === server && !record.isClosed && record.receiver != .bytes
                && record.receiver != .frames && record.receiver != .lines
                && record.receiver != .delimited
        }
        let packet = drawPacket(sequence: -1)
        var count = 0
        let taken = give(packet, to: sessions) {
            count = server.server.broadcast(category: packet.category, data: packet.data)
        }
        run.expect(count == taken, "\(taken) sessions took a broadcast that says \(count)")
    }

    private func drawPacket(sequence: Int32? = nil) -> WirePacket {
        WirePacket(
            sequence: sequence ?? chance.pick(-1, Int32.min), category: WirePacket.plain,
            number: UInt64(run.nextSerial()), length: chance.below(chance.pick(20, 100, 100, 1000)))
    }

    /// Has all of them given a packet; how many of them took it, by their own count.
    private func give(
        _ packet: WirePacket, to sessions: [SessionRecord], _ send: () -> Void
    ) -> Int {
        let before = sessions.map(\.session.counters.packetsSent)
        let wereOpen = sessions.map(\.session.isOpen)
        for session in sessions { session.isGiven(packet) }
        send()
        var taken = 0
        for (index, record) in sessions.enumerated() {
            let isTaken = record.session.counters.packetsSent == before[index] + 1
            taken += isTaken ? 1 : 0
            let isTooLarge = packet.length > record.options.limits.maximumDataLength
            let refusal: SendOutcome =
                !wereOpen[index] || record.mustEnd ? .closed : isTooLarge ? .tooLarge : .overflow
            settle(isTaken ? .queued : refusal, packet, record)
        }
        return taken
    }

    // MARK: One session

    /// Sends for as long as the session says that it is writable: that comes to an end in this
    /// turn, however fast its peer reads.
    func fill(_ record: SessionRecord) {
        let limits = record.options.limits
        // A few bytes at a time would take as many turns.
        let narrowest = min(
            record.end.outboxCapacity, record.end.other?.inboxCapacity ?? 0,
            self.limits.maximumBytesReadPerTurn)
        guard limits.outputHighWatermark <= 100 * narrowest else { return }
        let length = min(limits.maximumDataLength, max(30, limits.outputHighWatermark / 20))
        var sent = 0
        record.fillsLeft -= 1
        while record.askWritable() {
            guard sent <= limits.outputHighWatermark else {
                return run.fail("session \(record.id) is writable after \(sent) bytes in a turn")
            }
            let packet = WirePacket(
                sequence: -1, category: WirePacket.plain, number: UInt64(run.nextSerial()),
                length: length)
            record.isGiven(packet)
            let outcome = record.session.send(
                sequence: -1, category: WirePacket.plain, data: packet.data)
            settle(outcome, packet, record)
            guard outcome == .queued else { return }
            sent += packet.wireLength
        }
        if sent > 0 { run.met(.filled) }
    }
}
