// A reactor tells its supervisor how it is.

extension Reactor {
    /// Tells the supervisor how this reactor is. On the loop's thread, or before it runs; once is
    /// enough.
    ///
    /// `READY=1` is sent in the first turn in which `isReady`: so after all that listens before
    /// `run()`. `STOPPING=1` is sent when a drain begins. Where the supervisor has a watchdog,
    /// `WATCHDOG=1` is sent twice within its time, from the loop's own turn: so a process whose
    /// loop is held by a handler is ended and started again. What could not be told is an event
    /// (`ReactorEvent.supervisorNotTold`).
    public func report(to supervisor: Supervisor) {
        registry.requireLoop("Reactor.report(to:)")
        let endpoints = registry.endpoints
        // Until the first turn more may come to listen.
        callSoon {
            if endpoints.readiness.isReady { endpoints.tell(supervisor, .ready) }
            endpoints.readiness.watch(
                ServingReadiness.Watcher(
                    whenReady: { endpoints.tell(supervisor, .ready) },
                    whenDrained: { time in
                        let end = time + Self.timeToExit
                        endpoints.tell(supervisor, .stopping(within: end))
                    }))
        }
        guard let half = supervisor.watchdog.map({ $0 / 2 }) else { return }
        schedule(after: half, repeating: half) { endpoints.tell(supervisor, .alive) }
    }

    /// What a process may need from the end of its drain to its own.
    private static let timeToExit = Duration.seconds(2)
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
