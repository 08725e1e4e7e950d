// Sessions that have a task in place of handlers: it takes packets, replies, and ends.
import TronTestKit

@testable import Tron

extension World {
    /// Gives the session a task, now and then.
    func drawTask(_ record: SessionRecord) {
        guard habits.has(.tasks), record.client == nil, mayBegin, chance.hits(300) else { return }
        hasTasks = true
        record.receiver = .task
        record.mostPackets = chance.pick(1, 3, 1000)
        record.isTaskBusy = true
        let task = record.session.task { [self, record] face in
            defer { taskEnds(record) }
            try await converse(face, record)
        }
        record.isTaskBusy = task != nil
        record.task = task
        if task != nil && chance.hits(200) { cancelTask(of: record, within: 300) }
    }

    private func cancelTask(of record: SessionRecord, within milliseconds: Int) {
        addTimer(within: milliseconds) { [unowned self, unowned record] in
            // The loop hears of it in its own time, and closes the session then.
            record.isTaskCancelled = true
            if record.closeBegun == nil { record.closeBegun = run.turnStart }
            record.task?.cancel()
        }
    }

    private nonisolated(nonsending) func converse(
        _ face: AsyncSession, _ record: SessionRecord
    ) async throws {
        record.isTaskBusy = false
        record.stir()
        for try await packet in face.packets {
            record.isTaskBusy = true
            record.stir()
            record.isAtTasksPacket = true
            defer { record.isAtTasksPacket = false }
            let isRequest = take(packet, record)
            if chance.hits(300) { await sleep(record) }
            if isRequest {
                if chance.hits(300) { await linger(record) }
                try await reply(packet, face, record)
            }
            record.mostPackets -= 1
            if record.mostPackets == 0 { return }
            record.stir()
            record.isTaskBusy = false
        }
    }

    /// Waits for a while, or for the session's end.
    private nonisolated(nonsending) func linger(_ record: SessionRecord) async {
        guard let reactor, !record.isClosed else { return }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            record.taskGoesOn = { [unowned record] in
                record.taskGoesOn = nil
                continuation.resume()
            }
            reactor.schedule(after: .milliseconds(chance.below(50))) { [unowned record] in
                record.taskGoesOn?()
            }
        }
        record.stir()
    }

    /// Waits on the reactor's clock. What is submitted before it, and after its end, comes first.
    private nonisolated(nonsending) func sleep(_ record: SessionRecord) async {
        guard let remote = reactor?.remote else { return }
        let serial = run.nextSerial()
        let time = chance.time(upToMilliseconds: chance.pick(5, 100, 1000))
        let deadline = run.clock + time
        if chance.hits(200) { cancelTask(of: record, within: Int(time / 1_000_000)) }
        obligations.add(serial, deadline + 5 * Obligations.tick, "a sleep", lost: run.timeLost)
        var ending: SleepError?
        do throws(SleepError) { try await remote.sleep(for: .nanoseconds(time)) } catch {
            ending = error
        }
        obligations.meet(serial)
        switch ending {
        case nil:
            run.met(.taskSlept)
            run.expect(run.clock >= deadline, "a task slept \(deadline - run.clock) ns too short")
        case .cancelled:
            run.met(.sleepEnded)
            run.expect(record.isTaskCancelled, "a task that slept was woken by nobody")
        case .stopped:
            run.met(.sleepEnded)
            run.expect(isStopping, "a task slept on a reactor that says that it has stopped")
        }
        record.stir()
    }

    /// Whether the packet is to be answered.
    private func take(_ packet: OwnedPacket, _ record: SessionRecord) -> Bool {
        // What is kept for it may be more than is read behind.
        kernel.table[record.session.descriptor]?.isUsed()
        packet.data.withUnsafeBytes { record.deliver(packet.sequence, packet.category, $0) }
        handler(.packet, record.end.serial, of: record) {}
        return packet.category == WirePacket.request
    }

    private nonisolated(nonsending) func reply(
        _ packet: OwnedPacket, _ face: AsyncSession, _ record: SessionRecord
    ) async throws {
        let reply = WirePacket(
            sequence: packet.sequence, category: packet.category,
            number: (Payload.number(of: packet.data) ?? 0) | WirePacket.answerBit,
            length: max(8, packet.data.count))
        record.awaited = reply
        do throws(SendError) {
            try await face.reply(to: packet, data: reply.data)
            run.met(.taskReplied)
            if record.awaited != nil { record.outgoing.append(reply) }
            record.awaited = nil
        } catch {
            run.expect(record.awaited != nil, "a reply was sent whose task was told \(error)")
            record.awaited = nil
            throw error
        }
    }

    /// Its session is closed as soon as this returns, unless it was before.
    private func taskEnds(_ record: SessionRecord) {
        if !record.session.isClosing {
            run.met(.taskEnded)
            beginClosing(record)
        }
        record.isTaskBusy = false
    }
}
