// The text form of an address: strict to read, canonical to print.
internal import CEpollShim

extension SocketAddress {
    /// Reads one of the forms `127.0.0.1:9000`, `[::1]:9000`, `[fe80::1%lo]:9000` (the zone is an
    /// interface's name or number), `/run/x.sock`, `unix:/run/x.sock` and `unix:@name`.
    ///
    /// - Throws: `AddressError` for anything else. In particular a host name, as in
    ///   `localhost:9000`, is not an address: it has to be resolved to one first.
    public init(_ text: String) throws(AddressError) {
        do {
            self = try Self.parse(text)
        } catch {
            throw AddressError(text: text, reason: error)
        }
    }

    // Everything is compared as UTF-8: as characters, "/" and a combining accent are not a "/".
    private static func parse(_ text: String) throws(AddressError.Reason) -> SocketAddress {
        let bytes = text.utf8
        if bytes.isEmpty { throw .empty }
        if bytes.contains(0) { throw .nulByte }
        if bytes.first == UInt8(ascii: "/") { return try parseUnix(text) }
        if bytes.starts(with: "unix:".utf8) {
            return try parseUnix(String(Substring(bytes.dropFirst(5))))
        }
        let parts = try split(text)
        let port = try parsePort(parts.port)
        return parts.isBracketed
            ? try parseIPv6(parts.host, port: port)
            : try parseIPv4(parts.host, port: port)
    }

    private static func parseUnix(_ path: String) throws(AddressError.Reason) -> SocketAddress {
        do {
            return .unix(try UnixPath(path))
        } catch {
            throw error.reason
        }
    }
}

// MARK: - Host and port

extension SocketAddress {
    /// `host:port` or `[host]:port`, taken apart but not yet judged.
    private struct Parts {
        var host: Substring.UTF8View
        var port: Substring.UTF8View
        var isBracketed: Bool
    }

    private static func split(_ text: String) throws(AddressError.Reason) -> Parts {
        let bytes = text[...].utf8
        let isBracketed = bytes.first == UInt8(ascii: "[")
        if !isBracketed && bytes.count(where: { $0 == UInt8(ascii: ":") }) > 1 {
            throw .missingBrackets
        }
        let host = isBracketed ? bytes.dropFirst() : bytes
        let end = UInt8(ascii: isBracketed ? "]" : ":")
        guard let hostEnd = host.firstIndex(of: end) else {
            throw isBracketed ? .invalidHost : .missingPort
        }
        var port = host[hostEnd...].dropFirst()
        if isBracketed {
            guard port.popFirst() == UInt8(ascii: ":") else { throw .missingPort }
        }
        if port.isEmpty { throw .missingPort }
        return Parts(host: host[..<hostEnd], port: port, isBracketed: isBracketed)
    }

    private static func parsePort(
        _ digits: Substring.UTF8View
    ) throws(AddressError.Reason) -> UInt16 {
        guard let port = decimal(digits, as: UInt16.self) else { throw .invalidPort }
        return port
    }

    private static func parseIPv4(
        _ host: Substring.UTF8View, port: UInt16
    ) throws(AddressError.Reason) -> SocketAddress {
        var bytes: UInt32 = 0
        guard unsafe inet_pton(AF_INET, String(Substring(host)), &bytes) == 1 else {
            throw isName(host) ? .hostName : .invalidHost
        }
        return .ipv4(host: UInt32(bigEndian: bytes), port: port)
    }

    private static func parseIPv6(
        _ host: Substring.UTF8View, port: UInt16
    ) throws(AddressError.Reason) -> SocketAddress {
        let percent = host.firstIndex(of: UInt8(ascii: "%"))
        var halves: (UInt64, UInt64) = (0, 0)
        let digits = String(Substring(host[..<(percent ?? host.endIndex)]))
        guard unsafe inet_pton(AF_INET6, digits, &halves) == 1 else { throw .invalidHost }
        var scope: UInt32 = 0
        if let percent { scope = try parseZone(host[percent...].dropFirst()) }
        let high = UInt64(bigEndian: halves.0)
        return .ipv6(high: high, low: UInt64(bigEndian: halves.1), scope: scope, port: port)
    }

    private static func parseZone(
        _ zone: Substring.UTF8View
    ) throws(AddressError.Reason) -> UInt32 {
        let number = decimal(zone, as: UInt32.self)
        let scope = unsafe number ?? if_nametoindex(String(Substring(zone)))
        if scope == 0 { throw .unknownZone }
        return scope
    }

    /// Plain digits: Int's own parser would take "+80", and inet_aton's octal starts with 0.
    static func decimal<Number: FixedWidthInteger>(
        _ digits: Substring.UTF8View, as type: Number.Type
    ) -> Number? {
        guard let first = digits.first, isDigit(first) else { return nil }
        if first == UInt8(ascii: "0") && digits.count > 1 { return nil }
        return Number(Substring(digits))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    // A last label of digits alone makes a malformed IPv4 address, never a name (RFC 3696, 2).
    private static func isName(_ host: Substring.UTF8View) -> Bool {
        let isSpelled = host.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: isDigit(byte)
            }
        }
        let labels = host.split(separator: UInt8(ascii: "."))
        return isSpelled && labels.last.map { !$0.allSatisfy(isDigit) } ?? false
    }
}

// MARK: - Printing

extension SocketAddress: CustomStringConvertible {
    /// The canonical text, which reads back as the same address: IPv6 as RFC 5952 has it, a zone as
    /// its number, a Unix path after `unix:`. Only the unnamed `unix:` does not read back.
    public var description: String {
        switch self {
        case .ipv4(_, let port): "\(host):\(port)"
        case .ipv6(_, _, _, let port): "[\(host)]:\(port)"
        case .unix: "unix:\(host)"
        }
    }

    /// The host without port and brackets, or the path of a Unix socket.
    public var host: String {
        switch self {
        case .ipv4(let host, _):
            return Self.print(AF_INET, host.bigEndian)
        case .ipv6(let high, let low, let scope, _):
            let host = Self.print(AF_INET6, (high.bigEndian, low.bigEndian))
            return scope == 0 ? host : "\(host)%\(scope)"
        case .unix(let path):
            return path.description
        }
    }

    private static func print<Host>(_ family: Int32, _ host: Host) -> String {
        let capacity = Int(INET6_ADDRSTRLEN)
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { text in
            let result = unsafe withUnsafePointer(to: host) { bytes in
                unsafe inet_ntop(family, bytes, text.baseAddress, socklen_t(capacity))
            }
            guard let result = unsafe result else { trap("inet_ntop refused") }
            return unsafe String(cString: result)
        }
    }
}
