// How a run ends: stopped, by a signal, drained, or once all that was promised has come about.
import TronTestKit

@testable import Tron

extension World {
    /// The run's time is over: it ends in one of several ways.
    func end() {
        switch chance.below(4) {
        case 0: stopFromElsewhere()
        case 1...2 where service != nil: requestEnd()
        case 2:
            run.faults.isCalm = true
            onLoop { [unowned self] in drainAll() }
        case 1 where reactor?.signalSource != nil: kernel.raise(.terminate)
        default: letGo()
        }
    }

    /// Nothing more goes wrong and nothing is begun: so all that was promised has to come about
    /// before the reactor is stopped. The longest of it is a partition's end.
    private func letGo() {
        run.faults.isCalm = true
        isEnding = true
        pokesLeft = 0
        kernel.table.limit = 1000
        onLoop { [unowned self] in
            for timer in timers where !timer.isOver && timer.interval != nil { cancel(timer) }
        }
        kernel.network.after(2_000_000_000) {
            self.onLoop { [unowned self] in
                for client in clients { close(client) }
                for record in records where record.options.heartbeat != nil && !record.isClosed {
                    beginClosing(record, call: record.session.close)
                }
            }
        }
        kernel.network.after(40_000_000_000) {
            if self.service == nil { self.stopFromElsewhere() } else { self.requestEnd() }
        }
    }

    /// Has something done in a turn, as another thread would; until it is taken if need be.
    private func onLoop(_ action: @escaping () -> Void) {
        if submitFromElsewhere(action) == .tooMuchWaits {
            kernel.network.after(1_000_000) { self.onLoop(action) }
        }
    }

    /// All servers are drained, which stops the reactor: its graceful end.
    private func drainAll() {
        guard let reactor, mayBegin else { return }
        let serial = run.nextSerial()
        let deadline = chance.time(upToMilliseconds: 1000)
        let sessions = noteDrainOfAll()
        outstanding[serial] = "a drain of all"
        if chance.hits(500) { sayFarewell(reactor) }
        reactor.drain(within: .nanoseconds(deadline)) { [unowned self] report in
            run.expect(outstanding[serial] != nil, "a drain of all was completed twice")
            outstanding[serial] = nil
            obligations.meet(serial)
            isStopping = true
            run.expect(
                report.closed + report.aborted >= sessions.count,
                "a drain of \(sessions.count) sessions reports \(report)")
            run.met(.drainedAndStopped)
            noteFarewell()
        }
        obligations.add(serial, run.clock + deadline, "drain of all")
    }

    /// A drain of all servers begins. The sessions that it is about.
    func noteDrainOfAll() -> [SessionRecord] {
        let sessions = records.filter { $0.server != nil && !$0.isClosed }
        for each in sessions where each.closeBegun == nil && !each.session.isClosing {
            each.closeBegun = run.turnStart
        }
        for server in servers {
            server.isStopped = true
            server.mayAbort = true
        }
        return sessions
    }

    /// Clients and sessions are closed from now on, at once or a little later.
    func noteFarewell() {
        saysFarewell = true
        for client in clients { client.isClosed = true }
        for record in records where !record.isClosed && record.closeBegun == nil {
            record.closeBegun = run.turnStart
        }
    }

    /// A last word, which takes a while, or never ends.
    private func sayFarewell(_ reactor: Reactor) {
        var isSaid = false
        hasUncountedWork = true
        reactor.onDrained { [unowned self] _, finish in
            run.expect(!isSaid && isStopping, "a farewell before the drain's end")
            isSaid = true
            switch chance.below(3) {
            case 0: finish()
            case 1:
                let delay = chance.time(upToMilliseconds: 1200)
                reactor.schedule(after: .nanoseconds(delay), finish)
            default: break
            }
        }
    }
}
