// `echo-demo serve`: the server, whole; the shortest way to see what the library is like.
import Tron
import TronMetrics

/// Echoes packets until SIGINT or SIGTERM, then lets what is queued leave before it ends. A second
/// signal ends it at once.
func serve(_ settings: ServeSettings) throws -> Int32 {
    Platform.raiseDescriptorLimit()
    let reactor = try Reactor()
    let server = try reactor.listen(on: settings.address, options: settings.options) { session in
        session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
    }
    let metrics = try settings.metrics.map { try reactor.serveMetrics(on: $0) }
    var isDraining = false
    try reactor.onSignal(.interrupt, .terminate) { _ in
        if isDraining { return reactor.stop() }
        isDraining = true
        reactor.drain(within: .seconds(5))
    }
    // Only now: whoever reads this line may connect, and may send a signal.
    Terminal.say("listening on \(server.address)")
    if let metrics { Terminal.say("metrics on \(metrics.address)") }
    if settings.watches { LiveDisplay(reactor).begin() }
    try reactor.run()
    return ExitStatus.success
}
