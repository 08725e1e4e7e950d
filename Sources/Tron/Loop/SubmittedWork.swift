// The loop's side of the work that was handed over: woken for, taken in batches, run in a budget.

/// Work that the loop has taken and not yet run. Belongs to the reactor's thread.
final class SubmittedWork {
    private let remote: RemoteReactor
    private let work = Queue<RemoteReactor.Work>()

    init(from remote: RemoteReactor) { self.remote = remote }

    /// Whether there is work, here or where it was handed over.
    var isWaiting: Bool { !work.isEmpty || remote.hasPending }

    /// Runs the oldest work. What the work itself hands over is left for the next turn.
    func run(on reactor: Reactor, atMost budget: Int) {
        if work.isEmpty { remote.take(into: work) }
        for _ in 0..<min(budget, work.count) {
            guard let piece = work.take() else { return }
            remote.note(unrun: work.count)
            piece(reactor)
        }
    }
}

/// Takes the eventfd's wake-ups; the work itself is found by its flag.
final class WakeupSource: EventSource {
    let registry: Registry
    var key = SlabKey.none
    private let remote: RemoteReactor

    init(_ remote: RemoteReactor, registry: Registry) {
        self.registry = registry
        self.remote = remote
    }

    /// What cannot be drained would be reported for ever.
    func ready(_ readiness: Readiness) {
        do throws(SystemError) {
            try remote.wakeup.drain()
        } catch {
            registry.failure = error
        }
    }
}
