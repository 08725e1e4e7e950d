// A network of a machine of its own, that can lose, cut and vanish.
import Glibc
import Testing

@testable import Tron

/// A network namespace with a demo server, joined to this one by a pair of interfaces. It is
/// taken away with this object.
final class PeerNetwork {
    static let isPossible =
        getuid() == 0 && Tool.run("ip", ["netns", "list"]) && Tool.has("nft") && sweep()

    /// Takes away what runs that were killed left behind: the name has the process.
    private static func sweep() -> Bool {
        let script = """
            ip netns list | sed -nE 's/^(tron([0-9]+)-[^ ]*).*/\\1 \\2/p' | while read name id; do
                kill -0 $id && continue
                ip netns pids $name | xargs -r kill -9
                ip netns del $name
            done
            """
        return Tool.run("sh", ["-c", script])
    }

    private let name: String
    private let interface: String
    private let host: String
    let address: SocketAddress
    private var server: pid_t?

    init() throws {
        let (net, block) = (Int.random(in: 1...254), 4 * Int.random(in: 0...62))
        let tag = String(UInt32.random(in: 0...0xfffff), radix: 36)
        name = "tron\(getpid())-\(tag)"
        interface = "tr\(tag)b"
        host = "10.213.\(net).\(block + 2)"
        address = try SocketAddress("\(host):9000")
        let here = "tr\(tag)a"
        let steps = [
            ["netns", "add", name],
            ["link", "add", here, "type", "veth", "peer", "name", interface, "netns", name],
            ["addr", "add", "10.213.\(net).\(block + 1)/30", "dev", here],
            ["link", "set", here, "up"],
            ["-n", name, "addr", "add", "\(host)/30", "dev", interface],
            ["-n", name, "link", "set", interface, "up"],
        ]
        for step in steps { try #require(Tool.run("ip", step), "ip \(step)") }
        let program = ProcessUnderTest.productFolder + "/echo-demo"
        server = Tool.spawn(inside([program, "serve", "--host", host, "--port", "9000"]))
    }

    deinit {
        if let server { Tool.kill(server) }
        _ = Tool.run("ip", ["netns", "del", name])
    }

    private func inside(_ words: [String]) -> [String] {
        ["ip", "netns", "exec", name] + words
    }

    /// Replaces the rules by a chain in each direction.
    private func filter(policy: String, rule: String = "") -> Bool {
        var rules = "flush ruleset; add table inet t; "
        for (chain, hook) in [("i", "input"), ("o", "output")] {
            rules +=
                "add chain inet t \(chain) "
                + "{ type filter hook \(hook) priority 0 ; policy \(policy) ; }; "
            if !rule.isEmpty { rules += "add rule inet t \(chain) \(rule); " }
        }
        let words = inside(["nft", rules])
        return Tool.run(words[0], Array(words.dropFirst()))
    }

    /// From now on nothing that is sent arrives, either way, and nobody is told.
    func dropEverything() -> Bool { filter(policy: "drop") }

    /// Of a hundred packets, so many do not arrive, either way.
    func lose(percent: Int) -> Bool {
        filter(policy: "accept", rule: "numgen random mod 100 < \(percent) counter drop")
    }

    /// Whether a packet was lost by that.
    func hasLost() -> Bool {
        let words = inside(["nft", "list", "ruleset"]).joined(separator: " ")
        return Tool.run("sh", ["-c", words + " | grep -q 'counter packets [1-9]'"])
    }

    /// The server's end of the cable is gone, and its network with it.
    func takeAway() -> Bool {
        Tool.run("ip", ["-n", name, "link", "set", interface, "down"])
    }
}
