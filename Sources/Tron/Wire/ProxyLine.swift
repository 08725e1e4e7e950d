// The words of a PROXY line, version 1.

enum ProxyLine {
    /// Reads what stands between `PROXY ` and the line's end. Each word but the last is followed by
    /// a single space.
    static func read(_ words: RawSpan) throws(ProxyHeaderFault) -> ProxiedConnection {
        var connection = ProxiedConnection(version: 1)
        // What follows UNKNOWN means nothing.
        if words.equals("UNKNOWN") || words.starts(with: "UNKNOWN ") { return connection }
        let parts = words.text.utf8.split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].elementsEqual("TCP4".utf8) || isIPv6(parts) else {
            throw .malformedLine
        }
        connection.sourceAddress = try address(parts[1], parts[3], isIPv6: isIPv6(parts))
        connection.destinationAddress = try address(parts[2], parts[4], isIPv6: isIPv6(parts))
        return connection
    }

    private static func isIPv6(_ parts: [Substring.UTF8View]) -> Bool {
        parts[0].elementsEqual("TCP6".utf8)
    }

    /// As strict as an address' own text form: no leading zeros, ports of 0 to 65535. It may also
    /// be a path or have a zone, which mean nothing here.
    private static func address(
        _ host: Substring.UTF8View, _ port: Substring.UTF8View, isIPv6: Bool
    ) throws(ProxyHeaderFault) -> SocketAddress {
        let (host, port) = (Substring(host), Substring(port))
        let text = isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
        switch try? SocketAddress(text) {
        case .ipv4(let host, let port) where !isIPv6: return .ipv4(host: host, port: port)
        case .ipv6(let high, let low, 0, let port) where isIPv6:
            return .ipv6(high: high, low: low, scope: 0, port: port)
        default: throw .malformedLine
        }
    }
}
