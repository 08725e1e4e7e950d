// The loop's side of the work that was handed over: taken in batches, run within a budget.

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
