// The events of a run: what is told of each session, in order, beside what happened.
import TronTestKit

@testable import Tron

extension World {
    /// Listens to the reactor's events from the beginning, or not.
    func drawEvents() {
        guard habits.has(.events), let reactor else { return }
        hearsEvents = true
        let slow: Duration? = chance.pick(nil, .milliseconds(10))
        reactor.onEvent(atMost: 1 << 30, slowHandler: slow) { [unowned self] event in
            hear(event)
        }
    }

    private func hear(_ event: ReactorEvent) {
        switch event {
        case .accepted(let id, _), .connected(let id, _):
            run.expect(begunEvents.insert(id).inserted, "the beginning of \(id) was told twice")
        case .closed(let id, _, let reason, let traffic):
            run.expect(begunEvents.contains(id), "\(id) ended, and was never told to begin")
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
        case .refused(let peer, let refusal): judge(refusal, of: peer)
        case .suppressed: run.fail("events were left out")
        default: break
        }
        callbacks += 1
    }

    /// At the end: each session's beginning and end was told.
    func checkEvents() {
        guard hearsEvents else { return }
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
