// `cluster-demo node`: one node, until it is told to end.
import Tron
import TronMetrics

/// Serves until SIGINT or SIGTERM; then sends its sessions away, lets the broker have what they
/// published, and says so to the other nodes. A second signal ends it at once.
func runNode(_ settings: NodeSettings) throws -> Int32 {
    Platform.raiseDescriptorLimit()
    // First of all: their numbers must not be taken for others.
    let inherited = settings.address == nil ? try InheritedListeners.take() : nil
    if settings.address == nil && inherited?.names.isEmpty != false {
        throw UsageError("node needs --listen, or listeners handed over by a supervisor")
    }
    let reactor = try Reactor()
    let node = Node(try nodeOptions(settings), on: reactor) { event in Terminal.note("\(event)") }
    let servers = try listen(settings, inherited, for: node)
    let metrics = try settings.metrics.map { try reactor.serveMetrics(on: $0) }
    let supervisor = try Supervisor.ofThisProcess()
    if let supervisor { reactor.report(to: supervisor) }
    let ending = Ending(node, servers, settings, supervisor)
    try reactor.onSignal(.interrupt, .terminate) { _ in ending.begin() }
    // Only now: whoever reads this line may connect, and may send a signal.
    for server in servers { Terminal.say("listening on \(server.address)") }
    if let metrics { Terminal.say("metrics on \(metrics.address)") }
    try reactor.run()
    Terminal.say(node.counters.line)
    return ExitStatus.success
}

private func nodeOptions(_ settings: NodeSettings) throws -> NodeOptions {
    let name = settings.name ?? "node-" + String(UInt32.random(in: 0 ... .max), radix: 16)
    guard let identity = NodeIdentity(name: name, epoch: Platform.nanosecondsOfDay()) else {
        throw UsageError("--name: \(name) is none")
    }
    var broker = BrokerOptions(servers: settings.brokers)
    broker.name = name
    return NodeOptions(identity: identity, broker: broker, prefix: settings.cluster)
}

/// At the address that was given, or on all listeners that a supervisor has handed over.
private func listen(
    _ settings: NodeSettings, _ inherited: InheritedListeners?, for node: Node
) throws -> [Server] {
    let (reactor, options) = (node.reactor, settings.server)
    if let address = settings.address {
        return [try reactor.listen(on: address, options: options) { node.admit($0) }]
    }
    guard let inherited else { return [] }
    return try inherited.names.map { name in
        try reactor.listen(on: inherited.claim(name), options: options) { node.admit($0) }
    }
}

/// The graceful end. `Reactor.drain` would stop the reactor with the last session, before the
/// broker has what that published.
private final class Ending {
    /// What the broker has to answer within, once all sessions have gone.
    private static let farewell = Duration.seconds(2)

    private let node: Node
    private let servers: [Server]
    private let settings: NodeSettings
    private let supervisor: Supervisor?
    private var hasBegun = false
    private var serversLeft = 0
    private var sum = DrainReport()

    init(
        _ node: Node, _ servers: [Server], _ settings: NodeSettings, _ supervisor: Supervisor?
    ) {
        self.node = node
        self.servers = servers
        self.settings = settings
        self.supervisor = supervisor
    }

    func begin() {
        if hasBegun { return node.reactor.stop() }
        hasBegun = true
        // Balancers that ask for readiness send nobody any more.
        node.reactor.isPreparing = true
        // A supervisor that is not told waits for its own time to stop.
        try? supervisor?.stopping(within: settings.drain + Self.farewell)
        serversLeft = servers.count
        for server in servers {
            server.drain(within: settings.drain, spread: settings.spread) { [self] report in
                sum.add(report)
                serversLeft -= 1
                if serversLeft == 0 { leave() }
            }
        }
    }

    private func leave() {
        Terminal.note("drained: \(sum)")
        node.leave { [self] in node.reactor.stop() }
        node.reactor.schedule(after: Self.farewell) { [self] in node.reactor.stop() }
    }
}

extension NodeCounters {
    /// All of it on one line, as `.ci/cluster` reads it.
    var line: String {
        "published \(published), forwarded \(forwarded), received \(received), "
            + "delivered \(delivered), dropped \(dropped), fell behind \(fellBehind), "
            + "gaps \(gaps), late \(late), malformed \(malformed)"
    }
}
