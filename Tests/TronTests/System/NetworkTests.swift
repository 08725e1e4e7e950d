// Networks: their text forms, what they contain, and what is refused.
import Testing

@testable import Tron

@Suite struct NetworkTests {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(text) }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1:1", "11.0.0.0:1"),
        ("10.128.0.0/9", "10.128.0.0:1", "10.127.255.255:1"),
        ("127.0.0.1", "127.0.0.1:9", "127.0.0.2:9"),
        ("192.0.2.7/32", "192.0.2.7:9", "192.0.2.6:9"),
        ("0.0.0.0/0", "255.255.255.255:1", "[::1]:1"),
        ("fd00::/8", "[fdff::1]:1", "[fe00::1]:1"),
        ("2001:db8::/64", "[2001:db8::ffff:0:0:0]:1", "[2001:db8:0:1::]:1"),
        ("2001:db8::/65", "[2001:db8::7fff:0:0:0]:1", "[2001:db8::8000:0:0:0]:1"),
        ("::1", "[::1]:1", "[::2]:1"), ("::/0", "[ff::1]:1", "127.0.0.1:1"),
        ("fe80::/10", "[fe80::1%1]:1", "[fec0::1]:1"),
        ("10.0.0.0/8", "[::ffff:10.1.2.3]:1", "[::fffe:10.1.2.3]:1"),
        ("::ffff:10.0.0.0/104", "10.1.2.3:1", "11.1.2.3:1"),
        ("::ffff:10.0.0.1", "10.0.0.1:1", "[::10.0.0.1]:1"),
        ("::/80", "[::fffe:0:1]:1", "[::ffff:10.0.0.1]:1"),
        ("unix", "unix:@peer", "127.0.0.1:1"), ("127.0.0.1", "127.0.0.1:1", "unix:@peer"),
    ])
    func `a network has its members and no others`(
        text: String, member: String, stranger: String
    ) throws {
        let network = try Network(text)
        #expect(try network.contains(address(member)))
        #expect(try !network.contains(address(stranger)))
        #expect(try Network(network.description) == network)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("127.0.0.1", "127.0.0.1/32"), ("::1", "::1/128"),
        ("FD00:0::/8", "fd00::/8"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("unix", "unix"),
    ])
    func `a network is printed as its canonical text`(text: String, printed: String) throws {
        #expect(try Network(text).description == printed)
    }

    @Test(arguments: [
        ("", NetworkError.Reason.invalidHost), ("/8", .invalidHost), ("localhost", .invalidHost),
        ("10.0.0/8", .invalidHost), ("10.0.0.00/8", .invalidHost), ("[::1]", .invalidHost),
        ("fe80::1%1", .invalidHost), ("/run/x", .invalidHost), ("unix:/run/x", .invalidHost),
        ("unix:", .invalidHost), ("unix/8", .invalidHost), ("10.0.0.0:80/8", .invalidHost),
        ("10.0.0.0/", .invalidPrefix), ("10.0.0.0/33", .invalidPrefix),
        ("10.0.0.0/08", .invalidPrefix), ("10.0.0.0/+8", .invalidPrefix),
        ("10.0.0.0/8/8", .invalidPrefix), ("::/129", .invalidPrefix),
        ("10.0.0.0/99999999999999999999", .invalidPrefix), ("10.0.0.0/ 8", .invalidPrefix),
        ("10.1.0.0/8", .bitsBeyondPrefix), ("10.0.0.1/0", .bitsBeyondPrefix),
        ("fd00::1/8", .bitsBeyondPrefix), ("1::/0", .bitsBeyondPrefix),
        ("::1/64", .bitsBeyondPrefix), ("::ffff:10.0.0.1/104", .bitsBeyondPrefix),
    ])
    func `what is no network says why`(text: String, reason: NetworkError.Reason) throws {
        let error = #expect(throws: NetworkError.self) { try Network(text) }
        #expect(error?.reason == reason && error?.text == text)
        #expect(error?.description.hasPrefix("\(text.debugDescription) is not a network: ") == true)
    }
}
