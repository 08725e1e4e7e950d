// `echo-demo serve`: the server, whole; the shortest way to see what the library is like.
import Tron
import TronMetrics

/// Echoes packets until SIGINT or SIGTERM, then lets what is queued leave before it ends. A second
/// signal ends it at once. A supervisor hears what it does.
func serve(_ settings: ServeSettings) throws -> Int32 {
    Platform.raiseDescriptorLimit()
    // First of all: their numbers must not be taken for others.
    let inherited = settings.address == nil ? try InheritedListeners.take() : nil
    if settings.reactors > 1 { return try serveByGroup(settings, inherited) }
    let reactor = try Reactor()
    let servers = try listen(settings, inherited, on: reactor)
    let metrics = try settings.metrics.map { try reactor.serveMetrics(on: $0) }
    var isDraining = false
    try reactor.onSignal(.interrupt, .terminate) { _ in
        if isDraining { return reactor.stop() }
        isDraining = true
        reactor.drain(within: .seconds(5))
    }
    if let supervisor = try Supervisor.ofThisProcess() { reactor.report(to: supervisor) }
    // Only now: whoever reads this line may connect, and may send a signal.
    for server in servers { Terminal.say("listening on \(server.address)") }
    if let metrics { Terminal.say("metrics on \(metrics.address)") }
    if settings.watches { LiveDisplay(reactor).begin() }
    try reactor.run()
    return ExitStatus.success
}

/// At the address that was given, or on all listeners that a supervisor has handed over.
private func listen(
    _ settings: ServeSettings, _ inherited: InheritedListeners?, on reactor: Reactor
) throws -> [Server] {
    if let address = settings.address {
        return [try reactor.listen(on: address, options: settings.options, setup: echo)]
    }
    return try handedOver(inherited).map { listener in
        try reactor.listen(on: listener(), options: settings.options, setup: echo)
    }
}

/// What each session does.
@Sendable func echo(_ session: Session) {
    session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
}

/// All listeners of the supervisor, each to be claimed by a call.
func handedOver(
    _ inherited: InheritedListeners?
) throws(UsageError) -> [() throws -> InheritedListener] {
    guard let inherited, !inherited.names.isEmpty else {
        throw UsageError("serve needs --port or --unix, or listeners handed over by a supervisor")
    }
    return inherited.names.map { name in { try inherited.claim(name) } }
}
