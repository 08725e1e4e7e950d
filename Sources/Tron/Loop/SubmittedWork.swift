// The loop's side of the work that was handed over: taken in batches, run within a budget.

/// Work that the loop has taken and not yet run. Belongs to the reactor's thread.
///
/// Invariant: 0 <= next <= count, and `work` before `next` has been run.
final class SubmittedWork {
    private let remote: RemoteReactor
    private var work: [RemoteReactor.Work] = []
    private var next = 0
    private var count = 0

    init(from remote: RemoteReactor) { self.remote = remote }

    /// Whether there is work, here or where it was handed over.
    var isWaiting: Bool { next < count || remote.hasPending }

    /// Runs the oldest work. What the work itself hands over is left for the next turn.
    func run(on reactor: Reactor, atMost budget: Int) {
        if next == count {
            guard remote.hasPending else { return }
            takeBatch()
        }
        for _ in 0..<min(budget, count - next) {
            next += 1
            work[next - 1](reactor)
        }
        // What has been run lets go of what it holds.
        if next == count { forget() }
    }

    private func takeBatch() {
        remote.take(into: &work)
        count = work.count
    }

    private func forget() {
        work.removeAll(keepingCapacity: true)
        next = 0
        count = 0
    }
}
