// `--serve`: our server, which sends what comes in to where the route says.
import CBenchmark
import Glibc
import Tron

/// What serves.
enum Serving {
    /// One reactor, which looks for events for so many microseconds before it sleeps.
    case alone(Route, spin: Int)
    /// So many reactors, which echo.
    case group(reactors: Int)

    /// Serves until SIGINT or SIGTERM.
    func run(port: UInt16) throws {
        switch self {
        case .alone(let route, let spin): try serve(port: port, route, spin: spin)
        case .group(let reactors): try serve(port: port, reactors: reactors)
        }
    }
}

private func serve(port: UInt16, _ route: Route, spin: Int) throws {
    DescriptorLimit.raise()
    var limits = ReactorLimits()
    limits.spin = .microseconds(spin)
    let reactor = try Reactor(limits: limits)
    let server = try reactor.listen(on: "127.0.0.1:\(port)", setup: setup(route, on: reactor))
    try reactor.onSignal(.interrupt, .terminate) { _ in reactor.stop() }
    print("listening on \(server.address)")
    fflush(nil)
    try reactor.run()
}

/// Ends the process.
private func serve(port: UInt16, reactors: Int) throws {
    DescriptorLimit.raise()
    let group = ReactorGroup(count: .exactly(reactors)) { reactor, index in
        guard index == 0 else { return }
        let group = reactor.group
        // Asked twice it stops at once.
        try reactor.onSignal(.interrupt, .terminate) { _ in
            group?.shutDown()
            group?.shutDown()
        }
    }
    let server = try group.listen(on: "127.0.0.1:\(port)", setup: echo)
    print("listening on \(server.address)")
    fflush(nil)
    Task.detached {
        do {
            try await group.run()
            exit(ExitStatus.success)
        } catch {
            Terminal.complain("\(error)")
            exit(ExitStatus.failure)
        }
    }
    while true { pause() }
}

/// One for both: the compiler would join two that are alike, at the cost of a jump.
@Sendable private func echo(_ session: Session) {
    session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
}

private func setup(_ route: Route, on reactor: Reactor) -> (Session) -> Void {
    switch route {
    case .echo: return echo
    case .pairs:
        var first: Session?
        return { session in
            if let neighbour = first.take() {
                relay(from: session, to: neighbour)
                relay(from: neighbour, to: session)
            } else {
                first = session
                session.pauseReading()
            }
        }
    case .room:
        let group = reactor.makeGroup()
        return { session in
            group.add(session)
            session.onPacket { _, packet in
                group.send(
                    sequence: packet.sequence, category: packet.category, data: packet.data)
            }
        }
    }
}

/// Back pressure: the source is not read while the target's output waits.
private func relay(from source: Session, to target: Session) {
    source.onPacket { source, packet in
        target.send(sequence: packet.sequence, category: packet.category, data: packet.data)
        if !target.isWritable { source.pauseReading() }
    }
    target.onWritabilityChange { _, isWritable in
        if isWritable { source.resumeReading() }
    }
    source.resumeReading()
}
