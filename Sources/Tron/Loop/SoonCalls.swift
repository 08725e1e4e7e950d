// Closures of the application that run in the work phase that comes next.

extension Reactor {
    /// Has `work` called on the loop in the next work phase: later in this turn, or in the next
    /// turn when it is asked for in the work phase or after it. Calls are made in the order in
    /// which they were asked for, and before `run()` returns. Since it stays on the thread, the
    /// closure may capture anything; `submit` is for other threads. On the loop's thread, or before
    /// it runs.
    ///
    /// However many were asked for before the phase begins, it makes them all, or a turn's handlers
    /// could ask for more than a turn makes, and they would pile up without end: what a handler
    /// leaves for later costs the turn as much as if it had done it itself.
    /// - Returns: false, and the closure is dropped, when the reactor has stopped.
    @discardableResult
    public func callSoon(_ work: @escaping () -> Void) -> Bool {
        registry.requireLoop("Reactor.callSoon")
        return registry.soonCalls.add(work, in: registry)
    }
}

/// The calls that wait. Belongs to the reactor's thread.
///
/// Invariant: while any waits, one of the registry's own calls is to make them.
final class SoonCalls {
    private let waiting = Queue<() -> Void>()
    private var isAskedFor = false
    private var hasEnded = false

    func add(_ call: @escaping () -> Void, in registry: Registry) -> Bool {
        guard !hasEnded else { return false }
        waiting.append(call)
        if !isAskedFor {
            isAskedFor = true
            registry.callLater { self.make() }
        }
        return true
    }

    /// Those that are asked for by these are left for the next turn.
    private func make() {
        isAskedFor = false
        for _ in 0..<waiting.count { waiting.take()?() }
    }

    /// Drops what is left, and takes nothing any more: it could hold the reactor.
    func end() {
        hasEnded = true
        waiting.removeAll()
    }
}
