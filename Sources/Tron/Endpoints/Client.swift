// A client: one logical peer over many connections. Its surface and the parts that it joins.

/// A peer that is connected to again and again, and asked. The reactor keeps it until `close()`.
///
/// It belongs to the reactor's thread; only the `async` form of `request` may be called elsewhere.
/// Ending one of its sessions makes it connect anew; `close()` ends the client itself.
public final class Client: EventSource, @unchecked Sendable {
    let registry: Registry
    let endpoints: Endpoints
    let host: SessionHost
    let remote: RemoteReactor
    let resolver: Resolver
    var target: ClientTarget
    let backoff: Backoff
    let options: ClientOptions

    var key = SlabKey.none
    /// Its name in the list of clients, and before the gate.
    private(set) var listKey = SlabKey.none
    /// Dropped when the client is released: it may hold the client.
    private(set) var setup: ((Session) -> Void)?
    /// What a former one held may call back when it goes, once the access is over.
    private var stateHandler: ((Client, ClientState) -> Void)? {
        didSet { withExtendedLifetime(oldValue) {} }
    }
    private var hasReportedEnd = false
    private var isReleased = false

    /// Where its connection stands. Changed in ClientConnecting.swift alone.
    var dialer = Dialer.idle
    /// Attempts since a connection last proved itself.
    var attempt = 0
    var generator: SplitMix64
    private var failure: ClientFailure?

    let requests: RequestTable
    let deadlines: RequestDeadlines
    var timeoutsInARow = 0
    var totals = ClientCounters()

    init(
        _ target: ClientTarget, _ backoff: Backoff, _ options: ClientOptions,
        _ setup: @escaping (Session) -> Void, reactor: Reactor
    ) {
        options.validate()
        registry = reactor.registry
        endpoints = registry.endpoints
        host = SessionHost(SessionSettings(options.session), in: registry.sessions)
        remote = reactor.remote
        resolver = reactor.resolver
        self.target = target
        self.backoff = backoff
        self.options = options
        self.setup = setup
        generator = SplitMix64(seed: options.jitterSeed ?? registry.kernel.randomSeed())
        requests = RequestTable(
            maximum: options.maximumPendingRequests, copies: options.maximumCopiedRequests,
            firstSequence: options.firstSequence)
        deadlines = RequestDeadlines(of: requests, registry)
    }

    /// It starts in the next turn, so that its caller can install handlers.
    func begin() {
        key = registry.sources.insert(self)
        listKey = endpoints.clients.insert(self)
        registry.wake(self)
    }

    func ready(_ readiness: Readiness) {
        beginDialing()
        dialIfAdmitted()
    }

    func expired(_ timer: TimerKey, payload: UInt32) {
        if backoffIsOver(timer) { return }
        guard deadlines.isOfQueue(timer) else {
            return requestTimedOut(Int32(bitPattern: payload))
        }
        if let sequence = deadlines.takeDue(for: key) { requestTimedOut(sequence) }
    }

    /// Its session, which may be told only after it, ends for the same reason.
    func reactorStops() {
        dialer.session?.end(.reactorStopped)
        close()
    }

    func release() {
        setup = nil
        endpoints.clients.remove(listKey)
        endpoints.endedClients.add(totals)
        host.abandon()
        isReleased = true
        report(dialer.state)
        stateHandler = nil
    }

    /// Counts a request that was refused. A client that is gone counts with the others that are.
    func countRefusal() {
        totals.requestsFailed += 1
        if isReleased { endpoints.endedClients.requestsFailed += 1 }
    }

    /// The copies of its requests, and the session that it has not got yet.
    var memoryBound: Int {
        let limits = options.session.limits
        let copies = boundedProduct(options.maximumCopiedRequests, limits.maximumDataLength)
        guard dialer.mayConnect else { return copies }
        return copies
            + limits.memoryBound(maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn)
    }
}

// MARK: - What it is

extension Client {
    /// Where it stands. It says `.connected` exactly while there is a `session`.
    public var state: ClientState {
        registry.requireLoop("Client.state")
        return dialer.state
    }

    /// The session, while it is connected.
    public var session: Session? {
        registry.requireLoop("Client.session")
        return dialer.session
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

    /// Calls `handler` with every new state, beginning with `.connecting`. A final one
    /// (`ClientState.isFinal`) is the last.
    public func onStateChange(_ handler: @escaping (Client, ClientState) -> Void) {
        registry.requireLoop("Client.onStateChange")
        stateHandler = handler
    }

    func report(_ state: ClientState) {
        guard !hasReportedEnd else { return }
        hasReportedEnd = state.isFinal
        stateHandler?(self, state)
    }
}
