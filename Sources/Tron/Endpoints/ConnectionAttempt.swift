// Connecting once: nonblocking, with a deadline, judged when the kernel has decided.

/// Why a connection did not come about.
public enum ConnectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kernel refused: nobody listens (ECONNREFUSED), no route, no descriptor, and so on.
    case refused(EndpointError)
    /// Nothing was decided within the time limit.
    case timedOut(SocketAddress)
    /// The socket was connected to itself, as happens on loopback when nobody listens on a port of
    /// the ephemeral range and the kernel picks that very port (TCP's simultaneous open).
    case connectedToItself(SocketAddress)
    /// The reactor stopped, or the attempt was cancelled.
    case cancelled

    /// The address and what befell it.
    public var description: String {
        switch self {
        case .refused(let error): error.description
        case .timedOut(let address): "\(address): connect: no answer in time"
        case .connectedToItself(let address): "\(address): connected to itself; nobody listens"
        case .cancelled: "cancelled"
        }
    }
}

extension Reactor {
    /// Connects once, within `timeout`, and calls `completion` on the loop, exactly once and never
    /// before this returns: with a session, whose handlers it installs, or with the reason why
    /// there is none. On the loop's thread, or before it runs.
    @discardableResult
    public func connectOnce(
        to address: SocketAddress, timeout: Duration = .seconds(10),
        options: SessionOptions = .client,
        completion: @escaping (Result<Session, ConnectError>) -> Void
    ) -> ConnectionAttempt {
        registry.requireLoop("Reactor.connectOnce(to:)")
        demand(!isFinished, "Reactor.connectOnce(to:) was called after the reactor had stopped")
        let settings = SessionSettings(options)
        let connector = ConnectionAttempt(address, settings, owner: nil, registry, completion)
        connector.begin(timeout: timeout)
        return connector
    }
}

/// An attempt to connect. The reactor keeps it until it is decided; it need not be held.
public final class ConnectionAttempt: EventSource {
    private let address: SocketAddress
    private let settings: SessionSettings
    private let owner: (any SessionOwner)?
    private var completion: ((Result<Session, ConnectError>) -> Void)?
    private var descriptor: Descriptor
    private var timer: TimerKey?
    private var outcome: Result<Session, ConnectError>?

    init(
        _ address: SocketAddress, _ settings: SessionSettings, owner: (any SessionOwner)?,
        _ registry: Registry, _ completion: @escaping (Result<Session, ConnectError>) -> Void
    ) {
        self.address = address
        self.settings = settings
        self.owner = owner
        self.completion = completion
        descriptor = Descriptor(-1, kernel: registry.kernel)
        super.init(registry: registry)
    }

    /// Gives the attempt up. The completion is told `.cancelled`; a session that stands already is
    /// not touched.
    public func cancel() {
        registry.requireLoop("ConnectionAttempt.cancel()")
        decide(.failure(.cancelled))
    }

    /// Gives it up without a word, and ends a session that came about in this very turn.
    func abandon() {
        completion = nil
        if case .success(let session) = outcome { session.abort() }
        decide(.failure(.cancelled))
    }

    /// A client's are counted with the client.
    private var memoryBound: Int {
        if owner != nil { return 0 }
        return settings.options.limits.memoryBound(
            maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn)
    }

    func begin(timeout: Duration) {
        key = registry.sources.insert(self)
        registry.endpointMemoryBound += memoryBound
        do throws(SystemError) {
            descriptor = try .socket(for: address, kernel: registry.kernel)
            if !address.isUnix {
                let options = settings.options
                try descriptor.setTCPOptions(
                    noDelay: options.noDelay, keepalive: options.effectiveKeepalive,
                    userTimeout: options.effectiveUserTimeout)
            }
            let isConnected = try descriptor.connect(to: address)
            try registry.epoll.add(descriptor.number, .writable, token: key.rawValue)
            if isConnected { registry.wake(self) }
            timer = registry.arm(key, at: registry.kernel.now() + timeout.clampedNanoseconds)
        } catch {
            refuse(error)
        }
    }

    /// The kernel has decided: SO_ERROR says how.
    override func ready(_ readiness: Readiness) {
        guard outcome == nil else { return }
        do throws(SystemError) {
            let code = try descriptor.takeError()
            if code != 0 { return refuse(SystemError(.connect, code: code)) }
            let local = try descriptor.localAddress()
            if !address.isUnix && local == address {
                return decide(.failure(.connectedToItself(address)))
            }
            let session = try makeSession()
            decide(.success(session))
        } catch {
            refuse(error)
        }
    }

    private func makeSession() throws(SystemError) -> Session {
        let number = descriptor.number
        let session = Session(
            descriptor.take(), peer: address, settings: settings, owner: owner ?? self,
            registry: registry)
        try registry.register(session, takingOver: number)
        registry.report(.connected(session.id, to: address))
        session.begin()
        return session
    }

    override func expired(_ timer: TimerKey) {
        self.timer = nil
        decide(.failure(.timedOut(address)))
    }

    private func refuse(_ error: SystemError) {
        decide(.failure(.refused(EndpointError(address: address, cause: error))))
    }

    private func decide(_ outcome: Result<Session, ConnectError>) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        registry.releaseLater(self)
    }

    override func reactorStops() { decide(.failure(.cancelled)) }

    override func release() {
        if let timer { registry.wheel.cancel(timer) }
        registry.close(&descriptor)
        if case .failure = outcome { registry.endpointMemoryBound -= memoryBound }
        if let outcome { completion?(outcome) }
        completion = nil
    }
}

extension ConnectionAttempt: SessionOwner {
    func sessionEnded(_ session: Session, _ reason: CloseReason) {
        registry.endpointMemoryBound -= memoryBound
        registry.reportClosed(session, reason)
    }
}
