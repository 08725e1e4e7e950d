// What servers and clients have done: plain numbers that add and subtract.

/// What a server has done so far, or several.
public struct ServerCounters: CounterSet {
    /// Sessions that were opened.
    public var accepted = 0
    /// Connections closed at once because of `ServerLimits.maximumSessions`.
    public var refusedByLimit = 0
    /// Connections closed at once because of `ServerLimits.maximumSessionsPerAddress`.
    public var refusedByAddressLimit = 0
    /// Connections that were lost between the kernel's accept and the session.
    public var failed = 0
    /// How often accepting was suspended, because no descriptor was free, or because connection
    /// after connection failed.
    public var exhaustions = 0
    /// How often accepting waited for `ServerLimits.maximumAcceptRate`.
    public var ratePauses = 0
    /// Connections that went to another reactor of the group, which had fewer sessions
    /// (`ReactorGroup`).
    public var handedOver = 0
    /// Connections that came from another reactor of the group.
    public var takenOver = 0
    /// Connections that came from another reactor of the group when the server had stopped
    /// listening: closed at once.
    public var refusedByStop = 0
    /// Connections closed because of `ServerOptions.proxyProtocol`.
    public var proxy = ProxyCounters()

    /// All zero.
    public init() {}

    /// Combines number by number.
    public mutating func combine(_ other: ServerCounters, _ operation: (Int, Int) -> Int) {
        accepted = operation(accepted, other.accepted)
        refusedByLimit = operation(refusedByLimit, other.refusedByLimit)
        refusedByAddressLimit = operation(refusedByAddressLimit, other.refusedByAddressLimit)
        failed = operation(failed, other.failed)
        exhaustions = operation(exhaustions, other.exhaustions)
        ratePauses = operation(ratePauses, other.ratePauses)
        handedOver = operation(handedOver, other.handedOver)
        takenOver = operation(takenOver, other.takenOver)
        refusedByStop = operation(refusedByStop, other.refusedByStop)
        proxy.combine(other.proxy, operation)
    }
}

/// What a client has done so far, or several.
///
/// Every request that was asked for is answered, timed out or failed, or is still pending.
public struct ClientCounters: CounterSet {
    /// Attempts to connect to an address.
    public var dials = 0
    /// Connections established.
    public var connections = 0
    /// How often it tried anew after the delay of its backoff.
    public var reconnects = 0
    /// Requests that were sent, each time that they were.
    public var requestsSent = 0
    /// Requests that were answered.
    public var requestsAnswered = 0
    /// Requests that timed out.
    public var requestsTimedOut = 0
    /// Requests that ended otherwise: refused, lost with their connection, or cancelled.
    public var requestsFailed = 0
    /// Answers to requests that had ended: dropped.
    public var lateAnswers = 0

    /// All zero.
    public init() {}

    /// Combines number by number.
    public mutating func combine(_ other: ClientCounters, _ operation: (Int, Int) -> Int) {
        dials = operation(dials, other.dials)
        connections = operation(connections, other.connections)
        reconnects = operation(reconnects, other.reconnects)
        requestsSent = operation(requestsSent, other.requestsSent)
        requestsAnswered = operation(requestsAnswered, other.requestsAnswered)
        requestsTimedOut = operation(requestsTimedOut, other.requestsTimedOut)
        requestsFailed = operation(requestsFailed, other.requestsFailed)
        lateAnswers = operation(lateAnswers, other.lateAnswers)
    }
}
