// How long a reactor has existed: the clock that users can read.

extension Reactor {
    /// How long the reactor has existed, on the monotonic clock that its timers use.
    ///
    /// Each access reads the clock, so the difference of two readings is what lay between them,
    /// also within one handler. On the loop's thread, or before it runs.
    public var uptime: Duration {
        registry.requireLoop("Reactor.uptime")
        return .nanoseconds(registry.kernel.now() - registry.origin)
    }
}
