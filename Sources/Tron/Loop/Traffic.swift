// What moved through sessions, and why they ended: plain numbers that add and subtract.

/// What moved through a session, or through several.
public struct Traffic: Hashable, Sendable {
    /// Bytes received.
    public var bytesReceived = 0
    /// Bytes the kernel took.
    public var bytesSent = 0
    /// Packets delivered to the handler.
    public var packetsReceived = 0
    /// Packets queued.
    public var packetsSent = 0
    /// Packets that were not queued: too large, too many, or too late.
    public var packetsRefused = 0

    /// Nothing.
    public init() {}

    /// Bytes in both directions.
    public var bytes: Int { bytesReceived + bytesSent }

    /// Adds what moved elsewhere.
    public mutating func add(_ other: Traffic) { combine(other, &+) }

    /// What moved since an earlier reading.
    public func since(_ earlier: Traffic) -> Traffic {
        var difference = self
        difference.combine(earlier, &-)
        return difference
    }

    private mutating func combine(_ other: Traffic, _ operation: (Int, Int) -> Int) {
        bytesReceived = operation(bytesReceived, other.bytesReceived)
        bytesSent = operation(bytesSent, other.bytesSent)
        packetsReceived = operation(packetsReceived, other.packetsReceived)
        packetsSent = operation(packetsSent, other.packetsSent)
        packetsRefused = operation(packetsRefused, other.packetsRefused)
    }
}

/// Why sessions end, without the details: what one counts by.
public enum CloseCause: Int, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    /// `CloseReason` of the same names.
    case requested, aborted, peerClosed, idle, dead, protocolFault, overflow, deadlineExceeded
    case reactorStopped
    /// The peer's kernel reset the connection (ECONNRESET, EPIPE).
    case reset
    /// The peer's kernel was silent for too long (ETIMEDOUT).
    case silent
    /// The kernel refused another call, or for another reason.
    case system

    /// The name in small letters: `peer_closed`.
    public var description: String {
        switch self {
        case .requested: "requested"
        case .aborted: "aborted"
        case .peerClosed: "peer_closed"
        case .idle: "idle"
        case .dead: "dead"
        case .protocolFault: "protocol_fault"
        case .overflow: "overflow"
        case .deadlineExceeded: "deadline_exceeded"
        case .reactorStopped: "reactor_stopped"
        case .reset: "reset"
        case .silent: "silent"
        case .system: "system"
        }
    }
}

/// How many sessions ended, by cause.
public struct CloseCounts: Hashable, Sendable {
    private var counts = Array(repeating: 0, count: CloseCause.allCases.count)

    /// None.
    public init() {}

    /// How many ended by this cause.
    public subscript(cause: CloseCause) -> Int {
        get { counts[cause.rawValue] }
        set { counts[cause.rawValue] = newValue }
    }

    /// How many ended.
    public var total: Int { counts.reduce(0, &+) }

    /// Adds those of elsewhere.
    public mutating func add(_ other: CloseCounts) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }

    /// Those since an earlier reading.
    public func since(_ earlier: CloseCounts) -> CloseCounts {
        var difference = self
        for index in counts.indices { difference.counts[index] &-= earlier.counts[index] }
        return difference
    }
}

/// What the sessions of a server, a client or a reactor did together, those that ended included.
public struct SessionTotals: Hashable, Sendable {
    /// What moved through them.
    public var traffic = Traffic()
    /// How many there are now.
    public var open = 0
    /// How many have ended, and why.
    public var closed = CloseCounts()
    /// Bytes that wait now to be sent.
    public var queuedBytes = 0
    /// The most bytes that ever waited in one of them.
    public var largestQueue = 0

    /// None.
    public init() {}

    /// How many there had been before, in a difference.
    private var openBefore = 0

    /// How many began.
    public var opened: Int { open - openBefore + closed.total }

    /// Adds those of elsewhere.
    public mutating func add(_ other: SessionTotals) {
        traffic.add(other.traffic)
        open += other.open
        openBefore += other.openBefore
        closed.add(other.closed)
        queuedBytes += other.queuedBytes
        largestQueue = max(largestQueue, other.largestQueue)
    }

    /// What they did since an earlier reading. What is told of now (`open`, `queuedBytes`) and the
    /// `largestQueue` stay as they are.
    public func since(_ earlier: SessionTotals) -> SessionTotals {
        var difference = self
        difference.traffic = traffic.since(earlier.traffic)
        difference.closed = closed.since(earlier.closed)
        difference.openBefore = openBefore + earlier.open - earlier.openBefore
        return difference
    }
}
