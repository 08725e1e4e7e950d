// Fuzzes the decoder of PROXY headers: what it makes of a stream, at every cut.

/// An input is a stream, behind a byte that says how it is completed: chance finds neither twelve
/// bytes in a row nor a checksum.
enum ProxyHeaderFuzzer {
    private static let maximumLength = 700

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let mode = input.first else { return }
        var stream = Array(input.dropFirst())
        switch mode % 4 {
        case 0: break
        case 1: stream = Array("PROXY ".utf8) + stream
        case 2: stream = Array("\r\n\r\n\0\r\nQUIT\n".utf8) + stream
        default: stream = withLength(Array("\r\n\r\n\0\r\nQUIT\n".utf8) + stream)
        }
        let step = check(stream)
        // The first bytes one by one; of long ones, some of the rest.
        let stride = max(1, stream.count / 64)
        checkCuts(
            stream, step, at: (0..<stream.count).filter { $0 < 32 || $0 % stride == 0 })
    }

    /// What the whole stream is, once it is what the oracle says.
    static func check(_ stream: [UInt8]) -> ProxyHeaderDecoder.Step {
        let expected = ProxyHeaderReader.read(stream, maximumLength: maximumLength)
        let step = decode(stream)
        require(meaning(of: step) == expected, "\(step), but \(expected): \(stream)")
        return step
    }

    /// Sets the length to what there is, and a checksum that comes last to what is right.
    static func withLength(_ stream: [UInt8]) -> [UInt8] {
        guard stream.count >= 16, stream.count < 1 << 16 else { return stream }
        var stream = stream
        let count = stream.count - 16
        (stream[14], stream[15]) = (UInt8(count >> 8), UInt8(count & 255))
        guard count >= 7, stream.suffix(7).starts(with: [3, 0, 4]) else { return stream }
        let end = stream.count
        stream.replaceSubrange(end - 4..<end, with: [0, 0, 0, 0])
        let sum = CRC32C.of(stream.span.bytes)
        stream.replaceSubrange(
            end - 4..<end, with: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) })
        return stream
    }

    /// From a copy of exactly their size, for the address sanitizer.
    private static func decode(_ bytes: [UInt8]) -> ProxyHeaderDecoder.Step {
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: bytes)
        let received = UnsafeRawBufferPointer(exact)
        return ProxyHeaderDecoder.decode(received.bytes, maximumLength: maximumLength)
    }

    /// With fewer bytes, of which there are ever more, nothing else is told: the same, or nothing
    /// yet. Bytes behind a header do not matter.
    static func checkCuts(
        _ stream: [UInt8], _ step: ProxyHeaderDecoder.Step, at counts: [Int]
    ) {
        var isDecided = false
        for count in counts {
            let early = decode(Array(stream[..<count]))
            if early == .incomplete {
                require(!isDecided, "undecided again after \(count) bytes")
            } else {
                isDecided = true
                require(early == step, "\(early) after \(count) bytes, and then \(step)")
            }
        }
        if case .complete(_, let length) = step {
            require(length <= min(stream.count, maximumLength), "length \(length)")
            require(decode(Array(stream[..<length])) == step, "of just the header")
            require(decode(Array(stream[..<(length - 1)])) == .incomplete, "a byte less")
        }
    }

    // MARK: In the oracle's words

    private static func meaning(of step: ProxyHeaderDecoder.Step) -> ProxyHeaderReader.Meaning {
        switch step {
        case .incomplete: return .unfinished
        case .fault(let fault):
            require(!fault.description.isEmpty, "a fault without words")
            return .none
        case .complete(let connection, let length):
            var header = ProxyHeaderReader.Header(version: connection.version)
            header.isLocal = connection.isLocal
            header.source = connection.sourceAddress.map(bytes) ?? []
            header.destination = connection.destinationAddress.map(bytes) ?? []
            header.values[1] = connection.alpn
            header.values[2] = connection.authority
            header.values[5] = connection.uniqueID
            if let tls = connection.tls { describe(tls, in: &header) }
            return .header(header, length: length)
        }
    }

    private static func bytes(of address: SocketAddress) -> [UInt8] {
        let port = address.port.map { [UInt8($0 >> 8), UInt8($0 & 255)] } ?? []
        switch address {
        case .ipv4(let host, _):
            return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: host >> $0) } + port
        case .ipv6(let high, let low, let scope, _):
            require(scope == 0, "a zone")
            return [high, low].flatMap { half in
                (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
            } + port
        case .unix(let path): return Array(path.description.utf8)
        }
    }

    private static func describe(
        _ tls: ProxiedConnection.TLS, in header: inout ProxyHeaderReader.Header
    ) {
        require(!tls.isVerified || tls.hasCertificate, "verified without a certificate")
        header.tls = [tls.hasCertificate ? 1 : 0, tls.isVerified ? 1 : 0]
        let values = [
            tls.version, tls.commonName, tls.cipher, tls.signatureAlgorithm, tls.keyAlgorithm,
            tls.group, tls.signatureScheme, tls.certificate,
        ]
        for (index, value) in values.enumerated() { header.tlsValues[0x21 + UInt8(index)] = value }
    }
}
