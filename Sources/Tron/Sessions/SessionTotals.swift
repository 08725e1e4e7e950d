// What several sessions did together, those that ended included.

/// How many sessions ended, by cause.
public struct CloseCounts: CounterSet {
    private var counts = Array(repeating: 0, count: CloseCause.allCases.count)

    /// All zero.
    public init() {}

    /// How many ended by this cause.
    public subscript(cause: CloseCause) -> Int {
        get { counts[cause.rawValue] }
        set { counts[cause.rawValue] = newValue }
    }

    /// How many ended.
    public var total: Int { counts.reduce(0, &+) }

    /// Combines cause by cause.
    public mutating func combine(_ other: CloseCounts, _ operation: (Int, Int) -> Int) {
        for index in counts.indices {
            counts[index] = operation(counts[index], other.counts[index])
        }
    }
}

/// What the sessions of a server, a client or a reactor did together, those that ended included.
public struct SessionTotals: CounterSet {
    /// What moved through them.
    public var traffic = Traffic()
    /// How many there are now.
    public var open = 0
    /// How many have ended, and why.
    public var closed = CloseCounts()
    /// How many began.
    public var opened = 0
    /// Bytes that wait now to be sent.
    public var queuedBytes = 0
    /// The most bytes that ever waited in one of them.
    public var largestQueue = 0

    /// All zero.
    public init() {}

    /// Combines number by number. Of what is told of now (`open`, `queuedBytes`) and of
    /// `largestQueue` there is no difference: use `add` and `since`.
    public mutating func combine(_ other: SessionTotals, _ operation: (Int, Int) -> Int) {
        traffic.combine(other.traffic, operation)
        closed.combine(other.closed, operation)
        opened = operation(opened, other.opened)
    }

    /// Adds those of elsewhere.
    public mutating func add(_ other: SessionTotals) {
        combine(other, &+)
        open += other.open
        queuedBytes += other.queuedBytes
        largestQueue = max(largestQueue, other.largestQueue)
    }

    /// Adds a session that has not ended.
    mutating func count(_ session: Session) {
        traffic.add(session.counters)
        opened += 1
        open += 1
        queuedBytes += session.queuedBytes
        largestQueue = max(largestQueue, session.largestQueuedBytes)
    }

    /// Adds a session that ends.
    mutating func count(_ session: Session, endedBy reason: CloseReason) {
        traffic.add(session.counters)
        opened += 1
        closed[reason.cause] += 1
        largestQueue = max(largestQueue, session.largestQueuedBytes)
    }
}
