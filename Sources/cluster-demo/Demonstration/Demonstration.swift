// `cluster-demo` alone: two nodes on one reactor and a broker beside them, step by step.
import Tron

/// Runs the steps and returns the exit status: 0 only if each went as it has to.
func demonstrate() throws -> Int32 {
    let reactor = try Reactor()
    let broker = Platform.program(named: "nats-server")
    let stage = try Stage(on: reactor, broker: broker)
    var status = ExitStatus.failure
    nonisolated(unsafe) let finish = { (result: Int32) in
        status = result
        reactor.stop()
    }
    Task(executorPreference: reactor.executor) {
        do {
            if broker == nil { try await stage.playAlone() } else { try await stage.play() }
            unsafe finish(ExitStatus.success)
        } catch {
            Terminal.complain("\(error)")
            unsafe finish(ExitStatus.failure)
        }
    }
    try reactor.run()
    stage.end()
    return status
}

/// Why a step did not go as it has to.
struct StepFailure: Error, CustomStringConvertible {
    let description: String
}

/// The nodes, their broker and two people. It belongs to the reactor's thread, as all of them do:
/// so it may be used by a task on the reactor's executor.
final class Stage: @unchecked Sendable {
    private static let patience = Duration.seconds(10)

    private let reactor: Reactor
    private let brokerPath: String?
    private let brokerPort: UInt16
    private var brokerProcess: StartedProgram?
    private let nodes: [Node]
    private let servers: [Server]
    private let people: [Person]
    private var steps = 0

    private var ann: Person { people[0] }
    private var bob: Person { people[1] }

    init(on reactor: Reactor, broker path: String?) throws {
        self.reactor = reactor
        brokerPath = path
        let port = try Self.freePort(on: reactor)
        brokerPort = port
        let names = path == nil ? ["node-1"] : ["node-1", "node-2"]
        nodes = try names.map { try Self.makeNode($0, broker: port, on: reactor) }
        servers = try nodes.map { node in
            try reactor.listen(on: SocketAddress.loopback(port: 0), options: NodeLimits.sessions) {
                node.admit($0)
            }
        }
        let addresses = [servers[0].address, servers[servers.count - 1].address]
        people = zip(["Ann", "Bob"], addresses).map { Person($0, at: $1, on: reactor) }
    }

    /// A port that was free a moment ago, and stays so as long as nobody asks for it by its number:
    /// what the kernel gives to connections begins at 32,768 (ip(7), `ip_local_port_range`).
    private static func freePort(on reactor: Reactor) throws -> UInt16 {
        for _ in 0..<100 {
            let address = SocketAddress.loopback(port: .random(in: 20_000..<32_768))
            guard let probe = try? reactor.listen(on: address, setup: { _ in }) else { continue }
            probe.stop()
            return address.port ?? 0
        }
        throw StepFailure(description: "no port is free")
    }

    private static func makeNode(
        _ name: String, broker port: UInt16, on reactor: Reactor
    ) throws -> Node {
        guard let identity = NodeIdentity(name: name, epoch: Platform.nanosecondsOfDay()) else {
            throw StepFailure(description: "no name: \(name)")
        }
        var broker = BrokerOptions(servers: [.loopback(port: port)])
        broker.name = name
        broker.backoff = Backoff(
            initial: .milliseconds(100), cap: .milliseconds(500), jitter: .full)
        let options = NodeOptions(identity: identity, broker: broker)
        return Node(options, on: reactor) { event in show(name, "\(event)") }
    }

    func end() { brokerProcess?.killNow() }

    private func startBroker() throws {
        let options = ["-a", "127.0.0.1", "-p", "\(brokerPort)"]
        brokerProcess = brokerPath.flatMap { StartedProgram($0, options) }
        guard brokerProcess != nil else {
            throw StepFailure(description: "nats-server does not start")
        }
    }

    private func step(_ title: String) {
        steps += 1
        Terminal.say("\n\(steps). \(title)")
    }

    /// Waits until something holds; each 10 ms it is asked.
    private func wait(for what: String, _ holds: @escaping () -> Bool) async throws {
        let end = reactor.uptime + Self.patience
        while !holds() {
            guard reactor.uptime < end else {
                throw StepFailure(description: "step \(steps) failed: \(what)")
            }
            await unsafe withUnsafeContinuation {
                (continuation: UnsafeContinuation<Void, Never>) in
                reactor.schedule(after: .milliseconds(10)) { unsafe continuation.resume() }
            }
        }
    }
}

// MARK: - The steps

extension Stage {
    /// With a broker.
    func play() async throws {
        Terminal.say("Two nodes, as two machines would have them, and a NATS server between them.")
        step("The nodes find the broker, and each other")
        try startBroker()
        try await wait(for: "the nodes see each other") { [self] in
            nodes.allSatisfy { $0.broker.isReady && $0.nodes.records.count == 1 }
        }
        step("A message crosses: Ann is at node-1, Bob at node-2")
        try await ann.subscribe(to: "news")
        try await bob.subscribe(to: "news")
        try await bob.publish("hello from the other side", to: "news")
        try await wait(for: "the message crosses") { [self] in
            ann.texts == ["hello from the other side"] && bob.texts == ann.texts
        }
        try await playBrokerLost()
        try await playDrain()
        Terminal.say("\nAll \(steps) steps went as they have to.")
    }

    private func playBrokerLost() async throws {
        step("The broker is killed: who publishes is told; here, all goes on")
        brokerProcess?.killNow()
        try await wait(for: "the nodes notice") { [self] in
            nodes.allSatisfy { !$0.broker.isReady }
        }
        let outcome = try await bob.publish("does anybody hear me?", to: "news")
        guard outcome == .notConnected else {
            throw StepFailure(description: "step \(steps) failed: \(outcome)")
        }
        step("The broker is back: Ann is told that she missed something, and then what")
        try startBroker()
        try await wait(for: "the gap is told") { [self] in
            ann.gaps.contains { $0.reason == .linkLost } && nodes.allSatisfy { $0.broker.isReady }
        }
        try await bob.publish("and now?", to: "news")
        try await wait(for: "the next message crosses") { [self] in
            ann.texts.last == "and now?" && ann.gaps.contains { $0.reason == .lost }
        }
    }

    private func playDrain() async throws {
        step("node-2 is drained: its sessions are sent away, and node-1 hears that it leaves")
        let report = await unsafe withUnsafeContinuation {
            (continuation: UnsafeContinuation<DrainReport, Never>) in
            servers[1].drain(within: .seconds(5)) { unsafe continuation.resume(returning: $0) }
        }
        show("node-2", "drained: \(report)")
        nodes[1].leave {}
        try await wait(for: "node-1 hears it") { [self] in
            bob.isSentAway && nodes[0].nodes.records.isEmpty
        }
        guard ann.gaps.allSatisfy({ $0.reason != .publisherGone }) else {
            throw StepFailure(description: "step \(steps) failed: a gap was told")
        }
    }

    /// Without one.
    func playAlone() async throws {
        Terminal.say(
            """
            There is no nats-server on the PATH, so one node has to do. To see two of them:
                apt-get install nats-server        (Debian, Ubuntu)
                https://github.com/nats-io/nats-server/releases
            """)
        step("Ann and Bob are at one node, which looks for its broker in vain")
        try await ann.subscribe(to: "news")
        let outcome = try await bob.publish("hello", to: "news")
        try await wait(for: "the message arrives") { [self] in ann.texts == ["hello"] }
        guard outcome == .notConnected else {
            throw StepFailure(description: "step \(steps) failed: \(outcome)")
        }
        Terminal.say("\nThat went as it has to.")
    }
}

/// A line of the demonstration: who does something, and what.
func show(_ who: String, _ what: String) {
    Terminal.say("   \(who)\(String(repeating: " ", count: max(1, 9 - who.count)))\(what)")
}
