// The user's own timers: closures, called once or at intervals.

/// A scheduled call, which can be taken back. Belongs to the reactor's thread.
public struct ScheduledTimer {
    fileprivate let timers: UserTimers
    fileprivate let number: SlabKey

    /// Takes the call back: it is not made any more, also when it has come due in this very turn.
    /// - Returns: false when there was nothing to take back.
    @discardableResult
    public func cancel() -> Bool {
        timers.registry.requireLoop("ScheduledTimer.cancel()")
        return timers.cancel(number)
    }
}

extension Reactor {
    /// Calls `action` on the loop once `delay` has passed: never before, and as soon after as the
    /// loop gets to it (about a millisecond when it is idle). `repeating` calls it again at that
    /// interval, in step with the first call; intervals that were missed are left out.
    ///
    /// A delay of zero or less is due at the next millisecond; an interval is at least a
    /// millisecond. On the loop's thread, or before it runs. Timers do not keep a stopped reactor
    /// alive: those that are left are dropped.
    @discardableResult
    public func schedule(
        after delay: Duration, repeating interval: Duration? = nil, _ action: @escaping () -> Void
    ) -> ScheduledTimer {
        registry.requireLoop("Reactor.schedule(after:)")
        let number = timers.schedule(
            at: registry.kernel.now() + delay.clampedNanoseconds,
            every: interval.map { max($0.clampedNanoseconds, Registry.nanosecondsPerTick) },
            action)
        return ScheduledTimer(timers: timers, number: number)
    }
}

/// Owns the timers' actions.
///
/// Invariant: an action is in `actions` exactly as long as its wheel timer is armed, whose payload
/// is the action's index there.
final class UserTimers: EventSource {
    private struct Action {
        let call: () -> Void
        let interval: Int64?
        var deadline: Int64
        var timer: TimerKey
    }

    let registry: Registry
    var key = SlabKey.none
    private let actions = Slab<Action>()

    init(registry: Registry) { self.registry = registry }

    func schedule(
        at deadline: Int64, every interval: Int64?, _ call: @escaping () -> Void
    ) -> SlabKey {
        // The reactor has ended: an action kept now would keep what it holds, perhaps the reactor.
        guard registry.sources[key] != nil else { return .none }
        var action = Action(call: call, interval: interval, deadline: deadline, timer: .none)
        let number = actions.insert(action)
        action.timer = registry.arm(key, at: deadline, payload: number.index)
        actions.replace(number, with: action)
        return number
    }

    func cancel(_ number: SlabKey) -> Bool {
        guard let action = actions.remove(number) else { return false }
        registry.wheel.cancel(action.timer)
        return true
    }

    /// The action is settled before it is called, so that it may cancel or schedule anything.
    func expired(_ timer: TimerKey, payload: UInt32) {
        guard let number = actions.key(at: payload), var action = actions[number] else {
            trap("a timer without an action")
        }
        if let interval = action.interval {
            let missed = max(0, registry.now - action.deadline) / interval
            action.deadline += (missed + 1) * interval
            action.timer = registry.arm(key, at: action.deadline, payload: payload)
            actions.replace(number, with: action)
        } else {
            actions.remove(number)
        }
        action.call()
    }

    func release() {
        actions.forEach { number, _ in _ = cancel(number) }
    }
}
