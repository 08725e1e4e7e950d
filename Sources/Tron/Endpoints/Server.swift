// A listening endpoint: what its users see of it, and what it holds.

/// A listening socket and the sessions that came through it. Belongs to the reactor's thread.
///
/// The reactor keeps it until `stop()`; it need not be held.
public final class Server: EventSource {
    let registry: Registry
    let endpoints: Endpoints
    let host: SessionHost
    let options: ServerOptions
    private let bound: SocketAddress
    /// The file that bind(2) made, of a Unix socket with a path.
    private let file: SocketFile?
    /// Whether its listening socket is another process's, too.
    let isInherited: Bool
    /// Where it is one of several that other reactors have on its address.
    let share: ServerShare?

    var key = SlabKey.none
    private(set) var listKey = SlabKey.none
    /// Kept behind `descriptor` and `accepting`, whose methods call nothing that could reach this
    /// server: so the run-time check for overlapping access is left out.
    @exclusivity(unchecked) private var ownDescriptor: Descriptor
    /// Dropped when the server is released: it may hold the server.
    private(set) var setup: ((Session) -> Void)?
    @exclusivity(unchecked) private var ownAccepting: Accepting
    var totals = ServerCounters()
    /// Connections whose PROXY header has not come yet; nil where none is required.
    let arrivals: Slab<Arrival>?
    /// While it drains and may still get sessions.
    var emptying: Emptying?
    /// Those that go on; each is told of every session's end.
    private var drains: [Drain] = []
    private var isDraining = false
    /// It listens no more, and is listed only while it has sessions.
    private var isReleased = false

    /// A socket that is not open stands for none: then other reactors accept for this server.
    init(
        _ socket: consuming ListeningSocket, options: ServerOptions,
        setup: @escaping (Session) -> Void, registry: Registry, share: ServerShare? = nil
    ) throws(SystemError) {
        options.limits.validate()
        self.registry = registry
        self.share = share
        self.options = options
        unsafe ownAccepting = Accepting(options.limits, now: registry.now)
        arrivals = options.proxyProtocol == nil ? nil : Slab()
        self.setup = setup
        endpoints = registry.endpoints
        bound = socket.address
        file = socket.file
        isInherited = socket.isInherited
        unsafe ownDescriptor = socket.descriptor.take()
        host = SessionHost(SessionSettings(options.session), in: registry.sessions)
        do throws(SystemError) {
            // One of several accepts when all are there: see `beginAccepting()`.
            let isAlone = share == nil
            try registry.register(self, descriptor: isAlone ? self.descriptor.number : nil)
        } catch {
            host.abandon()
            removeFile()
            throw error
        }
        listKey = endpoints.servers.insert(self)
        if share == nil { endpoints.report(.listening(bound)) }
    }

    /// Has one of several accept, if it has a listening socket.
    func beginAccepting() throws(SystemError) {
        guard descriptor.isOpen else { return }
        try registry.epoll.add(descriptor.number, .readable, token: key.rawValue)
        endpoints.report(.listening(bound))
    }

    /// Whether it drains and may still get sessions.
    var isEmptying: Bool { emptying != nil }

    var descriptor: Descriptor {
        @inline(__always) _read { yield unsafe ownDescriptor }
        @inline(__always) _modify { yield unsafe &ownDescriptor }
    }

    var accepting: Accepting {
        @inline(__always) _read { yield unsafe ownAccepting }
        @inline(__always) _modify { yield unsafe &ownAccepting }
    }

    func reactorStops() { stopListening() }

    func release() {
        setup = nil
        isReleased = true
        host.abandon()
        leaveList()
    }

    /// It listens no more: it is counted with those that are gone once it has no sessions.
    private func leaveList() {
        guard host.count == 0, endpoints.servers.remove(listKey) != nil else { return }
        endpoints.endedServers.add(totals)
    }

    /// Where it listens; with the port that the kernel chose, if that was 0.
    public var address: SocketAddress { bound }

    /// Its sessions that have not ended.
    public var sessionCount: Int { host.count }

    /// What it has done so far.
    public var counters: ServerCounters { totals }

    /// Calls `body` for each of its sessions. It may do anything to any of them; those that come
    /// meanwhile are not visited.
    public func forEachSession(_ body: (Session) -> Void) {
        registry.requireLoop("Server.forEachSession")
        host.forEach(body)
    }

    /// Of the sessions that may still come; those that there are count for themselves.
    var memoryBound: Int {
        guard accepting.isListening else { return 0 }
        let bytes = options.session.limits.memoryBound(
            maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn)
        return boundedProduct(options.limits.maximumSessions - host.count, bytes)
            + memoryBoundOfArrivals
    }
}

// MARK: - The end

extension Server: SessionOwner {
    /// How the sessions of a server end with it.
    public enum SessionEnd: Sendable, Hashable {
        /// As by `Session.close()`: what is queued leaves first.
        case close
        /// As by `Session.abort()`.
        case abort
    }

    /// Stops listening, as `stopListening()` does, and ends its sessions, whether they owe replies
    /// or not: see `drain(within:spread:completion:)`. On the loop's thread; once is enough.
    public func stop(sessions end: SessionEnd = .close) {
        registry.requireLoop("Server.stop()")
        stopListening()
        forEachSession { session in
            switch end {
            case .close: session.close()
            case .abort: session.abort()
            }
        }
    }

    /// Stops listening in this very turn, and keeps the sessions. The file of a Unix socket is
    /// removed, unless another server has taken its path. Connections that still wait to be
    /// accepted are reset by the kernel. On the loop's thread; once is enough.
    ///
    /// All descriptors are close-on-exec. A child of `fork` that has not called `exec` has copies
    /// of them all the same: its copy of a listener keeps the address taken (EADDRINUSE) until the
    /// child ends or calls `exec`, and for so long connections wait there that nobody accepts.
    public func stopListening() {
        registry.requireLoop("Server.stopListening()")
        guard accepting.stop(registry) else { return }
        share?.close()
        cancelEmptying()
        closeListener()
        arrivals?.forEach { _, arrival in arrival.end(.stoppedBeforeProxyHeader) }
        registry.releaseLater(self)
        tellDrains { $0.listenerEnded() }
    }

    /// The rest of its end is left to `stopListening()`.
    func closeListener() {
        guard descriptor.isOpen else { return }
        removeFile()
        registry.close(&descriptor)
        endpoints.report(.stoppedListening(bound))
    }

    func removeFile() {
        guard let path = bound.file, let file, registry.kernel.socketFile(path) == file else {
            return
        }
        _ = registry.kernel.unlink(path)
    }

    func sessionEnded(_ session: Session, _ reason: CloseReason) {
        left(session)
        endpoints.reportClosed(session, reason)
        if isDraining { for drain in drains { drain.ended(session, reason) } }
        if isReleased { leaveList() }
    }

    @inline(__always)
    func tellDrains(_ tell: (Drain) -> Void) {
        if isDraining { for drain in drains { tell(drain) } }
    }

    func add(_ drain: Drain) {
        drains.append(drain)
        isDraining = true
    }

    func remove(_ drain: Drain) {
        drains.removeAll { $0 === drain }
        isDraining = !drains.isEmpty
    }
}
