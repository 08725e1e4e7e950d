// Whether several reactors are ready together: while each is, until the first drains.

/// The readiness of a group: that of all its reactors, each of which tells its own, on its thread.
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

    /// Looks whether a reactor is ready from its first turn on: until then more may come to listen.
    /// Of all that are followed one is called back, on its loop: `whenReady` of the one by which
    /// all are ready, `whenDrained` of the first that drains, with the time after which it is to
    /// have ended.
    func follow(
        _ reactor: Reactor, at index: Int, whenReady: @escaping () -> Void = {},
        whenDrained: @escaping (Duration) -> Void = { _ in }
    ) {
        let endpoints = reactor.registry.endpoints
        let changes = { isReady in if self.note(isReady, of: index) { whenReady() } }
        var hasTurned = false
        let watcher = ServingReadiness.Watcher(
            whenChanged: { if hasTurned { changes($0) } },
            whenDrained: { time in if self.noteDrain() { whenDrained(time) } })
        endpoints.readiness.watch(watcher)
        reactor.callSoon {
            hasTurned = true
            changes(endpoints.readiness.isReady)
        }
    }

    /// One has ended, perhaps without a drain.
    func ended() { state.withLock { $0.isOver = true } }

    /// Whether all are ready now, for the first time.
    private func note(_ isReady: Bool, of index: Int) -> Bool {
        state.withLock { state in
            if isReady { state.ready.insert(index) } else { state.ready.remove(index) }
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
