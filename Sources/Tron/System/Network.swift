// A range of addresses, for rules about who may do what: read strictly, printed canonically.

/// Hosts that have the first bits of their address in common, or all peers of Unix sockets.
///
/// Its text forms are `10.0.0.0/8`, `fd00::/8`, `127.0.0.1` and `::1` (a single host), and `unix`.
public struct Network: Hashable, Sendable {
    private enum Members: Hashable {
        /// `mask` has a bit for each that counts; `host` has no others.
        case ipv4(host: UInt32, mask: UInt32)
        case ipv6(high: UInt64, low: UInt64, highMask: UInt64, lowMask: UInt64)
        case unix
    }

    private let members: Members

    /// All peers of Unix sockets: processes of this machine that may open the socket's file.
    public static let unix = Network(members: .unix)

    private init(members: Members) { self.members = members }

    /// Reads one of the forms `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`, `::1` and `unix`.
    ///
    /// - Throws: `NetworkError` for anything else, and where the address has bits that the prefix
    ///   does not cover, as in `10.1.0.0/8`: one of the two is not what was meant.
    public init(_ text: String) throws(NetworkError) {
        do throws(NetworkError.Reason) {
            self.init(members: text == "unix" ? .unix : try Self.parse(text))
        } catch {
            throw NetworkError(text: text, reason: error)
        }
    }

    /// Whether the address is one of this network's. Its port does not matter, nor its zone. An
    /// IPv4-mapped address (`::ffff:10.0.0.1`) is the IPv4 host that it stands for, and no member
    /// of an IPv6 network.
    public func contains(_ address: SocketAddress) -> Bool {
        switch (members, address.unmapped) {
        case (.ipv4(let host, let mask), .ipv4(let member, _)): member & mask == host
        case (.ipv6(let high, let low, let highMask, let lowMask), .ipv6(let h, let l, _, _)):
            h & highMask == high && l & lowMask == low
        case (.unix, .unix): true
        default: false
        }
    }
}

extension SocketAddress {
    /// An IPv4-mapped address as the IPv4 address that it stands for; any other as it is.
    fileprivate var unmapped: SocketAddress {
        guard case .ipv6(0, let low, _, let port) = self, low >> 32 == 0xffff else { return self }
        return .ipv4(host: UInt32(truncatingIfNeeded: low), port: port)
    }
}

// MARK: - Reading

extension Network {
    private static func parse(_ text: String) throws(NetworkError.Reason) -> Members {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        let host = try host(String(Substring(parts[0])))
        let length = parts.count > 1 ? try prefixLength(parts[1]) : nil
        switch host {
        case .ipv4(let host, _): return try ipv4(host, length ?? 32)
        case .ipv6(let high, let low, _, _): return try ipv6(high, low, length ?? 128)
        case .unix: throw .invalidHost
        }
    }

    /// The readers of addresses know what a host is; they also want a port.
    private static func host(_ text: String) throws(NetworkError.Reason) -> SocketAddress {
        // Neither a zone, nor what would make the text a path.
        guard !text.utf8.contains(UInt8(ascii: "%")) else { throw .invalidHost }
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        guard let address = try? SocketAddress(isIPv6 ? "[\(text)]:0" : "\(text):0") else {
            throw .invalidHost
        }
        return address
    }

    private static func prefixLength(
        _ digits: Substring.UTF8View
    ) throws(NetworkError.Reason) -> Int {
        guard let length = SocketAddress.decimal(digits, as: Int.self) else {
            throw .invalidPrefix
        }
        return length
    }

    private static func ipv4(
        _ host: UInt32, _ length: Int
    ) throws(NetworkError.Reason) -> Members {
        guard length <= 32 else { throw .invalidPrefix }
        let mask = length == 0 ? 0 : UInt32.max << (32 - UInt32(length))
        guard host & ~mask == 0 else { throw .bitsBeyondPrefix }
        return .ipv4(host: host, mask: mask)
    }

    private static func ipv6(
        _ high: UInt64, _ low: UInt64, _ length: Int
    ) throws(NetworkError.Reason) -> Members {
        guard length <= 128 else { throw .invalidPrefix }
        // Shifts by the whole width give 0.
        let highMask = length == 0 ? 0 : UInt64.max << UInt64(max(0, 64 - length))
        let lowMask = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
        guard high & ~highMask == 0, low & ~lowMask == 0 else { throw .bitsBeyondPrefix }
        if length >= 96 && high == 0 && low >> 32 == 0xffff {
            return try ipv4(UInt32(truncatingIfNeeded: low), length - 96)
        }
        return .ipv6(high: high, low: low, highMask: highMask, lowMask: lowMask)
    }
}

// MARK: - Printing

extension Network: CustomStringConvertible {
    /// The canonical text, which reads back as the same network.
    public var description: String {
        switch members {
        case .ipv4(let host, let mask):
            "\(SocketAddress.ipv4(host: host, port: 0).host)/\(mask.nonzeroBitCount)"
        case .ipv6(let high, let low, let highMask, let lowMask):
            SocketAddress.ipv6(high: high, low: low, scope: 0, port: 0).host
                + "/\(highMask.nonzeroBitCount + lowMask.nonzeroBitCount)"
        case .unix: "unix"
        }
    }
}

/// A text that is not a network, and why.
public struct NetworkError: Error, Hashable, CustomStringConvertible {
    /// What is wrong with the text.
    public enum Reason: Error, Hashable, Sendable {
        /// The part before the slash is neither an IPv4 nor an IPv6 address, without brackets.
        case invalidHost
        /// The part after the slash is not a number of bits in plain decimal digits: 0 to 32, or to
        /// 128 of an IPv6 address.
        case invalidPrefix
        /// The address has bits that the prefix does not cover.
        case bitsBeyondPrefix
    }

    /// The text that was refused.
    public let text: String

    /// What is wrong with it.
    public let reason: Reason

    /// One line for a log or a terminal.
    public var description: String {
        let explanation =
            switch reason {
            case .invalidHost: "its address is neither IPv4 nor IPv6, as in 10.0.0.0/8 or fd00::/8"
            case .invalidPrefix: "its prefix is not a number of bits, at most 32, or 128 of IPv6"
            case .bitsBeyondPrefix: "its address has bits that its prefix does not cover"
            }
        return "\(text.debugDescription) is not a network: \(explanation)"
    }
}
