// The bounds of the loop: each with its name, its unit, its default, and the reason for that.

/// What one turn of a reactor does at most, and what the reactor itself holds at most.
///
/// The bounds of a turn keep any peer and any burst from starving the others: what is over is done
/// in the next turn, which follows at once.
public struct ReactorLimits: Sendable, Hashable {
    /// Bytes a session reads a turn. Default 256 KiB: it fits a second-level cache, and four of the
    /// largest usual segments (64 KiB) a call. It is also the size of the one receive buffer.
    public var maximumBytesReadPerTurn = 256 << 10

    /// Timers that fire a turn. Default 1,024: a burst of them delays readiness by a millisecond
    /// when each takes one microsecond.
    public var maximumTimersPerTurn = 1024

    /// Pieces of submitted work that run a turn. Default 1,024, as for timers.
    public var maximumWorkPerTurn = 1024

    /// Pieces of submitted work that may wait; more are refused. Default 65,536: some megabytes.
    public var maximumWaitingWork = 65_536

    /// Clients that connect at the same time; the others wait their turn. Default 256: a restarted
    /// server's backlog is not flooded by one process.
    public var maximumSimultaneousAttempts = 256

    /// Bytes of idle buffers kept for use. Default 8 MiB: a thousand of the smallest.
    public var maximumIdleBufferBytes = 8 << 20

    /// The defaults.
    public init() {}

    /// Traps on bounds that let nothing through.
    func validate() {
        demand(
            (1...1 << 26).contains(maximumBytesReadPerTurn), "maximumBytesReadPerTurn: up to 64 MiB"
        )
        demand(maximumTimersPerTurn > 0, "at least 1 a turn")
        demand(maximumWorkPerTurn > 0 && maximumWaitingWork > 0, "at least 1 a turn")
        demand(maximumSimultaneousAttempts > 0, "maximumSimultaneousAttempts: at least 1")
        demand(maximumIdleBufferBytes >= 0, "maximumIdleBufferBytes: not negative")
    }
}

/// So many times so many bytes, but no more than 2^48: more than a process can address, and little
/// enough for the sum of any number of endpoints.
func boundedProduct(_ count: Int, _ bytes: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: bytes)
    return overflow ? 1 << 48 : min(product, 1 << 48)
}
