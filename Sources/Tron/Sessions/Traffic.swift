// What moved through sessions: plain numbers that add and subtract.

/// Numbers that only grow: those of several sources add up, and of two readings of one source the
/// earlier can be subtracted.
public protocol CounterSet: Hashable, Sendable {
    /// Replaces each number by what `operation` makes of it and the other's.
    mutating func combine(_ other: Self, _ operation: (Int, Int) -> Int)

    /// Adds the numbers of another source.
    mutating func add(_ other: Self)
}

extension CounterSet {
    /// Adds the numbers of another source.
    public mutating func add(_ other: Self) { combine(other, &+) }

    /// What was counted since an earlier reading of the same source.
    public func since(_ earlier: Self) -> Self {
        var difference = self
        difference.combine(earlier, &-)
        return difference
    }
}

/// What moved through a session, or through several.
public struct Traffic: CounterSet {
    /// Bytes received.
    public var bytesReceived = 0
    /// Bytes the kernel took.
    public var bytesSent = 0
    /// Packets or frames delivered to the handler, or parts that a handler of bytes consumed at a
    /// time. Heartbeats are not among them.
    public var packetsReceived = 0
    /// Packets queued. Heartbeats are not among them.
    public var packetsSent = 0
    /// Packets that were not queued: too large, too many, too late, or not
    /// whole.
    public var packetsRefused = 0
    /// How often reading waited for `SessionLimits.maximumPacketRate`.
    public var ratePauses = 0

    /// All zero.
    public init() {}

    /// Bytes in both directions.
    public var bytes: Int { bytesReceived + bytesSent }

    /// Combines number by number.
    public mutating func combine(_ other: Traffic, _ operation: (Int, Int) -> Int) {
        bytesReceived = operation(bytesReceived, other.bytesReceived)
        bytesSent = operation(bytesSent, other.bytesSent)
        packetsReceived = operation(packetsReceived, other.packetsReceived)
        packetsSent = operation(packetsSent, other.packetsSent)
        packetsRefused = operation(packetsRefused, other.packetsRefused)
        ratePauses = operation(ratePauses, other.ratePauses)
    }
}
