// The simulated network: what a test makes, and what lives in it.
import Tron

/// A network, a clock and a machine for each server of a test, all of them simulated.
///
///     let network = SimulatedNetwork()
///     try network.reactor(named: "server") { reactor in try serve(on: reactor) }
///     let peer = try network.connect(to: "127.0.0.1:9000")
///     peer.send(category: 1, data: "ping")
///     try network.run(until: { !peer.packets.isEmpty })
///     try network.finish()
///
/// The setup closures are those that a program gives a `Reactor` or a `ReactorService`: what is
/// tested is the server itself, on the real library. All reactors are stepped on the calling
/// thread, under one virtual clock, which passes only in `advance(by:)` and `run(until:within:)`:
/// an hour takes milliseconds. Everything that chance decides is drawn from the seed, so that the
/// same seed gives the same trace.
///
/// Tasks on a reactor's executor (`Task(executorPreference: reactor.executor)`, actors on it,
/// `Session.task`) are part of that, and so is their `RemoteReactor.sleep(for:)`. What runs
/// elsewhere is not: other threads, `Task { }`, and `Task.sleep`, which waits in real time. When it
/// comes back to a reactor, that is a finding.
///
/// Loopback addresses are common to all reactors, as if they were processes of one computer. Each
/// also has an address of its own, and its name stands for that.
///
/// A network belongs to one thread at a time, which may be another after an `await`: the one that
/// last let time pass, or asked for a `SimulatedReactor.reactor`. What was kept of reactors and
/// sessions is that thread's then, and calls on others trap.
public final class SimulatedNetwork {
    /// What everything that chance decided was drawn from.
    public let seed: UInt64

    /// What watches the reactors.
    public var watch = SimulationWatch()

    /// What no reactor should have done, in the order in which it was seen.
    public internal(set) var findings: [SimulationFinding] = []

    /// The story so far: calls, bytes that arrive, and what tests note. The last 100,000 lines.
    public var trace: [String] { story.lines }

    let run: Run
    let network: Transport
    let story: Story
    var reactors: [SimulatedReactor] = []
    /// Those that crashed: their code does not run any more, and what it holds is still there.
    var crashed: [Reactor] = []
    var scripts: [SocketAddress: (place: Place, script: (SimulatedPeer) -> Void)] = [:]
    var nextTurn = 0
    var nextWatch: Int64 = 0
    private var peers = 0

    /// A network whose chance is drawn from `seed`. Without one it is what the environment variable
    /// `TRON_SEED` says, or any.
    public init(seed: UInt64? = nil) {
        let seed = seed ?? Replay.seed ?? .random(in: 1...999_999_999)
        let story = Story()
        self.seed = seed
        self.story = story
        run = Run(seed: seed, faults: { _ in Faults() }, teller: { story.add($0) })
        network = Transport(run: run)
        network.shape = { chance in
            EndShape(
                inboxCapacity: 64 << 10, outboxCapacity: 64 << 10,
                latency: Int64(chance.between(50_000, 150_000)))
        }
        network.acceptAfar = { [unowned self] in acceptAfar($0, $1) }
        run.failed = { [unowned self] text in
            found(.brokenPromise, text, by: run.speaker)
        }
    }

    deinit {
        run.failed = { _ in }
        // Nobody is told of findings any more.
        for reactor in reactors.compactMap(\.living) + crashed { reactor.finish() }
        network.dissolve()
    }

    /// How much virtual time has passed.
    public var now: Duration { .nanoseconds(run.clock - Run.beginning) }

    /// Adds a line of the test's own to the trace.
    public func note(_ text: String) { run.tell(text) }

    /// A reactor of this network. `setup` is called now, and again whenever it is restarted.
    /// - Throws: what `setup` throws. The network has no such reactor then; its name and what it
    ///   listened on are free.
    @discardableResult
    public func reactor(
        named name: String, limits: ReactorLimits = ReactorLimits(),
        setup: @escaping (Reactor) throws -> Void
    ) throws -> SimulatedReactor {
        let reactor = SimulatedReactor(makePlace(name), limits, self, setup)
        try reactor.start()
        reactors.append(reactor)
        return reactor
    }

    /// Something between the turns, so much later.
    public func schedule(after delay: Duration, _ action: @escaping () -> Void) {
        network.after(delay.clampedNanoseconds) { action() }
    }

    /// The calling thread is the reactors' own from now on.
    func adoptThread() {
        for reactor in reactors { reactor.adoptThread() }
    }

    func makePlace(_ name: String) -> Place {
        if let place = network.places.first(where: { $0.name == name }) { return place }
        let place = Place(name, host: 0x0a00_0001 + UInt32(network.places.count))
        network.places.append(place)
        return place
    }

    func nextPeerName() -> String {
        peers += 1
        return "peer \(peers)"
    }

    func found(_ kind: SimulationFinding.Kind, _ text: String, by reactor: String?) {
        let finding = SimulationFinding(kind: kind, time: now, reactor: reactor, message: text)
        if kind != .brokenPromise { run.tell("FOUND: \(finding)") }
        findings.append(finding)
    }
}

/// The lines of a story, of which the last are kept.
final class Story {
    static let capacity = 100_000

    private var kept: [String] = []
    private var first = 0

    func add(_ line: String) {
        if kept.count < Self.capacity { return kept.append(line) }
        kept[first] = line
        first = (first + 1) % Self.capacity
    }

    var lines: [String] { Array(kept[first...] + kept[..<first]) }
}
