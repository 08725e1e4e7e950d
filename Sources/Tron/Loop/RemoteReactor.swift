// Work for the loop from other threads.
import Synchronization

/// What became of work that was handed to a reactor.
public enum Submission: Hashable, Sendable {
    /// It runs on the loop, before `Reactor.run()` returns.
    case accepted
    /// Dropped: `ReactorLimits.maximumWaitingWork` pieces have not run yet.
    case tooMuchWaits
    /// Dropped: the reactor has stopped.
    case stopped

    /// Whether it runs.
    public var isAccepted: Bool { self == .accepted }
}

/// A reactor as other threads may hold it.
///
/// It keeps nothing alive but itself: once the reactor has stopped, work is refused.
public final class RemoteReactor: Sendable {
    typealias Work = @Sendable (Reactor) -> Void

    private struct Shared {
        let work = Queue<Work>()
        var isOpen = true
        var loop = ThreadIdentity.current
        var isRunning = false
        /// The kernel refused a wake-up: the next submission makes up for it.
        var owesWakeup = false
    }

    private let shared: Locked<Shared>
    private let capacity: Int
    private let wakesAlways: Bool
    let wakeup: Wakeup

    /// Whether work or a stop waits that the loop has not seen. Work is pending, or the loop was
    /// woken, before a submission returns: so the loop never sleeps over it.
    private let isPending = Atomic(false)
    private let stopFlag = Atomic(false)
    /// Of what the loop has taken, how much has not begun to run: it counts as waiting.
    private let unrun = Atomic(0)

    init(kernel: Kernel, capacity: Int) throws(SystemError) {
        wakeup = try Wakeup(kernel: kernel)
        shared = Locked(Shared())
        self.capacity = capacity
        wakesAlways = kernel.seesEveryWakeup
    }

    /// Runs `work` on the loop, in the order of submission, with the reactor as its argument.
    ///
    /// May be called on any thread; it never blocks for longer than a lock takes. Work accepted
    /// before the reactor stops is run before `run()` returns. Whether it was accepted, or dropped
    /// and why, is returned.
    @discardableResult
    public func submit(_ work: @escaping @Sendable (Reactor) -> Void) -> Submission {
        submit(work, waitingAtMost: capacity)
    }

    /// The same without the bound, for what ends something that is bounded itself: one lookup's
    /// answer, one request's end. False only once the reactor has stopped.
    func submitAlways(_ work: @escaping @Sendable (Reactor) -> Void) -> Bool {
        submit(work, waitingAtMost: .max).isAccepted
    }

    private func submit(_ work: @escaping Work, waitingAtMost capacity: Int) -> Submission {
        let (outcome, isToWake): (Submission, Bool) = shared.withLock { shared in
            let waiting = shared.work.count + unrun.load(ordering: .relaxed)
            guard shared.isOpen else { return (.stopped, false) }
            guard waiting < capacity else { return (.tooMuchWaits, false) }
            shared.work.append(work)
            return (.accepted, announce(in: &shared))
        }
        if isToWake { wake() }
        return outcome
    }

    /// Makes `run()` return at the end of its turn. May be called on any thread, and again.
    public func stop() {
        stopFlag.store(true, ordering: .releasing)
        if shared.withLock({ announce(in: &$0) }) { wake() }
    }

    private func wake() {
        if !wakeup.signal() { shared.withLock { $0.owesWakeup = true } }
    }

    /// Whether the loop has to be woken: it is awake when it announces something itself, and looks
    /// before it sleeps. Under the lock, so that a loop which closes the queue, or another thread
    /// that takes the loop over, sees what was accepted before.
    private func announce(in shared: inout Shared) -> Bool {
        let wasPending = isPending.exchange(true, ordering: .acquiringAndReleasing)
        guard shared.loop != .current, !wasPending || shared.owesWakeup || wakesAlways else {
            return false
        }
        shared.owesWakeup = false
        return true
    }
}

// MARK: - The loop's side

extension RemoteReactor {
    @inline(__always)
    var hasPending: Bool { isPending.load(ordering: .acquiring) }

    package var stopsRequested: Bool { stopFlag.load(ordering: .acquiring) }

    /// Whether the reactor stops at the end of its turn, is stopping or has stopped.
    var isEnding: Bool { stopsRequested || shared.withLock { !$0.isOpen } }

    var isOnLoop: Bool { shared.withLock { $0.loop == .current } }

    /// Whether the calling code is part of a turn. Any thread may ask, also one that made the
    /// reactor and gave it away.
    var isInTurn: Bool { shared.withLock { $0.isRunning && $0.loop == .current } }

    func adoptThread() {
        shared.withLock { shared in
            shared.loop = .current
            shared.isRunning = true
        }
    }

    func leaveThread() { shared.withLock { $0.isRunning = false } }

    /// Exchanges the waiting work for the empty queue `others`, whose memory is used again.
    func take(into others: Queue<Work>) {
        isPending.store(false, ordering: .sequentiallyConsistent)
        shared.withLock { shared in
            shared.work.exchange(with: others)
            unrun.store(others.count, ordering: .relaxed)
        }
    }

    /// Of what was taken so much has not begun to run.
    @inline(__always)
    func note(unrun: Int) { self.unrun.store(unrun, ordering: .relaxed) }

    /// Refuses work from now on.
    func close() { shared.withLock { $0.isOpen = false } }
}
