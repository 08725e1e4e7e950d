// The events of a run: what is told of each session, in order, beside what happened.
import TronTestKit

@testable import Tron

extension World {
    /// Listens to the reactor's events from the beginning, or not.
    func drawEvents() {
        guard habits.has(.events) || service != nil, let reactor else { return }
        hearsEvents = true
        let slow: Duration? = chance.pick(nil, .milliseconds(10))
        mayMissEvents = chance.hits(300)
        let limit = mayMissEvents ? 2 : 1 << 30
        reactor.onEvent(atMost: limit, slowHandler: slow) { [unowned self] event in
            hear(event)
        }
    }

    private func hear(_ event: ReactorEvent) {
        switch event {
        case .accepted(let id, _), .connected(let id, _):
            run.expect(begunEvents.insert(id).inserted, "the beginning of \(id) was told twice")
        case .closed(let id, _, let reason, let traffic):
            run.expect(
                begunEvents.contains(id) || mayMissEvents,
                "\(id) ended, and was never told to begin")
            run.expect(endedEvents[id] == nil, "the end of \(id) was told twice")
            endedEvents[id] = reason
            guard let record = records.first(where: { $0.id == id }) else { break }
            run.expect(
                record.reason == nil || record.reason == reason,
                "\(id) ended with \(reason), and was told \(record.reason.map(\.description) ?? "")"
            )
            run.expect(
                traffic.bytesSent == record.end.sentTotal
                    && traffic.bytesReceived == record.end.receivedTotal,
                "\(id) ended with another traffic than it had")
        case .refused(let peer, let refusal):
            judge(refusal, of: peer)
            if case .sessionsPerAddress = refusal { judgeCrowd(of: peer) }
        case .drained(let address, let report): service?.drained(address, report, run)
        case .suppressed(let count):
            run.expect(mayMissEvents && count > 0, "\(count) events were left out")
            suppressedEvents += count
        default: break
        }
        callbacks += 1
    }

    /// Whoever is one too many of its host is so beside others, which may have ended just now.
    private func judgeCrowd(of peer: SocketAddress?) {
        let others = records.filter {
            $0.server != nil && $0.session.peer?.withPort(0) == peer?.withPort(0)
                && $0.endTurn >= kernel.turns - 2
        }
        run.expect(!others.isEmpty, "a connection was one too many of its host, and the only one")
    }

    /// At the end: of those that were not told the number was.
    private func checkSuppressed() {
        let missing = records.reduce(0) { missing, record in
            missing + (begunEvents.contains(record.id) ? 0 : 1)
                + (endedEvents[record.id] == nil ? 1 : 0)
        }
        run.expect(
            missing <= suppressedEvents,
            "\(missing) events were not told, and \(suppressedEvents) said to be left out")
        if missing > 0 { run.met(.eventsSuppressed) }
    }

    /// At the end: each session's beginning and end was told.
    func checkEvents() {
        guard hearsEvents else { return }
        if mayMissEvents { return checkSuppressed() }
        for record in records {
            run.expect(begunEvents.contains(record.id), "\(record.id) was never told to begin")
            run.expect(
                endedEvents[record.id] == record.reason,
                "the end of \(record.id) was told as "
                    + "\(endedEvents[record.id].map(\.description) ?? "nothing")")
            run.met(.eventsTold)
        }
    }
}
