// How a server listens, and what an address that cannot be listened on is answered with.

/// How a server listens, and how its sessions behave.
public struct ServerOptions: Sendable {
    /// How many sessions it has.
    public var limits = ServerLimits()

    /// How they behave.
    public var session = SessionOptions()

    /// SO_REUSEPORT: several reactors, of this process or others of the same user, may listen on
    /// the port, and the kernel spreads the connections. Default false.
    public var reusesPort = false

    /// Whether connections come through proxies that say whose they are (the PROXY protocol,
    /// versions 1 and 2). Nil, the default: they come from the clients themselves.
    public var proxyProtocol: ProxyProtocol?

    /// The defaults.
    public init() {}
}

/// An address that could not be listened on or connected to, and the call that failed.
public struct EndpointError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public let address: SocketAddress

    /// The system call that the kernel refused, and why.
    public let cause: SystemError

    /// `127.0.0.1:80: bind: Permission denied`.
    public var description: String { "\(address): \(cause)" }
}
