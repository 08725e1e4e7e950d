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
        SupervisorReports(to: supervisor, count: 1).follow(self, at: 0)
    }
}
