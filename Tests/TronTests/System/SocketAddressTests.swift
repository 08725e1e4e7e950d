// The text forms of an address, its way to the kernel's form, and the key that counts sessions.
import Testing

@testable import Tron

@Suite struct SocketAddressTests {
    @Test func `the value fits into a session`() {
        #expect(MemoryLayout<SocketAddress>.size <= 24)
        #expect(MemoryLayout<SocketAddress?>.size <= 24)
    }

    @Test(arguments: [
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("0.0.0.0:0", "0.0.0.0:0"),
        ("255.255.255.255:65535", "255.255.255.255:65535"),
        ("[::1]:9000", "[::1]:9000"),
        ("[::]:0", "[::]:0"),
        ("[2001:DB8:0:0:1:0:0:1]:80", "[2001:db8::1:0:0:1]:80"),
        ("[2001:0db8:0000:0000:0000:0000:0002:0001]:80", "[2001:db8::2:1]:80"),
        ("[2001:db8:0:1:1:1:1:1]:80", "[2001:db8:0:1:1:1:1:1]:80"),
        ("[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80"),
        ("[::ffff:a00:1]:80", "[::ffff:10.0.0.1]:80"),
        ("[fe80::1%lo]:9000", "[fe80::1%1]:9000"),
        ("[fe80::1%4294967295]:9000", "[fe80::1%4294967295]:9000"),
        ("/run/x.sock", "unix:/run/x.sock"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("unix:x.sock", "unix:x.sock"),
        ("unix:@name", "unix:@name"),
        ("unix:./@name", "unix:./@name"),
        ("/run/a b:c", "unix:/run/a b:c"),
        ("/run/\u{fc}", "unix:/run/\u{fc}"),
        ("/\u{301}", "unix:/\u{301}"),
    ])
    func `an accepted form prints canonically and reads back`(text: String, canon: String) throws {
        let address = try SocketAddress(text)
        #expect(address.description == canon)
        #expect(try SocketAddress(canon) == address)
    }

    @Test(arguments: [
        ("", AddressError.Reason.empty),
        ("127.0.0.1:80\0", .nulByte),
        ("127.0.0.1\0:80", .nulByte),
        ("[fe80::1%lo\0]:80", .nulByte),
        ("/run/x\0.sock", .nulByte),
        ("127.0.0.1", .missingPort),
        ("127.0.0.1:", .missingPort),
        ("localhost", .missingPort),
        ("[::1]", .missingPort),
        ("[::1]:", .missingPort),
        ("[::1]80", .missingPort),
        ("127.0.0.1:65536", .invalidPort),
        ("127.0.0.1:18446744073709551617", .invalidPort),
        ("127.0.0.1:+80", .invalidPort),
        ("127.0.0.1:-1", .invalidPort),
        ("127.0.0.1:080", .invalidPort),
        ("127.0.0.1: 80", .invalidPort),
        ("127.0.0.1:80 ", .invalidPort),
        ("127.0.0.1:80\n", .invalidPort),
        ("127.0.0.1:0x50", .invalidPort),
        ("127.0.0.1:http", .invalidPort),
        ("127.0.0.1:\u{0663}", .invalidPort),
        ("[::1]::80", .invalidPort),
        (":9000", .invalidHost),
        (" 127.0.0.1:80", .invalidHost),
        ("127.0.0.256:80", .invalidHost),
        ("127.0.0.01:80", .invalidHost),
        ("127.1:80", .invalidHost),
        ("2130706433:80", .invalidHost),
        ("127.0.0.1.:80", .invalidHost),
        ("b\u{fc}cher:80", .invalidHost),
        ("http//x:80", .invalidHost),
        ("[127.0.0.1]:80", .invalidHost),
        ("[]:80", .invalidHost),
        ("[::1", .invalidHost),
        ("[::1 ]:80", .invalidHost),
        ("[12345::]:80", .invalidHost),
        ("[1::2::3]:80", .invalidHost),
        ("[localhost]:80", .invalidHost),
        ("::1:9000", .missingBrackets),
        ("127.0.0.1:80:80", .missingBrackets),
        ("localhost:9000", .hostName),
        ("my_service.example.com:9000", .hostName),
        ("[fe80::1%]:80", .unknownZone),
        ("[fe80::1%0]:80", .unknownZone),
        ("[fe80::1%01]:80", .unknownZone),
        ("[fe80::1%no-such-interface]:80", .unknownZone),
        ("[fe80::1%4294967296]:80", .unknownZone),
        ("unix:", .emptyPath),
        ("unix:@", .emptyPath),
        ("/" + String(repeating: "x", count: 107), .pathTooLong),
        ("unix:@" + String(repeating: "x", count: 107), .pathTooLong),
    ])
    func `a refused text comes back with its reason`(text: String, reason: AddressError.Reason) {
        let error = #expect(throws: AddressError.self) { try SocketAddress(text) }
        #expect(error == AddressError(text: text, reason: reason))
        #expect(error?.description.hasPrefix(text.debugDescription) == true)
    }

    @Test func `a host name's error says that it has to be resolved`() {
        let error = #expect(throws: AddressError.self) { try SocketAddress("localhost:9000") }
        #expect(error?.description.contains("has to be resolved") == true)
    }

    @Test func `random addresses survive the way to text and back`() throws {
        var random = AddressGenerator(seed: 1)
        for _ in 0..<20_000 {
            let address = random.address()
            #expect(try SocketAddress(address.description) == address)
        }
    }

    @Test func `random addresses survive the way to the kernel's form and back`() {
        var random = AddressGenerator(seed: 2)
        for _ in 0..<20_000 {
            let address = random.address()
            let copy = address.withRawAddress { SocketAddress(raw: $0, length: $1) }
            #expect(copy == address)
        }
    }

    @Test func `the port is replaced and the host is kept`() throws {
        #expect(SocketAddress.loopback(port: 1).withPort(2).description == "127.0.0.1:2")
        #expect(try SocketAddress("[fe80::1%9]:1").withPort(2).description == "[fe80::1%9]:2")
        #expect(try SocketAddress("/x").withPort(2).port == nil)
        #expect(SocketAddress.any(port: 80).description == "0.0.0.0:80")
        #expect(SocketAddress.loopback(port: 80).description == "127.0.0.1:80")
        #expect(try SocketAddress("[::1]:80").host == "::1")
        #expect(try SocketAddress("/x").isUnix)
    }

    @Test func `a host's key does not depend on port or family`() throws {
        func key(_ text: String) throws -> SocketAddress.HostKey { try SocketAddress(text).hostKey }
        #expect(try key("10.0.0.1:1") == key("10.0.0.1:2"))
        #expect(try key("10.0.0.1:1") == key("[::ffff:10.0.0.1]:2"))
        #expect(try key("[2001:db8::1]:1") == key("[2001:db8::1]:2"))
        #expect(try key("/a") == key("unix:@b"))
        #expect(try key("10.0.0.1:1") != key("10.0.0.2:1"))
        #expect(try key("10.0.0.1:1") != key("[::10.0.0.1]:1"))
        #expect(try key("[fe80::1%1]:1") != key("[fe80::1%2]:1"))
        #expect(try key("[::]:1") != key("/a"))
    }

    @Test func `paths are compared as bytes`() throws {
        #expect(try SocketAddress("/\u{e9}") != SocketAddress("/e\u{301}"))
        #expect(try Set([SocketAddress("/\u{e9}"), SocketAddress("/e\u{301}")]).count == 2)
    }
}

/// Addresses of all kinds, the same for the same seed (splitmix64).
private struct AddressGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func address() -> SocketAddress {
        let port = UInt16.random(in: 0...65535, using: &self)
        switch next() % 4 {
        case 0: return .ipv4(host: UInt32.random(in: 0...UInt32.max, using: &self), port: port)
        case 1: return .ipv6(high: words(), low: words(), scope: 0, port: port)
        case 2: return .ipv6(high: 0xfe80 << 48, low: words(), scope: scope(), port: port)
        default: return .unix(path())
        }
    }

    // Zero words are frequent, so that every place of "::" is met.
    private mutating func words() -> UInt64 {
        (0..<4).reduce(0) { sum, _ in sum << 16 | (next() % 2 == 0 ? 0 : next() & 0xffff) }
    }

    private mutating func scope() -> UInt32 { UInt32.random(in: 1...UInt32.max, using: &self) }

    private mutating func path() -> UnixPath {
        let letters = Array("abc/@:%[].\u{e9}\u{301}\u{1f600} ".unicodeScalars)
        var path = ["/", "@n", "./"].randomElement(using: &self)!
        for _ in 0..<next() % 26 {
            path.unicodeScalars.append(letters.randomElement(using: &self)!)
        }
        return try! UnixPath(path)
    }
}
