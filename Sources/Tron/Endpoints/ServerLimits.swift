// The bounds of a server: each with its name, its unit, its default, and the reason for that.

/// How many sessions a server has.
public struct ServerLimits: Sendable, Hashable {
    /// Sessions at the same time; further connections are accepted and closed at once, so that
    /// their peers learn of it. Default 100,000.
    public var maximumSessions = 100_000

    /// Sessions at the same time from one host (IPv4 or IPv6 address; all Unix peers are one).
    /// Nil, the default: no limit of its own, since proxies and NAT make one host of many peers.
    public var maximumSessionsPerAddress: Int?

    /// Connections that wait to be accepted, as in listen(2). Default 4,096, the kernel's own
    /// default bound (net.core.somaxconn).
    public var backlog = 4096

    /// Connections a server accepts a turn. Default 64: about a tenth of a millisecond.
    public var maximumAcceptsPerTurn = 64

    /// Connections a server accepts a second, and at once. Further ones wait in the backlog until
    /// there are tokens again: to close them would have their peers come back at once, and cost as
    /// much. Nil, the default: no limit, since what accepting costs is little beside what setups
    /// may do.
    public var maximumAcceptRate: RateLimit?

    /// Bytes of a PROXY header, where `ServerOptions.proxyProtocol` requires one. Default 4,096:
    /// addresses take at most 232, names some hundred, a client's certificate about 2,000. 256 to
    /// 65,551, the longest there is.
    public var maximumProxyHeaderLength = 4096

    /// Connections at the same time whose PROXY header has not come yet; further ones are closed at
    /// once. They count as sessions, too. Default 1,024, which take 8 MiB at the most: proxies send
    /// the header with their first segment, so that few wait for longer than a round trip.
    public var maximumConnectionsWithoutHeader = 1024

    /// The defaults.
    public init() {}

    /// Traps on bounds that admit nobody.
    func validate() {
        demand(maximumSessions > 0, "maximumSessions: at least 1")
        demand(maximumSessionsPerAddress ?? 1 > 0, "maximumSessionsPerAddress: at least 1")
        demand(maximumAcceptsPerTurn > 0, "maximumAcceptsPerTurn: at least 1")
        demand(backlog > 0, "backlog: at least 1")
        demand(
            (256...65_551).contains(maximumProxyHeaderLength),
            "maximumProxyHeaderLength: 256 to 65,551")
        demand(
            maximumConnectionsWithoutHeader > 0, "maximumConnectionsWithoutHeader: at least 1")
    }
}
