// What handlers do besides their task: any call of the interface, at any time, to anything.

import TronTestKit

@testable import Tron

extension World {
    /// One random call. Prefers the session whose handler it is called from.
    func poke(_ own: SessionRecord?) {
        pokesLeft -= 1
        let record =
            chance.hits(500) ? own ?? chance.pick(from: records) : chance.pick(from: records)
        let kind = chance.below(28)
        guard habits.makes(kind) else { return }
        run.note(.poke, kind, record?.end.serial ?? 0, Self.pokes[kind])
        switch kind {
        case 0...12: if let record { poke(record, kind) }
        case 13, 14: addTimer(within: chance.pick(1, 50, 1000))
        case 15: if let timer = chance.pick(from: timers) { cancel(timer) }
        case 16, 17: if let client = chance.pick(from: clients) { request(of: client) }
        case 18: dial()
        case 19: for _ in 0..<chance.pick(1, 1, 8) { submit() }
        case 20:
            if chance.hits(700) { chance.pick(from: connectors)?.cancel() } else { takeNumbers() }
        case 21: replyLater()
        case 22: if chance.hits(200), let client = chance.pick(from: clients) { close(client) }
        case 23: if let server = chance.pick(from: servers) { poke(server) }
        case 25: if chance.hits(500) { callSoon() } else { replyLater() }
        case 27: pokeGroup(record)
        case 24: if chance.hits(300) { chance.hits(500) ? addServer() : addClient() }
        default: if chance.hits(50) { stop() }
        }
    }

    /// What each kind of call is, for the story of a run.
    private static let pokes = [
        "send", "send", "send", "send", "send many", "close", "abort", "pauseReading",
        "resumeReading", "resumeReading", "closeWriting", "install handlers", "look at a session",
        "schedule", "schedule", "cancel a timer", "request", "request", "dial", "submit",
        "snapshot or cancel a dial", "reply later", "close a client", "server: stop or drain",
        "listen or connect", "call soon or reply later", "stop", "group",
    ]

    private func poke(_ record: SessionRecord, _ kind: Int) {
        let session = record.session
        switch kind {
        case 0...3: send(on: record)
        case 4 where habits.has(.fills) && chance.hits(500): fill(record)
        case 4: for _ in 0..<chance.between(2, 10) { send(on: record) }
        case 5: beginClosing(record, call: session.close)
        case 6:
            record.abortCalled = true
            session.abort()
        case 7: if record.receiver != .task { pause(record) }
        case 8, 9: resumeAny()
        case 10:
            // Of a session that a drain has told, this gives up what it owes.
            record.endedWriting = true
            record.stir()
            session.closeWriting()
        case 11: changeReceiver(record)
        default: inspect(record)
        }
    }

    /// The paused are woken more often than others.
    private func resumeAny() {
        let paused = records.filter {
            $0.session.isReadingPaused && $0.receiver != .task && $0.adversary != .neverReads
        }
        if let record = chance.pick(from: paused) { resume(record) }
    }

    /// A session that is asked to close has so long for it.
    func beginClosing(_ record: SessionRecord, call: () -> Void = {}) {
        if record.closeBegun == nil && !record.isClosed && !record.session.isClosing {
            record.closeBegun = run.turnStart
            let time = record.options.limits.closeTimeout.clampedNanoseconds
            obligations.add(record.end.serial, run.clock + time, "the close of connection")
        }
        record.closeCalled = true
        call()
    }

    /// What a session says of itself has to agree with what is known of it, also when it is gone.
    private func inspect(_ record: SessionRecord) {
        let session = record.session
        let found = reactor?.session(record.id)
        if record.isClosed {
            run.expect(found == nil, "a session that is closed was found by its name")
            run.expect(!session.isOpen && !session.isWritable, "a closed session seems open")
            run.expect(session.send(category: 1, data: "x") == .closed, "a closed session sends")
            run.expect(session.localAddress == nil, "a closed session has an address")
        } else {
            // Its client is told of its end before it is itself.
            let isFound = found == nil ? session.isClosing : found === session
            run.expect(isFound, "a session was not found by its name")
            run.expect(
                session.owedReplyCount == record.answerable,
                "session \(record.id) owes \(session.owedReplyCount) replies, not "
                    + "\(record.answerable)")
            run.expect(
                record.isBeginning
                    || session.counters.bytesSent == record.end.sentTotal
                        && session.counters.bytesReceived == record.end.receivedTotal,
                "the counters of session \(record.id) are wrong")
        }
    }

    private func takeNumbers() {
        if chance.hits(500) { takeSnapshot() } else { readMeter() }
    }

    /// What the reactor counts has to be what the kernel counted, ended sessions included.
    private func takeSnapshot() {
        guard let totals = reactor?.snapshot().sessions, !records.contains(where: \.isBeginning)
        else { return }
        var traffic = Traffic()
        for record in records {
            traffic.bytesSent += record.end.sentTotal
            traffic.bytesReceived += record.end.receivedTotal
        }
        run.expect(
            totals.traffic.bytesSent == traffic.bytesSent
                && totals.traffic.bytesReceived == traffic.bytesReceived,
            "a snapshot counts \(totals.traffic), the kernel \(traffic)")
    }

    private func replyLater() {
        guard !replies.isEmpty else { return }
        let (address, record, number) = replies.remove(at: chance.below(replies.count))
        reply(address, record, number, length: chance.below(100))
    }

    // MARK: Servers

    private func poke(_ record: ServerRecord) {
        let server = record.server
        guard chance.hits(300) && habits.has(.drains) else {
            if chance.hits(300) { return broadcast(record) }
            var count = 0
            server.forEachSession { _ in count += 1 }
            return run.expect(count == server.sessionCount, "a server miscounts its sessions")
        }
        let sessions = records.filter { $0.server === record && !$0.isClosed }
        record.isStopped = true
        if chance.hits(100) { return server.stopListening() }
        if chance.hits(500) {
            let aborts = chance.hits(500)
            if aborts { record.mayAbort = true }
            if !aborts { for each in sessions { beginClosing(each) } }
            server.stop(sessions: aborts ? .abort : .close)
        } else {
            drain(record)
        }
    }

    func drain(_ record: ServerRecord) {
        let sessions = records.filter { $0.server === record && !$0.isClosed }
        record.isStopped = true
        let serial = run.nextSerial()
        let deadline = chance.time(upToMilliseconds: chance.pick(10, 1000))
        let spread = chance.pick(0, deadline / 2, deadline)
        let count = record.server.sessionCount
        service?.expect(count, drainedOf: record.server.address, isLate: isStopping)
        record.drains += 1
        if record.drains > 1 && count > 0 { run.met(.drainsOverlapped) }
        record.mayAbort = true
        // Those that close already do so since before.
        for each in sessions where each.closeBegun == nil && !each.session.isClosing {
            each.closeBegun = run.turnStart
        }
        outstanding[serial] = "a drain"
        record.server.drain(within: .nanoseconds(deadline), spread: .nanoseconds(spread)) {
            [unowned self] report in
            run.expect(outstanding[serial] != nil, "a drain was completed twice")
            outstanding[serial] = nil
            obligations.meet(serial)
            record.drains -= 1
            if count > 0 && report.aborted == 0 { run.met(.drainClosedAll) }
            handler(.drained, serial) {
                run.expect(
                    report.closed + report.aborted == count && report.closed >= 0,
                    "a drain of \(count) sessions reports \(report)")
                let aborted = sessions.count { $0.wasAborted }
                run.expect(
                    sessions.count != count || report.aborted == aborted,
                    "a drain that ended \(aborted) sessions at once reports \(report)")
                let owed = sessions.reduce(0) { $0 + $1.owed.count }
                run.expect(
                    report.unanswered == owed, "a drain that left \(owed) owed reports \(report)")
            }
        }
        obligations.add(serial, run.clock + deadline, "drain")
    }
}
