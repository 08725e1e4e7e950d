// The parts of a PROXY header, version 2, behind its length: addresses, then values by type.

/// What the addresses are, by the byte that says so.
enum ProxyFamily {
    /// None, or none that is asked for.
    case none
    case ipv4, ipv6, unix
    /// Addresses of datagrams, so many bytes: nothing that a connection's peer can have.
    case datagrams(Int)

    init(_ byte: UInt8) throws(ProxyHeaderFault) {
        switch byte {
        case 0x00: self = .none
        case 0x11: self = .ipv4
        case 0x12: self = .datagrams(12)
        case 0x21: self = .ipv6
        case 0x22: self = .datagrams(36)
        case 0x31: self = .unix
        case 0x32: self = .datagrams(216)
        default: throw .unknownFamily(byte)
        }
    }

    var addressesLength: Int {
        switch self {
        case .none: 0
        case .ipv4: 12
        case .ipv6: 36
        case .unix: 216
        case .datagrams(let length): length
        }
    }

    /// Reads the addresses, which begin at `start` and are there.
    func read(_ header: RawSpan, at start: Int, into connection: inout ProxiedConnection) {
        switch self {
        case .none, .datagrams: break
        case .ipv4:
            connection.sourceAddress = header.ipv4(at: start, port: start + 8)
            connection.destinationAddress = header.ipv4(at: start + 4, port: start + 10)
        case .ipv6:
            connection.sourceAddress = header.ipv6(at: start, port: start + 32)
            connection.destinationAddress = header.ipv6(at: start + 16, port: start + 34)
        case .unix:
            connection.sourceAddress = header.unixPath(at: start)
            connection.destinationAddress = header.unixPath(at: start + 108)
        }
    }
}

extension RawSpan {
    /// The big-endian integer at a place, whose bytes are there.
    private func integer<Integer: FixedWidthInteger>(at start: Int) -> Integer {
        (start..<start + MemoryLayout<Integer>.size).reduce(0) { $0 << 8 | Integer(byte(at: $1)) }
    }

    fileprivate func ipv4(at start: Int, port: Int) -> SocketAddress {
        .ipv4(host: integer(at: start), port: integer(at: port))
    }

    fileprivate func ipv6(at start: Int, port: Int) -> SocketAddress {
        .ipv6(
            high: integer(at: start), low: integer(at: start + 8), scope: 0,
            port: integer(at: port))
    }

    fileprivate func unixPath(at start: Int) -> SocketAddress {
        .unix(UnixPath(padded: unsafe extracting(unchecked: start..<start + 108)))
    }
}

enum ProxyValues {
    private static let longestAuthority = 255
    private static let longestUniqueID = 128

    /// Reads all values from `start` to the header's end. Unknown ones are passed over.
    static func read(
        _ header: RawSpan, from start: Int, into connection: inout ProxiedConnection
    ) throws(ProxyHeaderFault) {
        var input = ByteReader(unsafe header.extracting(unchecked: start..<header.byteCount))
        while let next = try input.nextValue() {
            let type = next.type
            let value = next.bytes
            switch type {
            case 0x01: keep(value, in: &connection.alpn)
            case 0x02:
                guard value.byteCount <= longestAuthority else { throw .valueTooLong(type: type) }
                keep(value, in: &connection.authority)
            case 0x03: try check(value, header, endingAt: start + input.position)
            case 0x05:
                guard value.byteCount <= longestUniqueID else { throw .valueTooLong(type: type) }
                keep(value, in: &connection.uniqueID)
            case 0x20:
                let tls = try readTLS(value)
                if connection.tls == nil { connection.tls = tls }
            default: break
            }
        }
    }

    private static func keep(_ value: RawSpan, in place: inout [UInt8]?) {
        if place == nil { place = value.copy() }
    }

    /// The sum is that of the whole header in which its own place is zero.
    private static func check(
        _ value: RawSpan, _ header: RawSpan, endingAt end: Int
    ) throws(ProxyHeaderFault) {
        guard value.byteCount <= 4 else { throw .valueTooLong(type: 0x03) }
        var input = ByteReader(value)
        guard let sum = try? input.readInteger(as: UInt32.self) else {
            throw .valueCut(type: 0x03)
        }
        guard CRC32C.of(header, zeroing: end - 4..<end) == sum else { throw .checksumMismatch }
    }

    /// Nil when the client did not use TLS.
    private static func readTLS(
        _ value: RawSpan
    ) throws(ProxyHeaderFault) -> ProxiedConnection.TLS? {
        var input = ByteReader(value)
        guard let client = try? input.readByte(),
            let fault = try? input.readInteger(as: UInt32.self)
        else { throw .valueCut(type: 0x20) }
        var tls = ProxiedConnection.TLS()
        tls.hasCertificate = client & 0x06 != 0
        tls.isVerified = tls.hasCertificate && fault == 0
        while let next = try input.nextValue() {
            let value = next.bytes
            switch next.type {
            case 0x21: keep(value, in: &tls.version)
            case 0x22: keep(value, in: &tls.commonName)
            case 0x23: keep(value, in: &tls.cipher)
            case 0x24: keep(value, in: &tls.signatureAlgorithm)
            case 0x25: keep(value, in: &tls.keyAlgorithm)
            case 0x26: keep(value, in: &tls.group)
            case 0x27: keep(value, in: &tls.signatureScheme)
            case 0x28: keep(value, in: &tls.certificate)
            default: break
            }
        }
        return client & 0x01 != 0 ? tls : nil
    }
}

extension ByteReader {
    /// The next type with its value; nil at the end.
    @_lifetime(copy self)
    fileprivate mutating func nextValue() throws(ProxyHeaderFault) -> ProxyValue? {
        guard let type = try? readByte() else { return nil }
        do throws(ByteReaderError) {
            return ProxyValue(type: type, bytes: try readLengthPrefixed(as: UInt16.self))
        } catch {
            throw .valueCut(type: type)
        }
    }
}

/// A type and its value, which lies in the header.
private struct ProxyValue: ~Escapable {
    let type: UInt8
    let bytes: RawSpan

    @_lifetime(copy bytes)
    init(type: UInt8, bytes: RawSpan) {
        self.type = type
        self.bytes = bytes
    }
}
