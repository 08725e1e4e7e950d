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

    /// How long a drain has the server still accept, while the kernel drops what asks for a new
    /// connection: so that whoever has connected already, or is in the middle of it, is served and
    /// told of the drain like the others. After that the server accepts until nobody waits any
    /// more, and closes its listener; 10 ms later the first sessions are told, so that what they
    /// have sent is read before. The deadline of the drain bounds it all.
    ///
    /// Nil, the default: a server stops listening at once, and the kernel resets the connections
    /// that wait. In a group (`ReactorGroup`) nil stands for 200 ms: a handshake's round trip
    /// around half the world. Of a Unix socket, whose connections have no handshake, only those
    /// that wait are accepted. An inherited listener is closed at once: who waits there is served
    /// by the process that has it, too.
    public var drainWindow: Duration?

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
