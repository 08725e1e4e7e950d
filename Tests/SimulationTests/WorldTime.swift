// The timers, submitted work and signals of a run.

import TronTestKit

@testable import Tron

/// Carries what the run's own thread does in the end. `@unchecked` because nobody else looks at it.
private final class Work: @unchecked Sendable {
    let action: () -> Void

    init(_ action: @escaping () -> Void) { self.action = action }
}

extension World {
    /// A timer of the user's, now and then a repeating one; it calls the library when it rings.
    func addTimer(within milliseconds: Int, _ action: @escaping () -> Void = {}) {
        guard let reactor, mayBegin else { return }
        let delay = chance.time(upToMilliseconds: milliseconds)
        let step = Int64(max(length / 100, chance.between(1, 200))) * 1_000_000
        let interval: Int64? = chance.hits(150) ? step : nil
        let timer = TimerRecord(serial: run.nextSerial(), interval: interval)
        timer.handle = reactor.schedule(
            after: .nanoseconds(delay), repeating: interval.map { .nanoseconds($0) }
        ) { [unowned self] in
            expired(timer, action)
        }
        timer.deadline = run.clock + delay
        timers.append(timer)
        obligations.add(timer.serial, timer.deadline, "timer")
    }

    private func expired(_ timer: TimerRecord, _ action: () -> Void) {
        run.expect(!timer.isOver, "timer \(timer.serial) rang after its end")
        run.expect(
            run.clock >= timer.deadline,
            "timer \(timer.serial) rang \(timer.deadline - run.clock) ns early")
        obligations.meet(timer.serial)
        if let interval = timer.interval {
            // Intervals that were missed are left out, by the clock reading of the turn.
            let missed = max(0, run.turnStart - timer.deadline) / interval
            timer.deadline += (missed + 1) * interval
            obligations.add(timer.serial, timer.deadline, "timer")
        } else {
            timer.isOver = true
        }
        handler(.timer, timer.serial) {
            action()
            if timer.interval != nil && chance.hits(200) { cancel(timer) }
        }
    }

    func cancel(_ timer: TimerRecord) {
        let wasCancelled = timer.handle?.cancel() ?? false
        run.expect(
            wasCancelled != timer.isOver || isStopping,
            "timer \(timer.serial) was cancelled: \(wasCancelled), over: \(timer.isOver)")
        timer.isOver = true
        obligations.meet(timer.serial)
    }

    /// Leaves something for the next work phase. In one that goes on it waits for the next turn.
    func callSoon(_ action: @escaping () -> Void = {}) {
        guard let reactor else { return }
        let serial = run.nextSerial()
        soonCalls.append(serial)
        let isTaken = reactor.callSoon { [unowned self] in
            run.expect(soonCalls.first == serial, "calls are made in another order")
            soonCalls.removeFirst()
            handler(.soon, serial) { action() }
        }
        if !isTaken { soonCalls.removeLast() }
        run.expect(isTaken || reactor.isFinished, "a call was refused by a reactor that runs")
    }

    // MARK: Work from elsewhere

    /// Hands work over on the loop's own thread.
    func submit() {
        guard let reactor else { return }
        let outcome = reactor.submit { [unowned self] _ in
            submittedWaiting -= 1
            handler(.submitted, submittedWaiting) {}
        }
        judge(outcome)
    }

    private func judge(_ outcome: Submission) {
        switch outcome {
        case .accepted:
            run.expect(
                submittedWaiting < limits.maximumWaitingWork,
                "submitted work was accepted beside \(submittedWaiting) pieces that wait")
            submittedWaiting += 1
        case .tooMuchWaits:
            run.met(.capHit)
            run.expect(
                hasTasks || hasUncountedWork || service?.isAsked == true
                    || submittedWaiting >= limits.maximumWaitingWork,
                "submitted work was refused while \(submittedWaiting) pieces waited")
        case .stopped: run.expect(isStopping, "a reactor that runs says that it has stopped")
        }
    }

    /// The same from another thread, while the loop waits: it has to be woken by the eventfd.
    @discardableResult
    func submitFromElsewhere(_ action: @escaping () -> Void = {}) -> Submission {
        guard let remote = reactor?.remote else { return .stopped }
        let outcome = Locked(Submission.stopped)
        // Whoever is refused the wake-up does not make up for it.
        let wasCalm = run.faults.isCalm
        run.faults.isCalm = true
        defer { run.faults.isCalm = wasCalm }
        Worker.runOnce { [self] in
            let work = Work(action)
            let submission = remote.submit { [unowned self] _ in
                submittedWaiting -= 1
                handler(.submitted, submittedWaiting) { work.action() }
            }
            outcome.withLock { $0 = submission }
        }
        let submission = outcome.withLock { $0 }
        judge(submission)
        return submission
    }

    func stopFromElsewhere() {
        guard let remote = reactor?.remote else { return }
        noteStop()
        // Whoever is refused this wake-up does not make up for it: nothing follows.
        run.faults.isCalm = true
        Worker.runOnce { remote.stop() }
    }

    // MARK: Signals

    func watchSignals() {
        try? reactor?.onSignal(.user1, .terminate) { [unowned self] signal in
            signalsTold += 1
            handler(.signal, Int(signal.rawValue)) {
                if signal == .terminate { stop() }
            }
        }
        kernel.network.after(chance.time(upToMilliseconds: 100)) { self.kernel.raise(.user1) }
    }
}
