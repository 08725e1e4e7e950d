// The bounds of the loop, each with its unit, its default and the reason for that; and what
// memory all bounds come to.

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

    /// Pieces of submitted work that run a turn; and of the loop's own calls as many. Default
    /// 1,024, as for timers.
    public var maximumWorkPerTurn = 1024

    /// Pieces of submitted work that may wait, or have not run yet; more are refused. Default
    /// 65,536: some megabytes.
    public var maximumWaitingWork = 65_536

    /// Sessions that are flushed a turn: one write each, of no more than waits. Default 1,024: what
    /// is sent to ten thousand at once leaves in ten turns.
    public var maximumFlushesPerTurn = 1024

    /// Sessions, servers and the like that are released a turn, with their close handlers. Default
    /// 1,024, as for timers.
    public var maximumReleasesPerTurn = 1024

    /// Bytes of idle buffers kept for use. Default 32 MiB: four thousand of the smallest, sixteen
    /// of those that a packet of the default's largest size needs.
    public var maximumIdleBufferBytes = 32 << 20

    /// The time between the end of the servers' sessions and the reactor's stop, in a drain
    /// (`Reactor.drain(within:spread:notice:completion:)`): for the program's last word
    /// (`Reactor.onDrained`), and for what is queued for the peers of clients. Default 1 s: some
    /// round trips; the end of a drain is not to wait for a peer that does not answer.
    public var farewellTimeout = Duration.seconds(1)

    /// How long the loop looks for events without sleeping before it sleeps, after each turn; zero
    /// to a second. Default zero: it sleeps at once, and an idle reactor costs nothing.
    ///
    /// It saves the wake-up where the next packet comes within that time, and takes the processor
    /// for as long after every turn, at a system call a look. It is for those who give the reactor
    /// a core of its own: on a shared one it takes the time of what it waits for.
    public var spin = Duration.zero

    /// The defaults.
    public init() {}

    /// Traps on bounds that let nothing through.
    func validate() {
        demand(
            (1...1 << 26).contains(maximumBytesReadPerTurn),
            "maximumBytesReadPerTurn: 1 byte to 64 MiB")
        demand(maximumTimersPerTurn > 0, "maximumTimersPerTurn: at least 1")
        demand(maximumWorkPerTurn > 0, "maximumWorkPerTurn: at least 1")
        demand(maximumWaitingWork > 0, "maximumWaitingWork: at least 1")
        demand(maximumFlushesPerTurn > 0, "maximumFlushesPerTurn: at least 1")
        demand(maximumReleasesPerTurn > 0, "maximumReleasesPerTurn: at least 1")
        demand(maximumIdleBufferBytes >= 0, "maximumIdleBufferBytes: not negative")
        demand(farewellTimeout >= .zero, "farewellTimeout: not negative")
        demand((Duration.zero ... .seconds(1)).contains(spin), "spin: zero to a second")
    }
}

/// So many times so many bytes, but no more than 2^48: more than a process can address.
func boundedProduct(_ count: Int, _ bytes: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: bytes)
    return overflow ? 1 << 48 : min(product, 1 << 48)
}

extension Reactor {
    /// The most memory, in bytes, that the buffers of this reactor and of its servers, clients and
    /// sessions can take, by their limits. What applications keep is theirs to bound, and what the
    /// kernel keeps is not in it (`SessionOptions.sendBuffer`). It is added up from what there is
    /// now, at the cost of a look at each. On the loop's thread.
    public var memoryBound: Int {
        registry.requireLoop("Reactor.memoryBound")
        var bound =
            boundedProduct(1, registry.limits.maximumIdleBufferBytes) + 2
            * BufferPool.capacity(for: registry.limits.maximumBytesReadPerTurn)
        // What many endpoints come to by the largest limits has no sum.
        registry.sources.forEach { _, source in
            let (sum, overflow) = bound.addingReportingOverflow(source.memoryBound)
            bound = overflow ? .max : sum
        }
        return bound
    }
}
