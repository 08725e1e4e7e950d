// A listening endpoint: accepts connections and makes sessions of them, within its limits.

/// A listening socket and the sessions that came through it. Belongs to the reactor's thread.
///
/// The reactor keeps it until `stop()`; it need not be held.
/// Invariant: `sessionCount` is the number of its sessions in the registry, and `perAddress` their
/// number by host where that is limited.
public final class Server: EventSource {
    /// Kept behind `descriptor`, whose methods call nothing that could reach this server: so the
    /// run-time check for that is left out.
    @exclusivity(unchecked) private var ownedDescriptor: Descriptor
    private let options: ServerOptions
    private let settings: SessionSettings
    /// Dropped when the server is released: it may hold the server.
    private var setup: ((Session) -> Void)?
    private var perAddress: [SocketAddress.HostKey: Int] = [:]
    private var count = 0
    private var totals = ServerCounters()
    /// What its sessions did that have ended.
    let endedSessions = SessionLedger()
    private var isListening = true
    private var isReleased = false
    /// Accepts that failed since one last succeeded.
    private var failuresInARow = 0
    private var retry: TimerKey?
    /// In the registry's list of those that wait for a descriptor, once.
    private var isStarved = false
    private let bound: SocketAddress
    /// Drains, to be released once no session is left.
    var drains: [SlabKey] = []

    /// How long accepting rests when no descriptor is free and none comes back meanwhile from this
    /// reactor: short enough not to be noticed, long enough not to cost anything.
    static let exhaustionPause: Int64 = 50_000_000

    /// After so many accepts in a row that failed for whatever reason accepting rests, too: the
    /// kernel may refuse for good what it reports as ready.
    static let failuresBeforePause = 64

    init(
        _ address: SocketAddress, options: ServerOptions, setup: @escaping (Session) -> Void,
        registry: Registry
    ) throws(SystemError) {
        self.options = options
        self.setup = setup
        options.limits.validate()
        settings = SessionSettings(options.session)
        unsafe ownedDescriptor = try .listening(
            on: address, options: options, kernel: registry.kernel)
        bound = try unsafe ownedDescriptor.localAddress() ?? address
        super.init(registry: registry)
        try Descriptor.removingFile(of: bound, kernel: registry.kernel) { () throws(SystemError) in
            try registry.register(self, descriptor: descriptor.number)
        }
        registry.endpointMemoryBound += memoryBound
        registry.report(.listening(bound))
    }

    private var descriptor: Descriptor {
        @inline(__always) _read { yield unsafe ownedDescriptor }
        @inline(__always) _modify { yield unsafe &ownedDescriptor }
    }

    override func ready(_ readiness: Readiness) { acceptWaiting(readiness) }

    override func expired(_ timer: TimerKey) { listenAgain() }

    override func reactorStops() { stopListening() }

    override func release() {
        setup = nil
        registry.record.endedServers.add(totals)
        isReleased = true
        if count == 0 { registry.endpointMemoryBound -= memoryBound }
        registry.descriptorFreed()
    }

    /// Where it listens; with the port that the kernel chose, if that was 0.
    public var address: SocketAddress { bound }

    /// Its sessions that have not ended.
    public var sessionCount: Int { count }

    /// What it has done so far.
    public var counters: ServerCounters { totals }

    private var memoryBound: Int {
        boundedProduct(
            options.limits.maximumSessions,
            options.session.limits.memoryBound(
                maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn))
    }

    /// Calls `body` for each of its sessions. It may do anything to any of them.
    public func forEachSession(_ body: (Session) -> Void) {
        registry.requireLoop("Server.forEachSession")
        registry.sources.forEach { _, source in
            if let session = source as? Session, session.owner === self { body(session) }
        }
    }
}

// MARK: - Accepting

extension Server {
    /// Accepts what waits, at most as many as a turn allows: the rest stays ready.
    private func acceptWaiting(_ readiness: Readiness) {
        guard isListening else { return }
        if readiness.isEmpty {
            isStarved = false
            resume()
        }
        for _ in 0..<options.limits.maximumAcceptsPerTurn {
            do throws(SystemError) {
                guard let accepted = try descriptor.accept() else { return }
                failuresInARow = 0
                admit(accepted)
            } catch {
                if !error.isExhaustion { totals.failed += 1 }
                failuresInARow += 1
                let rests = error.isExhaustion || failuresInARow >= Self.failuresBeforePause
                registry.report(
                    error.isExhaustion
                        ? .outOfDescriptors(bound, error) : .acceptFailed(bound, error))
                if rests { return suspend() }
                // Anything else befell one connection, not the listener: accept(2) has the list.
            }
            if !isListening { return }
        }
    }

    private func admit(_ accepted: consuming Descriptor.Accepted) {
        let peer = accepted.peer
        guard count < options.limits.maximumSessions else {
            totals.refusedByLimit += 1
            registry.report(.refused(peer: peer, .sessions))
            return
        }
        guard countAddress(peer, by: 1) else {
            totals.refusedByAddressLimit += 1
            registry.report(.refused(peer: peer, .sessionsPerAddress))
            return
        }
        let session = Session(
            accepted.descriptor, peer: peer, settings: settings, owner: self, registry: registry)
        do throws(SystemError) {
            try registry.register(session, descriptor: session.descriptor.number)
        } catch {
            totals.failed += 1
            registry.report(.acceptFailed(bound, error))
            _ = countAddress(peer, by: -1)
            return
        }
        count += 1
        totals.accepted += 1
        registry.report(.accepted(session.id, peer: peer))
        session.begin()
        setup?(session)
    }

    /// Adds to the host's number of sessions. False, and nothing is added, above the limit.
    private func countAddress(_ peer: SocketAddress?, by change: Int) -> Bool {
        guard let limit = options.limits.maximumSessionsPerAddress, let host = peer?.hostKey else {
            return true
        }
        let count = perAddress[host, default: 0] + change
        guard change < 0 || count <= limit else { return false }
        perAddress[host] = count > 0 ? count : nil
        return true
    }
}

// MARK: - Out of descriptors

extension Server {
    /// Connections wait in the backlog, and the listener out of epoll, where its readiness would
    /// spin. It goes on when a descriptor comes back, or to look after a pause.
    private func suspend() {
        guard retry == nil else { return }
        totals.exhaustions += 1
        failuresInARow = 0
        try? registry.epoll.modify(descriptor.number, [], token: key.rawValue)
        retry = registry.arm(key, at: registry.now + Self.exhaustionPause)
        if !isStarved { registry.starved.append(key) }
        isStarved = true
    }

    private func resume() {
        guard let retry else { return }
        registry.wheel.cancel(retry)
        listenAgain()
    }

    private func listenAgain() {
        retry = nil
        do throws(SystemError) {
            try registry.epoll.modify(descriptor.number, .readable, token: key.rawValue)
        } catch {
            // The kernel has no memory for it: deaf for another pause, not for ever.
            retry = registry.arm(key, at: registry.now + Self.exhaustionPause)
        }
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

    /// Stops listening in this very turn and ends its sessions. A Unix socket's file is removed.
    /// Connections that still wait to be accepted are reset by the kernel. Once is enough.
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

    func stopListening() {
        guard isListening else { return }
        isListening = false
        if let retry { registry.wheel.cancel(retry) }
        retry = nil
        if let path = bound.file { _ = registry.kernel.unlink(path) }
        registry.close(&descriptor)
        registry.report(.stoppedListening(bound))
        registry.releaseLater(self)
    }

    func sessionEnded(_ session: Session, _ reason: CloseReason) {
        count -= 1
        _ = countAddress(session.peer, by: -1)
        session.countAsClosed(in: endedSessions, reason)
        registry.reportClosed(session, reason)
        guard count == 0 else { return }
        if isReleased { registry.endpointMemoryBound -= memoryBound }
        for drain in drains { registry.ended.append(drain) }
        drains = []
    }
}
