// Decodes what comes first on a proxied connection: a PROXY header of version 1 or 2.

// Both versions, as https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt has them:
//
//     1   PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 CR LF          (or TCP6; or UNKNOWN …)
//
//     2   | signature, 12 bytes | version, command | family, transport | length UInt16 |
//         | source, destination, by family | values: type UInt8, length UInt16, bytes … |
//
// Nothing is decoded before all of it is there, so the bytes may come in any pieces; what can be no
// header is told as soon as that shows.

enum ProxyHeaderDecoder {
    enum Step: Equatable {
        /// More bytes are needed.
        case incomplete
        /// The header is the first `length` bytes; what follows is the client's.
        case complete(ProxiedConnection, length: Int)
        case fault(ProxyHeaderFault)
    }

    /// The longest line of version 1, with its end.
    static let longestLine = 107

    private static let lineStart = Array("PROXY ".utf8)
    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
    /// The signature, the two bytes behind it and the length, which counts what follows.
    private static let fixedLength = 16

    /// Decodes what has come so far, from its first byte on.
    static func decode(_ bytes: RawSpan, maximumLength: Int) -> Step {
        guard bytes.byteCount > 0 else { return .incomplete }
        do throws(ProxyHeaderFault) {
            if bytes.byte(at: 0) != signature[0] { return try decodeLine(bytes) }
            return try decodeBinary(bytes, maximumLength)
        } catch {
            return .fault(error)
        }
    }

    /// Whether all of `start` is there; throws when the bytes differ from it.
    private static func has(
        _ start: [UInt8], _ bytes: RawSpan
    ) throws(ProxyHeaderFault) -> Bool {
        for index in 0..<min(start.count, bytes.byteCount)
        where bytes.byte(at: index) != start[index] {
            throw .notAHeader
        }
        return bytes.byteCount >= start.count
    }

    // MARK: Version 1

    private static func decodeLine(_ bytes: RawSpan) throws(ProxyHeaderFault) -> Step {
        guard try has(lineStart, bytes) else { return .incomplete }
        // The carriage return is the last byte but one.
        let limit = min(bytes.byteCount, longestLine - 1)
        guard let end = bytes.firstOffset(of: UInt8(ascii: "\r"), in: lineStart.count..<limit)
        else {
            if bytes.byteCount >= longestLine - 1 { throw .lineTooLong }
            return .incomplete
        }
        guard bytes.byteCount > end + 1 else { return .incomplete }
        guard bytes.byte(at: end + 1) == UInt8(ascii: "\n") else { throw .malformedLine }
        let words = unsafe bytes.extracting(unchecked: lineStart.count..<end)
        return .complete(try ProxyLine.read(words), length: end + 2)
    }

    // MARK: Version 2

    private static func decodeBinary(
        _ bytes: RawSpan, _ maximumLength: Int
    ) throws(ProxyHeaderFault) -> Step {
        guard try has(signature, bytes), bytes.byteCount > signature.count else {
            return .incomplete
        }
        let command = bytes.byte(at: 12)
        guard command == 0x20 || command == 0x21 else { throw .unknownCommand(command) }
        let isLocal = command == 0x20
        guard bytes.byteCount > 13 else { return .incomplete }
        let family = isLocal ? .none : try ProxyFamily(bytes.byte(at: 13))
        guard bytes.byteCount >= fixedLength else { return .incomplete }
        let rest = Int(bytes.byte(at: 14)) << 8 | Int(bytes.byte(at: 15))
        let length = fixedLength + rest
        guard length <= maximumLength else { throw .tooLong(length) }
        guard rest >= family.addressesLength else { throw .addressesCut }
        guard bytes.byteCount >= length else { return .incomplete }
        var connection = ProxiedConnection(version: 2)
        connection.isLocal = isLocal
        // Whatever a proxy says of a connection of its own means nothing.
        if !isLocal {
            let header = unsafe bytes.extracting(unchecked: 0..<length)
            family.read(header, at: fixedLength, into: &connection)
            let start = fixedLength + family.addressesLength
            try ProxyValues.read(header, from: start, into: &connection)
        }
        return .complete(connection, length: length)
    }
}
