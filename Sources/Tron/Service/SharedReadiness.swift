// Whether several reactors are ready together: when the last one is, until the first drains.

/// The readiness of a group. Each reactor tells its own, on its thread.
final class SharedReadiness: Sendable {
    private struct State {
        var ready: Set<Int> = []
        /// One has begun to drain, or has ended: there is no way back.
        var isOver = false
        var wasTold = false
        var drainWasTold = false
    }

    private let count: Int
    private let state = Locked(State())

    init(count: Int) { self.count = count }

    var isReady: Bool { state.withLock { $0.ready.count == count && !$0.isOver } }

    /// Looks at a reactor from its first turn on: until then more may come to listen. `whenReady`
    /// is called on the loop of the one by which all are ready, `whenDrained` on that of the first
    /// that drains, with the time after which it is to have ended.
    func follow(
        _ reactor: Reactor, at index: Int, whenReady: @escaping () -> Void = {},
        whenDrained: @escaping (Duration) -> Void = { _ in }
    ) {
        let endpoints = reactor.registry.endpoints
        let becomesReady = { if self.noteReady(index) { whenReady() } }
        let watcher = ServingReadiness.Watcher(
            whenReady: becomesReady,
            whenDrained: { time in if self.noteDrain() { whenDrained(time) } })
        reactor.callSoon {
            if endpoints.readiness.isReady { becomesReady() }
            endpoints.readiness.watch(watcher)
        }
    }

    /// One has ended, perhaps without a drain.
    func ended() { state.withLock { $0.isOver = true } }

    /// Whether all are ready now that this one is, for the first time.
    private func noteReady(_ index: Int) -> Bool {
        state.withLock { state in
            state.ready.insert(index)
            guard state.ready.count == count, !state.isOver, !state.wasTold else { return false }
            state.wasTold = true
            return true
        }
    }

    /// Whether this one is the first to drain.
    private func noteDrain() -> Bool {
        state.withLock { state in
            defer {
                state.isOver = true
                state.drainWasTold = true
            }
            return !state.drainWasTold
        }
    }
}
