// Making, naming and configuring nonblocking stream sockets.
internal import CEpollShim

/// How TCP looks for a dead peer while nothing is sent, as in tcp(7).
public struct Keepalive: Sendable, Hashable {
    /// Silence before the first probe; whole seconds, at least one.
    public var idle: Duration

    /// Time between probes; whole seconds, at least one.
    public var interval: Duration

    /// Unanswered probes after which the connection is dead.
    public var probes: Int

    /// Fractions of a second are rounded up. The kernel's largest values, 32,767 s and 127 probes,
    /// stand for all larger ones.
    public init(idle: Duration = .seconds(5), interval: Duration = .seconds(5), probes: Int = 3) {
        demand(idle > .zero, "keepalive.idle: more than zero")
        demand(interval > .zero, "keepalive.interval: more than zero")
        demand(probes > 0, "keepalive.probes: at least 1")
        self.idle = idle
        self.interval = interval
        self.probes = probes
    }
}

extension Descriptor {
    /// A nonblocking stream socket for addresses of this kind.
    static func socket(for address: SocketAddress, kernel: Kernel) throws(SystemError) -> Descriptor
    {
        let number = try SystemError.require(.socket) { kernel.socket(family: address.family) }
        return Descriptor(number, kernel: kernel)
    }

    borrowing func bind(to address: SocketAddress) throws(SystemError) {
        try SystemError.require(.bind) {
            unsafe address.withRawAddress { unsafe kernel.bind(number, $0, $1) }
        }
    }

    borrowing func listen(backlog: Int) throws(SystemError) {
        try SystemError.require(.listen) {
            kernel.listen(number, backlog: Int32(clamping: backlog))
        }
    }

    /// The next waiting connection with its peer's address; nil when none waits.
    borrowing func accept() throws(SystemError) -> Accepted? {
        let capacity = Int(tron_address_capacity())
        return try unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) {
            storage throws(SystemError) in
            let base = unsafe storage.baseAddress.unsafelyUnwrapped
            var length = UInt32(capacity)
            let number = try SystemError.judge(.accept4) {
                unsafe kernel.accept(self.number, base, &length)
            }
            guard let number else { return nil }
            return Accepted(
                descriptor: Descriptor(number, kernel: kernel),
                peer: unsafe SocketAddress(raw: base, length: length))
        }
    }

    struct Accepted: ~Copyable {
        let descriptor: Descriptor
        let peer: SocketAddress?
    }

    /// Starts to connect. True when the connection stands already (as with Unix sockets), false
    /// when writability will tell.
    borrowing func connect(to address: SocketAddress) throws(SystemError) -> Bool {
        let result = unsafe address.withRawAddress { unsafe kernel.connect(number, $0, $1) }
        // An interrupted connect goes on by itself; to repeat it would fail with EALREADY.
        if result == -Int(EINPROGRESS) || result == -Int(EINTR) { return false }
        try SystemError.require(.connect) { result }
        return true
    }

    /// Of a TCP listener: the kernel drops what asks for a new connection. Handshakes under way
    /// still end in the queue, and its connections go on.
    borrowing func dropNewConnections() throws(SystemError) {
        try SystemError.require(.setsockopt) { kernel.dropNewConnections(number) }
    }

    /// Of a Unix listener: connect(2) is refused from then on. What waits can still be accepted.
    borrowing func shutdownReading() throws(SystemError) {
        try SystemError.require(.shutdown) { kernel.shutdownReading(number) }
    }

    private borrowing func set(
        _ level: Int32, _ name: Int32, _ value: Int
    ) throws(SystemError) {
        try SystemError.require(.setsockopt) {
            kernel.setOption(number, level: level, name: name, value: Int32(clamping: value))
        }
    }

    borrowing func setReuseAddress() throws(SystemError) {
        try set(SOL_SOCKET, SO_REUSEADDR, 1)
    }

    borrowing func setReusePort() throws(SystemError) {
        try set(SOL_SOCKET, SO_REUSEPORT, 1)
    }

    /// Bounds IPv6 sockets to IPv6, so that [::] and 0.0.0.0 can both be listened on.
    borrowing func setIPv6Only() throws(SystemError) {
        try set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
    }

    /// The options of a TCP connection. Accepted sockets inherit them from their listener, so that
    /// a connection costs no call of its own.
    borrowing func setTCPOptions(
        noDelay: Bool, keepalive: Keepalive?, userTimeout: Duration?, sendBuffer: Int?
    ) throws(SystemError) {
        let tcp = Int32(IPPROTO_TCP)
        if noDelay { try set(tcp, TCP_NODELAY, 1) }
        if let keepalive {
            try set(SOL_SOCKET, SO_KEEPALIVE, 1)
            try set(tcp, TCP_KEEPIDLE, Self.keepaliveSeconds(keepalive.idle))
            try set(tcp, TCP_KEEPINTVL, Self.keepaliveSeconds(keepalive.interval))
            try set(tcp, TCP_KEEPCNT, min(keepalive.probes, 127))
        }
        if let userTimeout {
            try set(tcp, TCP_USER_TIMEOUT, Int(userTimeout.roundedUp(to: .milliseconds(1))))
        }
        if let sendBuffer { try set(SOL_SOCKET, SO_SNDBUF, sendBuffer) }
    }

    /// The kernel refuses more than it can count to.
    private static func keepaliveSeconds(_ time: Duration) -> Int {
        Int(min(time.roundedUp(to: .seconds(1)), 32_767))
    }
}
