// Every bound of the library: its name, its unit, its default, and the reason for that.

/// What one turn of a reactor does at most, and what the reactor itself holds at most.
///
/// The bounds of a turn keep any peer and any burst from starving the others: what is over is done
/// in the next turn, which follows at once.
public struct ReactorLimits: Sendable, Hashable {
    /// Bytes a session reads a turn. Default 256 KiB: it fits a second-level cache, and four of the
    /// largest usual segments (64 KiB) a call. It is also the size of the one receive buffer.
    public var bytesReadPerTurn = 256 << 10

    /// Connections a server accepts a turn. Default 64: about a tenth of a millisecond.
    public var acceptsPerTurn = 64

    /// Timers that fire a turn. Default 1,024: a burst of them delays readiness by a millisecond
    /// when each takes one microsecond.
    public var timersPerTurn = 1024

    /// Pieces of submitted work that run a turn. Default 1,024, as for timers.
    public var submittedPerTurn = 1024

    /// Pieces of submitted work that may wait; more are refused. Default 65,536: some megabytes.
    public var submittedWaiting = 65_536

    /// Clients that connect at the same time; the others wait their turn. Default 256: a restarted
    /// server's backlog is not flooded by one process.
    public var simultaneousDials = 256

    /// Bytes of idle buffers kept for use. Default 8 MiB: a thousand of the smallest.
    public var idleBufferBytes = 8 << 20

    /// The defaults.
    public init() {}

    /// Traps on bounds that let nothing through.
    func validate() {
        precondition((1...1 << 26).contains(bytesReadPerTurn), "bytesReadPerTurn: up to 64 MiB")
        precondition(acceptsPerTurn > 0 && timersPerTurn > 0, "at least 1 a turn")
        precondition(submittedPerTurn > 0 && submittedWaiting > 0, "at least 1 a turn")
        precondition(simultaneousDials > 0, "simultaneousDials: at least 1")
        precondition(idleBufferBytes >= 0, "idleBufferBytes: not negative")
    }
}

/// What one session may hold, and how long its steps may take.
public struct SessionLimits: Sendable, Hashable {
    /// Bytes of data in a packet, received or sent. Default 1 MiB; at most 1 GiB. A handler of raw
    /// bytes may leave as many unconsumed.
    public var dataLength = 1 << 20

    /// Waiting output, in bytes, above which the session stops reading and says that it is not
    /// writable. Default 512 KiB: two reads' worth, so that an echo never meets it while its peer
    /// reads.
    public var outboundHighWatermark = 512 << 10

    /// Waiting output, in bytes, at or below which it reads again. Default 128 KiB: far enough
    /// below the high mark that the two do not alternate with every write.
    public var outboundLowWatermark = 128 << 10

    /// Waiting output, in bytes, that is never exceeded. Default 4 MiB. It is raised to hold one
    /// packet of `dataLength`.
    public var outboundBytes = 4 << 20

    /// Time from the first byte of a packet to its last, while the session reads. Default 60 s: a
    /// full packet at 17 KiB/s. A peer that sends a byte a second cannot hold memory for longer.
    /// Nil: no limit.
    public var packetTime: Duration? = .seconds(60)

    /// Time that `close()` waits: for waiting output to leave and then for the peer's end of
    /// stream. Default 10 s: some retransmissions.
    public var closeTime: Duration = .seconds(10)

    /// Bytes that `close()` reads and discards while it waits for the peer's end of stream; with
    /// unread input, the kernel would reset the connection and so destroy output on its way
    /// (RFC 1122, 4.2.2.13). Default 64 MiB: what a fast peer sends before it can have noticed.
    public var discardedBytes = 64 << 20

    /// Time that a half-closed session may live on after its peer's end of stream. Default 60 s.
    public var halfCloseTime: Duration = .seconds(60)

    /// The defaults.
    public init() {}

    /// The most that may wait to be sent, with room for one packet of the largest size.
    var outboundCapacity: Int { max(outboundBytes, dataLength + PacketFormat.overhead) }

    /// The memory that a session's buffers can take at most, in bytes. They are powers of two, and
    /// while one grows its predecessor is still there; a handler that pauses within a batch leaves
    /// a whole read behind what was kept before.
    func memoryBound(bytesReadPerTurn: Int) -> Int {
        let kept = dataLength + PacketFormat.overhead + bytesReadPerTurn
        let outbound = BufferPool.capacity(for: outboundCapacity)
        return (outbound + BufferPool.capacity(for: 2 * kept)) * 3 / 2
    }

    /// Traps on bounds that contradict each other.
    func validate() {
        precondition((0...1 << 30).contains(dataLength), "dataLength: 0 to 1 GiB")
        precondition((1...1 << 30).contains(outboundBytes), "outboundBytes: 1 byte to 1 GiB")
        precondition(
            (0...outboundBytes).contains(outboundHighWatermark),
            "outboundHighWatermark: 0 to outboundBytes")
        precondition(
            (0...outboundHighWatermark).contains(outboundLowWatermark),
            "outboundLowWatermark: 0 to the high watermark")
        precondition(discardedBytes >= 0, "discardedBytes: not negative")
        precondition(closeTime >= .zero && halfCloseTime >= .zero, "times: not negative")
    }
}

/// So many times so many bytes, but no more than 2^48: more than a process can address, and little
/// enough for the sum of any number of endpoints.
func boundedProduct(_ count: Int, _ bytes: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: bytes)
    return overflow ? 1 << 48 : min(product, 1 << 48)
}

/// How many sessions a server has.
public struct ServerLimits: Sendable, Hashable {
    /// Sessions at the same time; further connections are accepted and closed at once, so that
    /// their peers learn of it. Default 100,000.
    public var sessions = 100_000

    /// Sessions at the same time from one host (IPv4 or IPv6 address; all Unix peers are one).
    /// Nil, the default: no limit of its own, since proxies and NAT make one host of many peers.
    public var sessionsPerAddress: Int?

    /// Connections that wait to be accepted, as in listen(2). Default 4,096, the kernel's own
    /// default bound (net.core.somaxconn).
    public var backlog = 4096

    /// The defaults.
    public init() {}

    /// Traps on bounds that admit nobody.
    func validate() {
        precondition(sessions > 0 && sessionsPerAddress ?? 1 > 0, "sessions: at least 1")
        precondition(backlog > 0, "backlog: at least 1")
    }
}
