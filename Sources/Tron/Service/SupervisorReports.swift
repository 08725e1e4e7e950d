// What a supervisor hears of several reactors, as if they were one.

/// Tells a supervisor how reactors are, each message once for all of them.
final class SupervisorReports: Sendable {
    /// What a process may need from the end of its drain to its own.
    private static let timeToExit = Duration.seconds(2)

    private struct Turns {
        /// Those that have turned since the last `WATCHDOG=1`.
        var turned: Set<Int> = []
        /// Those that have ended: nobody waits for them.
        var ended: Set<Int> = []
    }

    private let supervisor: Supervisor
    private let count: Int
    private let readiness: SharedReadiness
    private let turns = Locked(Turns())

    init(to supervisor: Supervisor, count: Int) {
        self.supervisor = supervisor
        self.count = count
        readiness = SharedReadiness(count: count)
    }

    /// On the reactor's thread, or before it runs.
    func follow(_ reactor: Reactor, at index: Int) {
        let endpoints = reactor.registry.endpoints
        readiness.follow(
            reactor, at: index, whenReady: { [supervisor] in endpoints.tell(supervisor, .ready) },
            whenDrained: { [supervisor] time in
                endpoints.tell(supervisor, .stopping(within: time + Self.timeToExit))
            })
        guard let half = supervisor.watchdog.map({ $0 / 2 }) else { return }
        reactor.schedule(after: half, repeating: half) { [self] in
            if haveAllTurned(with: index) { endpoints.tell(supervisor, .alive) }
        }
    }

    /// The others go on without it.
    func ended(at index: Int) {
        readiness.ended()
        turns.withLock { _ = $0.ended.insert(index) }
    }

    private func haveAllTurned(with index: Int) -> Bool {
        turns.withLock { turns in
            turns.turned.insert(index)
            guard turns.turned.union(turns.ended).count == count else { return false }
            turns.turned = []
            return true
        }
    }
}

extension Endpoints {
    fileprivate func tell(_ supervisor: Supervisor, _ message: SupervisorMessage) {
        do throws(SystemError) {
            try supervisor.send(message)
        } catch {
            report(.supervisorNotTold(error))
        }
    }
}
