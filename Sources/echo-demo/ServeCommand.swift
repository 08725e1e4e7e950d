// `echo-demo serve`: the server, whole; the shortest way to see what the library is like.
import Tron
import TronMetrics

/// Echoes packets until SIGINT or SIGTERM, then lets what is queued leave before it ends. A second
/// signal ends it at once. A supervisor hears what it does.
func serve(_ settings: ServeSettings) throws -> Int32 {
    Platform.raiseDescriptorLimit()
    // First of all: their numbers must not be taken for others.
    let places = try ListeningPlaces(settings)
    if let count = settings.reactors { return try serve(settings, at: places, reactors: count) }
    let reactor = try Reactor()
    let addresses = try places.listen(
        at: { try reactor.listen(on: $0, options: settings.options, setup: echo).address },
        on: { try reactor.listen(on: $0, options: settings.options, setup: echo).address })
    let metrics = try settings.metrics.map { try reactor.serveMetrics(on: $0) }
    var isDraining = false
    try reactor.onSignal(.interrupt, .terminate) { _ in
        if isDraining { return reactor.stop() }
        isDraining = true
        reactor.drain(within: .seconds(5))
    }
    if let supervisor = try Supervisor.ofThisProcess() { reactor.report(to: supervisor) }
    // Only now: whoever reads this line may connect, and may send a signal.
    for address in addresses { Terminal.say("listening on \(address)") }
    if let metrics { Terminal.say("metrics on \(metrics.address)") }
    if settings.watches { LiveDisplay(reactor).begin() }
    try reactor.run()
    return ExitStatus.success
}

/// What a session does.
@Sendable func echo(_ session: Session) {
    session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
}

/// Where to listen: at the address that was given, or on all listeners that a supervisor has handed
/// over.
struct ListeningPlaces {
    private let address: SocketAddress?
    private let inherited: InheritedListeners?

    init(_ settings: ServeSettings) throws {
        address = settings.address
        inherited = address == nil ? try InheritedListeners.take() : nil
        if address == nil && inherited?.names.isEmpty != false {
            throw UsageError(
                "serve needs --port or --unix, or listeners handed over by a supervisor")
        }
    }

    /// The addresses that came of it.
    func listen(
        at open: (SocketAddress) throws -> SocketAddress,
        on adopt: (consuming InheritedListener) throws -> SocketAddress
    ) throws -> [SocketAddress] {
        if let address { return [try open(address)] }
        guard let inherited else { return [] }
        return try inherited.names.map { name in try adopt(inherited.claim(name)) }
    }
}
