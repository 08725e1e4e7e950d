// Work for the loop from other threads.
import Synchronization

/// A reactor as other threads may hold it.
///
/// It keeps nothing alive but itself: once the reactor has stopped, work is refused.
public final class RemoteReactor: Sendable {
    typealias Work = @Sendable (Reactor) -> Void

    private struct Queue {
        var work: [Work] = []
        var isOpen = true
        var loop = ThreadIdentity.current
        var isRunning = false
        /// The kernel refused a wake-up: the next submission makes up for it.
        var owesWakeup = false
    }

    private let queue: Locked<Queue>
    private let capacity: Int
    let wakeup: Wakeup

    /// Whether work or a stop waits that the loop has not seen. Work is pending, or the loop was
    /// woken, before a submission returns: so the loop never sleeps over it.
    private let isPending = Atomic(false)
    private let stopFlag = Atomic(false)

    init(kernel: Kernel, capacity: Int) throws(SystemError) {
        wakeup = try Wakeup(kernel: kernel)
        queue = Locked(Queue())
        self.capacity = capacity
    }

    /// Runs `work` on the loop, in the order of submission, with the reactor as its argument.
    ///
    /// May be called on any thread; it never blocks for longer than a lock takes. Work accepted
    /// before the reactor stops is run before `run()` returns.
    /// - Returns: false, and the work is dropped, when `ReactorLimits.maximumWaitingWork` pieces
    ///   wait
    ///   or the reactor has stopped.
    public func submit(_ work: @escaping @Sendable (Reactor) -> Void) -> Bool {
        submit(work, waitingAtMost: capacity)
    }

    /// The same without the bound, for what ends something that is bounded itself: one lookup's
    /// answer, one request's end. False only once the reactor has stopped.
    func submitAlways(_ work: @escaping @Sendable (Reactor) -> Void) -> Bool {
        submit(work, waitingAtMost: .max)
    }

    private func submit(_ work: @escaping Work, waitingAtMost capacity: Int) -> Bool {
        let (accepted, isToWake) = queue.withLock { queue in
            guard queue.isOpen, queue.work.count < capacity else { return (false, false) }
            queue.work.append(work)
            return (true, announce(in: &queue))
        }
        if isToWake { wake() }
        return accepted
    }

    /// Makes `run()` return at the end of its turn. May be called on any thread, and again.
    public func stop() {
        stopFlag.store(true, ordering: .releasing)
        if queue.withLock({ announce(in: &$0) }) { wake() }
    }

    private func wake() {
        if !wakeup.signal() { queue.withLock { $0.owesWakeup = true } }
    }

    /// Whether the loop has to be woken: it is awake when it announces something itself, and looks
    /// before it sleeps. Under the lock, so that a loop which closes the queue, or another thread
    /// that takes the loop over, sees what was accepted before.
    private func announce(in queue: inout Queue) -> Bool {
        let wasPending = isPending.exchange(true, ordering: .acquiringAndReleasing)
        guard queue.loop != .current, !wasPending || queue.owesWakeup else { return false }
        queue.owesWakeup = false
        return true
    }
}

// MARK: - The loop's side

extension RemoteReactor {
    @inline(__always)
    var hasPending: Bool { isPending.load(ordering: .acquiring) }

    var stopsRequested: Bool { stopFlag.load(ordering: .acquiring) }

    var isOnLoop: Bool { queue.withLock { $0.loop == .current } }

    /// Whether the calling code is part of a turn. Any thread may ask, also one that made the
    /// reactor and gave it away.
    var isInTurn: Bool { queue.withLock { $0.isRunning && $0.loop == .current } }

    func adoptThread() {
        queue.withLock { queue in
            queue.loop = .current
            queue.isRunning = true
        }
    }

    func leaveThread() { queue.withLock { $0.isRunning = false } }

    /// Exchanges the waiting work for the empty list `others`, whose memory is used again.
    func take(into others: inout [Work]) {
        isPending.store(false, ordering: .sequentiallyConsistent)
        queue.withLock { swap(&$0.work, &others) }
    }

    /// Refuses work from now on.
    func close() { queue.withLock { $0.isOpen = false } }
}
