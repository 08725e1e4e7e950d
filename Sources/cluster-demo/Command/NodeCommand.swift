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
    var limits = ReactorLimits()
    limits.farewellTimeout = farewellTimeout
    let reactor = try Reactor(limits: limits)
    let node = Node(try nodeOptions(settings), on: reactor) { event in Terminal.note("\(event)") }
    let servers = try listen(settings, inherited, for: node)
    let metrics = try settings.metrics.map { address in
        try reactor.serveMetrics(on: address) { node.write(to: &$0) }
    }
    let supervisor = try Supervisor.ofThisProcess()
    if let supervisor { reactor.report(to: supervisor) }
    reactor.onDrained { report, finish in
        Terminal.note("drained: \(report)")
        node.leave(finish)
    }
    var isEnding = false
    try reactor.onSignal(.interrupt, .terminate) { _ in
        if isEnding { return reactor.stop() }
        isEnding = true
        reactor.drain(within: settings.drain, spread: settings.spread)
    }
    // Only now: whoever reads this line may connect, and may send a signal.
    for server in servers { Terminal.say("listening on \(server.address)") }
    if let metrics { Terminal.say("metrics on \(metrics.address)") }
    try reactor.run()
    Terminal.say(node.counters.line)
    return ExitStatus.success
}

/// What the broker has to answer within, once all sessions have gone.
private let farewellTimeout = Duration.seconds(2)

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

extension NodeCounters {
    /// All of it on one line, as `.ci/cluster` reads it.
    var line: String {
        "published \(published), forwarded \(forwarded), received \(received), "
            + "delivered \(delivered), dropped \(dropped), fell behind \(fellBehind), "
            + "gaps \(gaps), late \(late), malformed \(malformed)"
    }
}
