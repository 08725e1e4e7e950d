// A client: one logical peer over many connections. Its surface and its state.

extension Reactor {
    /// Connects to `127.0.0.1:9000`, `[::1]:9000`, `/run/x.sock` or `name:9000`, and again whenever
    /// the connection is lost, with the delays of the backoff. `setup` is called for every new
    /// connection and installs its handlers, as with a server. On the loop's thread, or before it
    /// runs.
    ///
    /// Whatever is wrong with the address is reported as a state, like every other failure.
    @discardableResult
    public func makeClient(
        to address: String, reconnecting backoff: Backoff = Backoff(jitter: .equal),
        options: ClientOptions = ClientOptions(), setup: @escaping (Session) -> Void = { _ in }
    ) -> Client {
        makeClient(to: ClientTarget(address), backoff, options, setup)
    }

    /// The same for several addresses of one peer, which are tried in turn.
    @discardableResult
    public func makeClient(
        to addresses: [SocketAddress], reconnecting backoff: Backoff = Backoff(jitter: .equal),
        options: ClientOptions = ClientOptions(), setup: @escaping (Session) -> Void = { _ in }
    ) -> Client {
        demand(!addresses.isEmpty, "Reactor.makeClient(to:) needs an address")
        return makeClient(to: .addresses(addresses), backoff, options, setup)
    }

    private func makeClient(
        to target: ClientTarget, _ backoff: Backoff, _ options: ClientOptions,
        _ setup: @escaping (Session) -> Void
    ) -> Client {
        registry.requireLoop("Reactor.makeClient(to:)")
        demand(!isFinished, "Reactor.makeClient(to:) was called after the reactor had stopped")
        let client = Client(target, backoff, options, setup, reactor: self)
        client.key = registry.sources.insert(client)
        registry.wake(client)
        return client
    }
}

/// What a client connects to.
enum ClientTarget: CustomStringConvertible {
    case addresses([SocketAddress])
    case name(String, port: UInt16)
    case invalid(AddressError)

    init(_ text: String) {
        do throws(AddressError) {
            self = .addresses([try SocketAddress(text)])
        } catch {
            if let colon = text.lastIndex(of: ":"), error.reason == .hostName,
                let port = UInt16(text[text.index(after: colon)...])
            {
                self = .name(String(text[..<colon]), port: port)
            } else {
                self = .invalid(error)
            }
        }
    }

    var description: String {
        switch self {
        case .addresses(let addresses): addresses.map { "\($0)" }.joined(separator: ", ")
        case .name(let host, let port): "\(host):\(port)"
        case .invalid(let error): error.text
        }
    }
}

/// A peer that is connected to again and again, and asked. The reactor keeps it until `close()`.
///
/// It belongs to the reactor's thread; only the `async` form of `request` may be called elsewhere.
/// Ending one of its sessions makes it connect anew; `close()` ends the client itself.
/// Invariant: it holds a place at the registry's dial gate exactly while it is dialing.
public final class Client: EventSource, @unchecked Sendable {
    enum Phase {
        /// Not begun, or between two phases.
        case idle
        case resolving
        /// In the queue before the gate.
        case queued
        case dialing
        case connected
        case waiting(TimerKey)
        case gaveUp
        case ended
    }

    let target: ClientTarget
    let backoff: Backoff
    let options: ClientOptions
    let settings: SessionSettings
    /// Dropped when the client is released: it may hold the client.
    var setup: ((Session) -> Void)?
    let remote: RemoteReactor
    let resolver: Resolver
    var generator: SplitMix64

    var phase = Phase.idle
    /// Not nil exactly while the phase is `connected`.
    var current: Session?
    /// The last session until it has ended, which may be after the client has: its memory counts.
    var unended: Session?
    private var isReleased = false
    var totals = ClientCounters()
    /// What its sessions did that have ended.
    let endedSessions = SessionLedger()
    /// Attempts since a connection last proved itself.
    var attempt = 0
    var connectedAt: Int64 = 0
    var isProven = false
    var candidates: [SocketAddress] = []
    var dialFailure: ClientFailure?
    private var failure: ClientFailure?
    var connector: ConnectionAttempt?

    let requests: PendingRequests<RequestWaiter>
    /// The sequence whose deadline a timer is.
    let sequences = TimerTable<Int32>(empty: -1)
    /// What is to be sent, or may be sent again, of the requests that have not ended.
    var copies: [Int32: OwnedPacket] = [:]
    /// Sequences that wait for a connection, oldest first; some may have ended.
    var unsent: [Int32] = []
    var unsentCount = 0
    var timeoutsInARow = 0
    /// The last request's time, as given and in nanoseconds.
    var lastTimeout: (given: Duration, nanoseconds: Int64) = (.zero, 0)

    private var reported = ClientState.closed
    private var stateHandler: ((Client, ClientState) -> Void)?

    init(
        _ target: ClientTarget, _ backoff: Backoff, _ options: ClientOptions,
        _ setup: @escaping (Session) -> Void, reactor: Reactor
    ) {
        self.target = target
        self.backoff = backoff
        self.options = options
        self.setup = setup
        settings = SessionSettings(options.session)
        remote = reactor.remote
        resolver = reactor.resolver
        generator = SplitMix64(seed: options.jitterSeed ?? UInt64.random(in: 0 ... .max))
        demand(options.maximumCopiedRequests >= 0, "waitingRequests: not negative")
        requests = PendingRequests(
            maximum: options.maximumPendingRequests, firstSequence: options.firstSequence)
        reported = .connecting
        super.init(registry: reactor.registry)
        registry.endpointMemoryBound += memoryBound
    }

    /// One session, and the copies of the requests that wait.
    private var memoryBound: Int {
        options.session.limits.memoryBound(
            maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn)
            + boundedProduct(
                options.maximumCopiedRequests, options.session.limits.maximumDataLength)
    }

    override func ready(_ readiness: Readiness) { begin() }

    override func expired(_ timer: TimerKey) { timeIsUp(timer) }

    /// Its session, which may be told only after it, ends for the same reason.
    override func reactorStops() {
        current?.end(.reactorStopped)
        close()
    }

    override func release() {
        setup = nil
        registry.record.endedClients.add(totals)
        isReleased = true
        if unended == nil { registry.endpointMemoryBound -= memoryBound }
        reportClosed()
    }

    /// A client that is gone counts with the others that are.
    func countRefusal() {
        totals.requestsFailed += 1
        if isReleased { registry.record.endedClients.requestsFailed += 1 }
    }

    /// Its memory goes back with the last of client and session.
    func forget(_ session: Session) {
        guard session === unended else { return }
        unended = nil
        if isReleased { registry.endpointMemoryBound -= memoryBound }
    }

    /// Where it stands.
    public var state: ClientState {
        registry.requireLoop("Client.state")
        return reported
    }

    /// The session, while it is connected.
    public var session: Session? {
        registry.requireLoop("Client.session")
        return current
    }

    /// Why it last had no connection; nil while nothing has gone wrong.
    public internal(set) var lastFailure: ClientFailure? {
        get { failure }
        set { failure = newValue }
    }

    /// What it has done so far.
    public var counters: ClientCounters {
        registry.requireLoop("Client.counters")
        return totals
    }

    /// Requests that wait for an answer or for a connection.
    public var pendingRequestCount: Int {
        registry.requireLoop("Client.pendingRequestCount")
        return requests.count
    }

    /// Calls `handler` with every new state, beginning with `.connecting`.
    public func onStateChange(_ handler: @escaping (Client, ClientState) -> Void) {
        registry.requireLoop("Client.onStateChange")
        stateHandler = handler
    }

    func report(_ state: ClientState) {
        reported = state
        stateHandler?(self, state)
    }

    /// The last report; handlers are dropped after it.
    private func reportClosed() {
        if !reported.isFinal { report(.closed) }
        stateHandler = nil
    }
}
