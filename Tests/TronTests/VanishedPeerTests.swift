// A peer that vanishes without a word: behind a firewall that drops, in a network of its own.
import Glibc
import Testing

@testable import Tron

/// A network namespace with a demo server, joined to this one by a pair of interfaces.
private final class PeerNetwork {
    static let isPossible = getuid() == 0 && run("ip", ["netns", "list"]) && has("nft")

    private let name: String
    let address: SocketAddress
    private var server: pid_t?

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
        server = Self.spawn(
            [
                "ip", "netns", "exec", name, ProcessUnderTest.productFolder + "/echo-demo",
                "serve", "--host", "10.213.\(number).2", "--port", "9000",
            ])
    }

    deinit {
        if let server {
            kill(server, SIGKILL)
            waitpid(server, nil, 0)
        }
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
        guard let id = spawn([tool] + arguments) else { return false }
        var status: Int32 = 0
        return waitpid(id, &status, 0) == id && status == 0
    }

    /// Starts a tool without streams, and without the sockets of other tests, whose ends it would
    /// hold back.
    private static func spawn(_ words: [String]) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        for number: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, number) }
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var id: pid_t = 0
        return posix_spawnp(&id, words[0], &actions, nil, &arguments, environ) == 0 ? id : nil
    }
}

@Suite(.enabled(if: PeerNetwork.isPossible, "needs root, ip and nft"))
struct VanishedPeerTests {
    /// A client that tries until the server is up, and stops the reactor when a session ends.
    private func connect(
        _ reactor: Reactor, to network: PeerNetwork, _ options: ClientOptions,
        ended: @escaping (CloseReason) -> Void
    ) -> Client {
        reactor.connect(
            to: [network.address],
            reconnecting: Backoff(initial: .milliseconds(50), multiplier: 1), options: options
        ) { session in
            session.onClose { _, reason in
                ended(reason)
                reactor.stop()
            }
        }
    }

    @Test func `a peer behind a dropping firewall fails the request, then the connection`() throws {
        let network = try PeerNetwork()
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.deadAfter = .seconds(2)
        options.timeoutsBeforeReconnect = nil
        var outcomes: [String] = []
        var reasons: [CloseReason] = []
        let client = connect(reactor, to: network, options) { reasons.append($0) }
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
        let client = connect(reactor, to: network, options) { reasons.append($0) }
        client.onStateChange { _, state in
            if state == .connected { #expect(network.dropEverything()) }
        }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        let expected = [CloseReason.dead, .system(SystemError(.recv, code: ETIMEDOUT))]
        #expect(reasons.count == 1 && expected.contains(reasons[0]), "\(reasons)")
    }
}
