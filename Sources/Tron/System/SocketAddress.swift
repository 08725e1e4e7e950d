// The address of one end of a connection: IPv4, IPv6 or a Unix path, as a small value.
internal import CEpollShim

/// Where a server listens or a client connects: an IPv4 or IPv6 host with a port, or a Unix path.
///
/// Its text forms are `127.0.0.1:9000`, `[::1]:9000`, `[fe80::1%lo]:9000`, `unix:/run/x.sock`
/// (or just `/run/x.sock`) and, for Linux's abstract namespace, `unix:@name`.
public enum SocketAddress: Hashable, Sendable {
    /// An IPv4 host in host byte order (127.0.0.1 is `0x7f00_0001`) and a port.
    case ipv4(host: UInt32, port: UInt16)

    /// An IPv6 host as its upper and lower halves in host byte order, the number of the interface
    /// for a link-local host (0 for none), and a port.
    case ipv6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)

    /// A Unix socket. The path of a client that did not bind its socket is empty.
    case unix(UnixPath)

    /// The address of this machine as only this machine sees it, 127.0.0.1.
    public static func loopback(port: UInt16) -> SocketAddress {
        .ipv4(host: 0x7f00_0001, port: port)
    }

    /// Every IPv4 address of this machine, 0.0.0.0, for a server to listen on.
    public static func any(port: UInt16) -> SocketAddress {
        .ipv4(host: 0, port: port)
    }

    /// The port, or nil for a Unix socket.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port): port
        case .ipv6(_, _, _, let port): port
        case .unix: nil
        }
    }

    /// Whether this is a Unix socket, named or not.
    public var isUnix: Bool {
        if case .unix = self { true } else { false }
    }

    /// The same host with another port. A Unix socket has no port and stays as it is.
    public func withPort(_ port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let host, _): .ipv4(host: host, port: port)
        case .ipv6(let high, let low, let scope, _):
            .ipv6(high: high, low: low, scope: scope, port: port)
        case .unix: self
        }
    }
}

extension SocketAddress {
    /// Names a peer's host whatever its port, to count the sessions of one host.
    enum HostKey: Hashable, Sendable {
        case internet(high: UInt64, low: UInt64, scope: UInt32)
        case unix
    }

    /// IPv4 hosts take their v4-mapped form, so that a host which reaches a dual-stack listener
    /// both ways counts once. All Unix peers are this machine.
    var hostKey: HostKey {
        switch self {
        case .ipv4(let host, _):
            .internet(high: 0, low: 0xffff_0000_0000 | UInt64(host), scope: 0)
        case .ipv6(let high, let low, let scope, _):
            .internet(high: high, low: low, scope: scope)
        case .unix: .unix
        }
    }
}

// MARK: - The kernel's form

extension SocketAddress {
    /// The address family that `socket(2)` asks for.
    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Reads what the kernel wrote; nil for a family that is none of the three.
    package init?(raw: UnsafeRawPointer, length: UInt32) {
        guard length >= UInt32(MemoryLayout<sa_family_t>.size) else { return nil }
        switch unsafe tron_address_family(raw) {
        case AF_INET:
            guard length >= UInt32(MemoryLayout<sockaddr_in>.size) else { return nil }
            var host: UInt32 = 0
            let port = unsafe tron_get_ipv4(raw, &host)
            self = .ipv4(host: UInt32(bigEndian: host), port: port)
        case AF_INET6:
            guard length >= UInt32(MemoryLayout<sockaddr_in6>.size) else { return nil }
            unsafe self.init(rawIPv6: raw)
        case AF_UNIX:
            self = .unix(unsafe UnixPath(raw: raw, length: Int(length)))
        default:
            return nil
        }
    }

    private init(rawIPv6 raw: UnsafeRawPointer) {
        var halves: (UInt64, UInt64) = (0, 0)
        var scope: UInt32 = 0
        let port = unsafe tron_get_ipv6(raw, &halves, &scope)
        self = .ipv6(
            high: UInt64(bigEndian: halves.0),
            low: UInt64(bigEndian: halves.1),
            scope: scope,
            port: port
        )
    }

    /// Lends the address in the kernel's form, on the stack, with its length.
    package func withRawAddress<R>(_ body: (UnsafeRawPointer, UInt32) throws -> R) rethrows -> R {
        let capacity = Int(tron_address_capacity())
        return try unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) {
            let start = $0.baseAddress!
            let length = unsafe write(to: start)
            return try unsafe body(UnsafeRawPointer(start), length)
        }
    }

    private func write(to storage: UnsafeMutableRawPointer) -> UInt32 {
        switch self {
        case .ipv4(let host, let port):
            var bytes = host.bigEndian
            return unsafe tron_put_ipv4(storage, &bytes, port)
        case .ipv6(let high, let low, let scope, let port):
            var bytes = (high.bigEndian, low.bigEndian)
            return unsafe tron_put_ipv6(storage, &bytes, port, scope)
        case .unix(let path):
            return unsafe path.write(to: storage)
        }
    }
}
