// PROXY headers: published vectors, every part of them, and every cut.
import Testing

@testable import Tron

@Suite struct ProxyHeaderTests {
    /// What the decoder makes of it; the same at every cut, in a copy of exactly the size.
    private func decode(
        _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> ProxiedConnection {
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            let step = ProxyHeaderDecoder.decode(part.span.bytes, maximumLength: 4096)
            #expect(step == .incomplete, "after \(count) bytes", sourceLocation: sourceLocation)
        }
        let more = bytes + Array("PROXY and more".utf8)
        let alone = ProxyHeaderDecoder.decode(bytes.span.bytes, maximumLength: 4096)
        #expect(
            ProxyHeaderDecoder.decode(more.span.bytes, maximumLength: 4096) == alone,
            "with bytes behind it", sourceLocation: sourceLocation)
        guard case .complete(let connection, bytes.count) = alone else {
            Issue.record("\(alone)", sourceLocation: sourceLocation)
            throw ProxyHeaderFault.notAHeader
        }
        return connection
    }

    private func line(_ text: String) throws -> ProxiedConnection {
        try decode(Array("\(text)\r\n".utf8))
    }

    // MARK: Version 1

    @Test(arguments: [
        ("TCP4 192.0.2.1 198.51.100.2 56324 443", "192.0.2.1:56324", "198.51.100.2:443"),
        ("TCP4 0.0.0.0 255.255.255.255 0 65535", "0.0.0.0:0", "255.255.255.255:65535"),
        ("TCP6 2001:db8::1 ::1 1 2", "[2001:db8::1]:1", "[::1]:2"),
        ("TCP6 ::ffff:1.2.3.4 2001:DB8::2 1 2", "[::ffff:1.2.3.4]:1", "[2001:db8::2]:2"),
        (
            "TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535",
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
        ),
    ])
    func `a line names both ends`(words: String, source: String, destination: String) throws {
        // The longest there is, as the specification prints it.
        let whole = Array(repeating: "ffff", count: 8).joined(separator: ":")
        let words = words.split(separator: " ").map { $0 == "ffff:f...f:ffff" ? whole : "\($0)" }
        let connection = try line("PROXY " + words.joined(separator: " "))
        #expect(connection.version == 1 && !connection.isLocal)
        #expect(connection.sourceAddress == (try SocketAddress(source)))
        #expect(connection.destinationAddress == (try SocketAddress(destination)))
        #expect(connection.tls == nil && connection.alpn == nil && connection.uniqueID == nil)
    }

    @Test(arguments: [
        "UNKNOWN", "UNKNOWN ", "UNKNOWN ffff::1 ffff::2 65535 65535", "UNKNOWN \n\0 \u{e9}",
        "UNKNOWN " + String(repeating: "x", count: 91),
    ])
    func `a line of an unknown connection is passed over`(words: String) throws {
        let connection = try line("PROXY \(words)")
        #expect(connection == ProxiedConnection(version: 1))
    }

    // MARK: Version 2

    @Test func `HAProxy's own test vector is read`() throws {
        let bytes =
            ProxyHeaderText.signature
            + hex("21 11 0014 7F000001 7F000001 002A 0539 02 0005 3132333435")
        let connection = try decode(bytes)
        #expect(connection.version == 2 && !connection.isLocal)
        #expect(connection.sourceAddress == .ipv4(host: 0x7f00_0001, port: 42))
        #expect(connection.destinationAddress == .ipv4(host: 0x7f00_0001, port: 1337))
        #expect(connection.authority == Array("12345".utf8))
    }

    @Test func `a vector with a checksum is read`() throws {
        let bytes =
            ProxyHeaderText.signature
            + hex("21 11 0013 C0000201 C6336402 DC04 01BB 03 0004 20EC9549")
        #expect(ProxyHeaderText.ipv4.withChecksum.bytes == bytes)
        let connection = try decode(bytes)
        #expect(connection.sourceAddress == (try SocketAddress("192.0.2.1:56324")))
        #expect(connection.destinationAddress == (try SocketAddress("198.51.100.2:443")))
    }

    @Test func `the checksum is the published one`() {
        let digits = Array("123456789".utf8)
        #expect(CRC32C.of(digits.span.bytes) == 0xe306_9283)
        let zeroed = Array("12\0\0\0\0789".utf8)
        #expect(CRC32C.of(digits.span.bytes, zeroing: 2..<6) == CRC32C.of(zeroed.span.bytes))
    }

    @Test func `IPv6 addresses are read, whatever this machine can reach`() throws {
        let connection = try decode(ProxyHeaderText.ipv6.bytes)
        #expect(connection.sourceAddress == (try SocketAddress("[2001:db8::1]:56324")))
        #expect(connection.destinationAddress == (try SocketAddress("[2001:db8::2]:443")))
    }

    @Test(arguments: [
        ("/run/client.sock", "unix:/run/client.sock"), ("", nil), ("\0name", "unix:@name"),
        (String(repeating: "x", count: 107), "unix:" + String(repeating: "x", count: 107)),
        (String(repeating: "x", count: 108), nil),
    ])
    func `a Unix path is read to its end, and one that is none is unnamed`(
        path: String, address: String?
    ) throws {
        let connection = try decode(ProxyHeaderText.unix("/run/a", path).bytes)
        #expect(connection.sourceAddress == (try SocketAddress("unix:/run/a")))
        if let address {
            #expect(connection.destinationAddress == (try SocketAddress(address)))
        } else {
            #expect(connection.destinationAddress?.description == "unix:")
        }
    }

    @Test(arguments: [UInt8(0x00), 0x11, 0x22, 0xff])
    func `what a proxy says of its own connection is passed over`(family: UInt8) throws {
        var header = ProxyHeaderText.ipv4.with(0x03, [1, 2, 3, 4])
        header.command = 0x20
        header.family = family
        var expected = ProxiedConnection(version: 2)
        expected.isLocal = true
        #expect(try decode(header.bytes) == expected)
        header.addresses = []
        header.values = []
        #expect(try decode(header.bytes) == expected)
    }

    @Test(arguments: [(UInt8(0x00), 0), (0x12, 12), (0x22, 36), (0x32, 216)])
    func `other families have no addresses, and their values count`(
        family: UInt8, length: Int
    ) throws {
        var header = ProxyHeaderText(family: family)
        header.addresses = [UInt8](repeating: 7, count: length)
        let connection = try decode(header.with(0x05, [1, 2]).withChecksum.bytes)
        #expect(connection.sourceAddress == nil && connection.destinationAddress == nil)
        #expect(connection.uniqueID == [1, 2])
    }

    @Test func `values are bytes, of two the first counts, and unknown ones do not`() throws {
        let header = ProxyHeaderText.ipv4.with(0x01, Array("h2".utf8)).with(0x04, [0, 0, 0])
            .with(0x02, [0xff, 0xc0]).with(0x02, [1]).with(0x05, []).with(0x30, [9])
            .with(0xea, [1, 2, 3])
        let connection = try decode(header.withChecksum.bytes)
        #expect(connection.alpn == Array("h2".utf8))
        #expect(connection.authority == [0xff, 0xc0] && connection.uniqueID == [])
    }

    @Test func `the longest values are taken`() throws {
        let header = ProxyHeaderText.ipv4.with(0x02, [UInt8](repeating: 1, count: 255))
            .with(0x05, [UInt8](repeating: 2, count: 128))
        let connection = try decode(header.bytes)
        #expect(connection.authority?.count == 255 && connection.uniqueID?.count == 128)
        let longest = ProxyHeaderText.ipv4.with(0xee, [UInt8](repeating: 0, count: 4096 - 31))
        #expect(longest.bytes.count == 4096)
        _ = try decode(longest.bytes)
    }

    // MARK: TLS

    private func tls(
        _ client: UInt8, verify: [UInt8] = [0, 0, 0, 0], _ values: [UInt8] = []
    ) throws -> ProxiedConnection.TLS? {
        try decode(ProxyHeaderText.ipv4.with(0x20, [client] + verify + values).bytes).tls
    }

    @Test func `all that is told of the client's TLS is read`() throws {
        let texts = ["TLSv1.3", "Zoë", "TLS_AES", "SHA256", "RSA2048", "x25519", "rsa_pss", "DER"]
        let values = texts.enumerated().flatMap { index, text in
            ProxyHeaderText.value(0x21 + UInt8(index), Array(text.utf8))
        }
        let tls = try #require(
            try tls(0x07, values + ProxyHeaderText.value(0x21, [1]) + [0x7f, 0, 0]))
        #expect(tls.hasCertificate && tls.isVerified)
        let read = [
            tls.version, tls.commonName, tls.cipher, tls.signatureAlgorithm, tls.keyAlgorithm,
            tls.group, tls.signatureScheme, tls.certificate,
        ]
        #expect(read == texts.map { Array($0.utf8) })
    }

    @Test(arguments: [
        // Client, verify, whether there is TLS, a certificate, a verified one.
        (UInt8(0x00), 0, false, false, false), (0x06, 0, false, false, false),
        (0x01, 0, true, false, false), (0x01, 1, true, false, false),
        (0x03, 0, true, true, true), (0x05, 0, true, true, true), (0x03, 1, true, true, false),
        (0x03, 1 << 24, true, true, false),
    ])
    func `only a certificate that was shown and verified counts as verified`(
        client: UInt8, verify: UInt32, hasTLS: Bool, hasCertificate: Bool, isVerified: Bool
    ) throws {
        let bytes = withUnsafeBytes(of: verify.bigEndian) { Array($0) }
        let tls = try tls(client, verify: bytes)
        #expect((tls != nil) == hasTLS)
        #expect((tls?.hasCertificate ?? false) == hasCertificate)
        #expect((tls?.isVerified ?? false) == isVerified)
    }

    @Test func `of two descriptions of TLS the first counts`() throws {
        let header = ProxyHeaderText.ipv4.with(0x20, [1, 0, 0, 0, 0]).with(0x20, [3, 0, 0, 0, 0])
        #expect(try decode(header.bytes).tls?.hasCertificate == false)
    }
}
