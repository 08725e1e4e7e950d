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

    /// The defaults.
    public init() {}

    /// Traps on bounds that admit nobody.
    func validate() {
        demand(maximumSessions > 0, "maximumSessions: at least 1")
        demand(maximumSessionsPerAddress ?? 1 > 0, "maximumSessionsPerAddress: at least 1")
        demand(maximumAcceptsPerTurn > 0, "maximumAcceptsPerTurn: at least 1")
        demand(backlog > 0, "backlog: at least 1")
    }
}
