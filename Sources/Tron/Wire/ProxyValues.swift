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

    /// Reads the addresses, which are there.
    func read(
        _ input: inout ByteReader, into connection: inout ProxiedConnection
    ) throws(ProxyHeaderFault) {
        do throws(ByteReaderError) {
            switch self {
            case .none: break
            case .datagrams(let length): try input.skip(length)
            case .ipv4:
                let (source, destination) = (try input.readIPv4(), try input.readIPv4())
                connection.sourceAddress = .ipv4(host: source, port: try input.readInteger())
                connection.destinationAddress =
                    .ipv4(host: destination, port: try input.readInteger())
            case .ipv6:
                let (source, destination) = (try input.readIPv6(), try input.readIPv6())
                connection.sourceAddress = source.withPort(try input.readInteger())
                connection.destinationAddress = destination.withPort(try input.readInteger())
            case .unix:
                connection.sourceAddress = try input.readUnixPath()
                connection.destinationAddress = try input.readUnixPath()
            }
        } catch {
            throw .addressesCut
        }
    }
}

enum ProxyValues {
    private static let longestAuthority = 255
    private static let longestUniqueID = 128

    /// Reads all values up to the header's end. Unknown ones are passed over.
    static func read(
        _ input: inout ByteReader, of header: RawSpan, into connection: inout ProxiedConnection
    ) throws(ProxyHeaderFault) {
        while let next = try input.nextValue() {
            let type = next.type
            let value = next.bytes
            switch type {
            case 0x01: keep(value, in: &connection.alpn)
            case 0x02:
                guard value.byteCount <= longestAuthority else { throw .valueTooLong(type: type) }
                keep(value, in: &connection.authority)
            case 0x03: try check(value, header, endingAt: input.position)
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
    /// Passes over bytes that are there.
    mutating func pass(_ count: Int) throws(ProxyHeaderFault) {
        guard (try? skip(count)) != nil else { throw .addressesCut }
    }

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

    fileprivate mutating func readIPv4() throws(ByteReaderError) -> UInt32 { try readInteger() }

    fileprivate mutating func readIPv6() throws(ByteReaderError) -> SocketAddress {
        .ipv6(high: try readInteger(), low: try readInteger(), scope: 0, port: 0)
    }

    fileprivate mutating func readUnixPath() throws(ByteReaderError) -> SocketAddress {
        .unix(UnixPath(padded: try readBytes(108)))
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
