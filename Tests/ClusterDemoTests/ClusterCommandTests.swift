// The command line of cluster-demo: what it asks for, and each misuse in one line.
import Testing
import Tron

@testable import TronTests
@testable import cluster_demo

@Suite struct ClusterCommandTests {
    private func settings(_ line: String) throws -> NodeSettings {
        let words = line.split(separator: " ").map(String.init)
        guard case .node(let settings) = try Command(words) else {
            throw ProcessFailure(description: "\(line) is no node")
        }
        return settings
    }

    @Test func `options reach what they are for`() throws {
        let all = try settings(
            "node --listen 127.0.0.1:9 --broker 127.0.0.1:4222 --broker [::1]:4223 --name n-1"
                + " --cluster c --proxy-from 10.0.0.0/8 --metrics 9100 --max-sessions 7 --drain 9"
                + " --spread 3")
        #expect(all.address == .loopback(port: 9) && all.metrics == .loopback(port: 9100))
        #expect(all.brokers == [.loopback(port: 4222), try SocketAddress("[::1]:4223")])
        #expect(all.name == "n-1" && all.cluster == "c")
        #expect(all.server.limits.maximumSessions == 7 && all.server.proxyProtocol != nil)
        #expect(all.drain == .seconds(9) && all.spread == .seconds(3))
        let few = try settings("node --broker 127.0.0.1:4222")
        #expect(few.address == nil && few.name == nil && few.server.proxyProtocol == nil)
    }

    @Test(arguments: [
        ("serve", "unknown command serve"), ("--x", "unknown option --x"),
        ("node", "node needs --broker"), ("node --port 1", "unknown option --port of node"),
        ("node --broker", "--broker needs a value, ADDRESS"),
        ("node --broker --listen", "--broker needs a value, ADDRESS"),
        ("node --name a --name b", "--name is given twice"),
        ("node --name a.b", "--name: a.b is not 1 to 32 letters, digits, - and _"),
        ("node --max-sessions 0", "--max-sessions: 0 is not within 1 to 1000000000"),
        ("node --max-sessions +1", "--max-sessions: +1 is not a number"),
        ("node --metrics 65536", "--metrics: 65536 is not within 0 to 65535"),
        ("node --broker 127.0.0.1:1 --drain 1", "--spread is more than --drain"),
    ])
    func `a misuse is told in one line`(line: String, reason: String) {
        #expect(throws: UsageError(reason)) {
            try Command(line.split(separator: " ").map(String.init))
        }
    }

    @Test(arguments: [
        "node --broker host:4222", "node --listen x", "node --proxy-from 10.0.0.1/8",
    ])
    func `an address or a network that is none is a misuse`(line: String) {
        #expect(throws: UsageError.self) {
            try Command(line.split(separator: " ").map(String.init))
        }
    }

    @Test func `the program tells its usage, and ends with 64 where it is misused`() throws {
        let help = try ProcessUnderTest(["--help"], of: "cluster-demo").awaitEnd()
        #expect(help.status == 0 && Option.all.allSatisfy { help.output.contains($0.name) })
        #expect(help.output.utf8.split(separator: 10).allSatisfy { $0.count <= 100 })
        let misused = try ProcessUnderTest(["node"], of: "cluster-demo").awaitEnd()
        #expect(misused.status == 64)
        #expect(
            misused.errors == "cluster-demo: node needs --broker\n\(CommandLineHelp.hint)\n")
        let without = try ProcessUnderTest(
            ["node", "--broker", "127.0.0.1:1"], of: "cluster-demo"
        ).awaitEnd()
        #expect(without.status == 64 && without.errors.contains("node needs --listen"))
    }
}
