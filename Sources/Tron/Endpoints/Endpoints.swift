// What the servers and clients of one reactor have together: their lists, their queue, their
// events.

/// Kept with the reactor. Holds no registry, which holds this.
final class Endpoints: ReactorCompanion {
    /// Those that have not been released.
    let servers = Slab<Server>()
    let clients = Slab<Client>()
    /// What those did that have been.
    var endedServers = ServerCounters()
    var endedClients = ClientCounters()

    /// Attempts of clients to connect at the same time.
    let attempts = Gate(limit: 256)

    func setAttemptLimit(_ limit: Int) {
        for key in attempts.setLimit(limit) where !admit(key) { leaveGate() }
    }

    /// The holder of a place at the gate leaves: lets the next in the queue dial. Those that were
    /// closed while they waited leave at once.
    func leaveGate() {
        while let key = attempts.leave(), !admit(key) {}
    }

    private func admit(_ key: SlabKey) -> Bool { clients[key]?.admit() ?? false }

    /// Whether the reactor can be sent work: see `Reactor.isReady`.
    var readiness = ServingReadiness()

    /// See `Reactor.onDrained`. What a former one held may call back when it goes.
    var drainedHandler: ((DrainReport, _ finish: @escaping @Sendable () -> Void) -> Void)? {
        didSet { withExtendedLifetime(oldValue) {} }
    }

    /// Whether the farewell of a drain has begun: see `Reactor.drain`.
    var saysFarewell = false

    /// Told of events, if anyone listens.
    var reporter: EventReporter?

    /// Reports what `event` makes, if anyone listens.
    @inline(__always)
    func report(_ event: @autoclosure () -> ReactorEvent) { reporter?.report(event()) }

    func end() {
        readiness.end()
        drainedHandler = nil
        servers.forEach { key, _ in servers.remove(key) }
        clients.forEach { key, _ in clients.remove(key) }
    }

    /// Reports the end of a session, which each owner does for its own.
    @inline(__always)
    func reportClosed(_ session: Session, _ reason: CloseReason) {
        report(.closed(session.id, peer: session.peer, reason, session.counters))
    }
}

extension Registry {
    var endpoints: Endpoints { companion { Endpoints() } }
}

extension Reactor {
    /// Clients that connect at the same time; the others wait their turn. Default 256: a restarted
    /// server's backlog is not flooded by one process. At least 1. On the loop's thread.
    public var maximumSimultaneousAttempts: Int {
        get { registry.endpoints.attempts.limit }
        set {
            registry.requireLoop("Reactor.maximumSimultaneousAttempts")
            demand(newValue > 0, "maximumSimultaneousAttempts: at least 1")
            registry.endpoints.setAttemptLimit(newValue)
        }
    }
}
