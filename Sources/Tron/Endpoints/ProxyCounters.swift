// What servers behind proxies did not take, by cause.

/// What a server closed because of `ServerOptions.proxyProtocol`, by cause.
public struct ProxyCounters: CounterSet {
    /// Connections from addresses that are in none of its networks.
    public var untrusted = 0
    /// Connections above `ServerLimits.maximumConnectionsWithoutHeader`.
    public var tooMany = 0
    /// Headers that are none, or are not accepted.
    public var faulty = 0
    /// Headers that had not come within `ProxyProtocol.timeLimit`.
    public var late = 0
    /// Connections that ended before their header had come.
    public var ended = 0
    /// Connections without a header yet when the server stopped listening.
    public var stopped = 0

    /// All zero.
    public init() {}

    /// All of them.
    public var total: Int { untrusted + tooMany + faulty + late + ended + stopped }

    /// Combines number by number.
    public mutating func combine(_ other: ProxyCounters, _ operation: (Int, Int) -> Int) {
        untrusted = operation(untrusted, other.untrusted)
        tooMany = operation(tooMany, other.tooMany)
        faulty = operation(faulty, other.faulty)
        late = operation(late, other.late)
        ended = operation(ended, other.ended)
        stopped = operation(stopped, other.stopped)
    }

    mutating func count(_ refusal: ReactorEvent.Refusal) {
        switch refusal {
        case .untrustedProxy: untrusted += 1
        case .connectionsWithoutHeader: tooMany += 1
        case .proxyHeader: faulty += 1
        case .lateProxyHeader: late += 1
        case .endedBeforeProxyHeader: ended += 1
        case .stoppedBeforeProxyHeader: stopped += 1
        case .sessions, .sessionsPerAddress, .serverStopped: break
        }
    }
}
