// The PROXY protocol as an option of servers: who has to speak it, and how soon.

/// How a server learns from proxies whose connections they pass on.
///
/// There is no way to have it without requiring it: what may or may not begin with a header can be
/// made up by anybody.
public struct ProxyProtocol: Sendable, Hashable {
    /// The networks of the proxies.
    public let networks: [Network]

    /// How long a proxy may take from its connection on to the last byte of its header.
    public let timeLimit: Duration

    /// Every connection has to begin with a header of version 1 or 2, and to come from one of these
    /// networks.
    ///
    /// A connection from elsewhere is closed unread. One from a proxy becomes a session once its
    /// header has come: `Session.remoteAddress` is then the client's, which
    /// `ServerLimits.maximumSessionsPerAddress` counts by, and `Session.proxied` has the rest. The
    /// header itself is neither delivered nor counted as received. A connection of the proxy's own
    /// (LOCAL, as for health checks), and one whose client it does not know, becomes a session with
    /// the proxy's address. What is faulty or late is closed, counted in `ServerCounters.proxy` and
    /// told as `ReactorEvent.refused`.
    ///
    /// - Parameters:
    ///   - networks: At least one. Whoever connects from there can claim any address.
    ///   - timeLimit: More than zero. Default 5 s: proxies send the header with their first
    ///     segment, which this leaves time to send again.
    /// - Returns: The rule, for `ServerOptions.proxyProtocol`.
    public static func required(
        from networks: [Network], within timeLimit: Duration = .seconds(5)
    ) -> ProxyProtocol {
        demand(!networks.isEmpty, "ProxyProtocol.required(from:): at least one network")
        demand(timeLimit > .zero, "ProxyProtocol.required(within:): more than zero")
        return ProxyProtocol(networks: networks, timeLimit: timeLimit)
    }

    func trusts(_ peer: SocketAddress?) -> Bool {
        guard let peer else { return false }
        return networks.contains { $0.contains(peer) }
    }
}
