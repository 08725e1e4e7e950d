// Whether a reactor is to be sent work: told apart from whether its loop turns.

/// What a balancer or a supervisor is told. Who watches is told of each change, and once of a
/// drain.
struct ServingReadiness {
    private enum Phase {
        case preparing, ready
        /// A drain has begun, or the reactor has ended: there is no way back.
        case over
    }

    /// What is called as the phase changes.
    struct Watcher {
        /// With whether it is ready now.
        let whenChanged: (Bool) -> Void
        /// With the time after which the process is to have ended.
        let whenDrained: (Duration) -> Void
    }

    private var phase = Phase.ready
    private var watchers: [Watcher] = []

    var isReady: Bool { phase == .ready }

    var isPreparing: Bool { phase == .preparing }

    /// Whether a program has said that it prepares itself. What follows is called by the caller,
    /// so that nothing happens during the change.
    mutating func setPreparing(_ isPreparing: Bool) -> [() -> Void] {
        guard phase != .over, isPreparing == isReady else { return [] }
        phase = isPreparing ? .preparing : .ready
        return watchers.map { watcher in { watcher.whenChanged(!isPreparing) } }
    }

    mutating func watch(_ watcher: Watcher) { watchers.append(watcher) }

    mutating func drains(within deadline: Duration) -> [() -> Void] {
        guard phase != .over else { return [] }
        phase = .over
        return watchers.map { watcher in { watcher.whenDrained(deadline) } }
    }

    /// Watchers may hold the reactor.
    mutating func end() {
        phase = .over
        watchers = []
    }
}

extension Reactor {
    /// Whether this reactor is to be sent work: not while `isPreparing`, and not from the beginning
    /// of a drain on. That its loop turns is another question: a reactor that drains is alive. On
    /// the loop's thread, or before it runs.
    public var isReady: Bool {
        registry.requireLoop("Reactor.isReady")
        return registry.endpoints.readiness.isReady
    }

    /// Whether the program is not able to serve yet, though its servers may listen: it fills its
    /// caches, say. Set before `run()`, and to false when it is able to; whoever cannot serve for a
    /// while may set it again. Default false. Once a drain has begun, setting it changes
    /// nothing. On the loop's thread, or before it runs.
    public var isPreparing: Bool {
        get {
            registry.requireLoop("Reactor.isPreparing")
            return registry.endpoints.readiness.isPreparing
        }
        set {
            registry.requireLoop("Reactor.isPreparing")
            let calls = registry.endpoints.readiness.setPreparing(newValue)
            for call in calls { call() }
        }
    }
}
