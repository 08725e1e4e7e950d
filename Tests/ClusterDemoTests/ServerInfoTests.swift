// What a server's INFO says: read from JSON that may be any bytes.
import Testing
import Tron

@testable import cluster_demo

@Suite struct ServerInfoTests {
    private static let whole = """
        {"server_id":"NA","server_name":"n\\u00e4me \\ud83d\\ude00\\n","proto":1,\
        "max_payload":1000,"auth_required":true,"tls_required":true,"ldm":true,\
        "nested":{"a":[1,-2.5e+3,null,{"b":[]}],"c":{}},"empty":[],
        "connect_urls":["127.0.0.1:4222","[::1]:4223","name:4224","127.0.0.1:4222","junk"]}
        """

    @Test func `what a client has to know is read, and the rest passed over`() throws {
        let info = try ServerInfo(Array(Self.whole.utf8))
        #expect(info.name == "n\u{e4}me \u{1f600}\n")
        #expect(info.maximumPayload == 1000 && info.isLameDuck)
        #expect(info.requiresTLS && info.requiresAuthentication)
        #expect(info.servers == [.loopback(port: 4222), try SocketAddress("[::1]:4223")])
        #expect(try ServerInfo(Array("{}".utf8)) == ServerInfo())
        #expect(try ServerInfo(Array(" { } ".utf8)) == ServerInfo())
    }

    @Test func `a text that ends too soon is a fault, wherever it ends`() {
        let bytes = Array(Self.whole.utf8)
        for count in 0..<bytes.count {
            #expect(throws: JSONFault.self, "\(count)") { try ServerInfo(Array(bytes[..<count])) }
        }
    }

    @Test(
        arguments: [
            ("", .endsTooSoon), ("x", .unexpected(at: 0)), ("[]", .unexpected(at: 0)),
            ("{}x", .unexpected(at: 2)), ("{\"a\"}", .unexpected(at: 4)),
            ("{\"a\":}", .unexpected(at: 5)), ("{\"a\":1,}", .unexpected(at: 7)),
            ("{\"a\":tru}", .unexpected(at: 8)), ("{\"max_payload\":1.5}", .unexpected(at: 16)),
            ("{\"max_payload\":99999999999999999999}", .unexpected(at: 15)),
            ("{\"a\":\"\\x\"}", .unexpected(at: 7)), ("{\"a\":\"\\u00+1\"}", .unexpected(at: 8)),
            ("{\"a\":\"\n\"}", .unexpected(at: 6)), ("{\"ldm\":1}", .unexpected(at: 7)),
        ] as [(String, JSONFault)])
    func `what is no INFO is a fault at its place`(text: String, fault: JSONFault) {
        #expect(throws: fault) { try ServerInfo(Array(text.utf8)) }
    }

    @Test func `depth is bounded`() throws {
        let deep = { (count: Int) in
            "{\"a\":" + String(repeating: "[", count: count) + String(repeating: "]", count: count)
                + "}"
        }
        #expect(try ServerInfo(Array(deep(JSONReader.maximumDepth).utf8)) == ServerInfo())
        #expect(throws: JSONFault.tooDeep) {
            try ServerInfo(Array(deep(JSONReader.maximumDepth + 1).utf8))
        }
        #expect(throws: JSONFault.tooDeep) { try ServerInfo(Array(deep(60_000).utf8)) }
    }

    @Test func `as many servers are kept as may be`() throws {
        let names = (1...100).map { "\"10.0.0.\($0):4222\"" }.joined(separator: ",")
        let info = try ServerInfo(Array("{\"connect_urls\":[\(names)]}".utf8))
        #expect(info.servers.count == BrokerLimits.servers)
    }

    @Test func `whatever bytes come, nothing traps`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed)
        for _ in 0..<5000 {
            var bytes = Array(Self.whole.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let byte =
                    Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : Array("{}[]\",:\\u-0tfn".utf8).randomElement(using: &random)!
                bytes[place] = byte
            }
            _ = try? ServerInfo(bytes)
        }
    }

    @Test(
        arguments: [
            ("Slow Consumer", .slowConsumer), ("Stale Connection", .staleConnection),
            (
                "Permissions Violation for Publish to \"a\"",
                .permissions("Permissions Violation for Publish to \"a\"")
            ),
            ("Unknown Protocol Operation", .other("Unknown Protocol Operation")), ("", .other("")),
        ] as [(String, BrokerComplaint)])
    func `a complaint is known by its words`(text: String, complaint: BrokerComplaint) {
        #expect(BrokerComplaint(text) == complaint)
    }
}
