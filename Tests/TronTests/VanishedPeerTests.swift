// A peer that vanishes without a word: behind a firewall that drops, in a network of its own.
import Foundation
import Testing

@testable import Tron

/// A network namespace with a demo server, joined to this one by a pair of interfaces.
private final class PeerNetwork {
    static let isPossible = getuid() == 0 && run("ip", ["netns", "list"]) && has("nft")

    private let name: String
    let address: SocketAddress
    private var server: Process?

    init() throws {
        let number = UInt8.random(in: 1...254)
        let tag = String(UInt32.random(in: 0...0xfffff), radix: 36)
        name = "tron\(tag)"
        address = try SocketAddress("10.213.\(number).2:9000")
        let (here, there) = ("tr\(tag)a", "tr\(tag)b")
        let steps = [
            ["netns", "add", name],
            ["link", "add", here, "type", "veth", "peer", "name", there, "netns", name],
            ["addr", "add", "10.213.\(number).1/30", "dev", here],
            ["link", "set", here, "up"],
            ["-n", name, "addr", "add", "10.213.\(number).2/30", "dev", there],
            ["-n", name, "link", "set", there, "up"],
        ]
        for step in steps { try #require(Self.run("ip", step), "ip \(step)") }
        let echo = Process()
        echo.executableURL = URL(filePath: "/usr/bin/env")
        echo.arguments = [
            "ip", "netns", "exec", name, ProcessUnderTest.productFolder + "/echo-demo", "serve",
            "--host", "10.213.\(number).2", "--port", "9000",
        ]
        echo.standardOutput = FileHandle.nullDevice
        try echo.run()
        server = echo
    }

    deinit {
        if let server { kill(server.processIdentifier, SIGKILL) }
        server?.waitUntilExit()
        _ = Self.run("ip", ["netns", "del", name])
    }

    /// From now on nothing that is sent there arrives, and nobody is told.
    func dropEverything() -> Bool {
        let rules =
            "add table inet t; add chain inet t c "
            + "{ type filter hook input priority 0 ; policy drop ; }"
        return Self.run("ip", ["netns", "exec", name, "nft", rules])
    }

    private static func has(_ tool: String) -> Bool { run("which", [tool]) }

    private static func run(_ tool: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

@Suite(.enabled(if: PeerNetwork.isPossible, "needs root, ip and nft"))
struct VanishedPeerTests {
    @Test func `a peer behind a dropping firewall fails the request, then the connection`() throws {
        let network = try PeerNetwork()
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.deadAfter = .seconds(2)
        options.timeoutsBeforeReconnect = nil
        var outcomes: [String] = []
        var reasons: [CloseReason] = []
        let client = reactor.connect(
            to: [network.address],
            reconnecting: Backoff(initial: .milliseconds(50), multiplier: 1), options: options
        ) { session in
            session.onClose { _, reason in
                reasons.append(reason)
                reactor.stop()
            }
        }
        func ask(_ text: String, _ timeout: Duration, then: @escaping () -> Void) {
            client.request(category: 1, data: text, timeout: timeout) { outcome in
                switch outcome {
                case .answered(let packet): outcomes.append(packet.text)
                case .failed(let error): outcomes.append("\(text): \(error)")
                }
                then()
            }
        }
        ask("there", .seconds(20)) {
            #expect(network.dropEverything())
            ask("gone", .milliseconds(300)) {}
        }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        #expect(outcomes == ["there", "gone: no answer in time"])
        #expect(reasons.map(\.description) == ["recv: Connection timed out"])
    }

    @Test func `an idle connection to a vanished peer is found dead, too`() throws {
        let network = try PeerNetwork()
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.deadAfter = .seconds(3)
        options.session.heartbeat = Heartbeat(category: 200, interval: .seconds(1))
        var reasons: [CloseReason] = []
        let client = reactor.connect(
            to: [network.address],
            reconnecting: Backoff(initial: .milliseconds(50), multiplier: 1), options: options
        ) { session in
            session.onClose { _, reason in
                reasons.append(reason)
                reactor.stop()
            }
        }
        client.onStateChange { _, state in
            if state == .connected { #expect(network.dropEverything()) }
        }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        let expected = [CloseReason.dead, .system(SystemError(.recv, code: ETIMEDOUT))]
        #expect(reasons.count == 1 && expected.contains(reasons[0]), "\(reasons)")
    }
}
