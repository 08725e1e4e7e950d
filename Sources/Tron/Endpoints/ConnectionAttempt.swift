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
    /// there is none. `makeClient` connects again and again. On the loop's thread, or before it
    /// runs.
    @discardableResult
    public func connectOnce(
        to address: SocketAddress, timeout: Duration = .seconds(10),
        options: SessionOptions = .client,
        completion: @escaping (Result<Session, ConnectError>) -> Void
    ) -> ConnectionAttempt {
        registry.requireLoop("Reactor.connectOnce(to:)")
        demand(!isFinished, "Reactor.connectOnce(to:) was called after the reactor had stopped")
        let host = SessionHost(SessionSettings(options), in: registry.sessions)
        let attempt = ConnectionAttempt(address, host, owner: nil, registry, completion)
        attempt.begin(timeout: timeout)
        return attempt
    }
}

/// An attempt to connect. The reactor keeps it until it is decided; it need not be held.
public final class ConnectionAttempt: EventSource {
    let registry: Registry
    var key = SlabKey.none
    private let address: SocketAddress
    private let host: SessionHost
    /// The client that makes it; nil of one that stands alone, and owns its session.
    private let owner: (any SessionOwner)?
    private let endpoints: Endpoints
    private var completion: ((Result<Session, ConnectError>) -> Void)?
    private var descriptor: Descriptor
    private var timer = TimerKey.none
    private var outcome: Outcome?

    /// The session is made when it is handed over, not before: it would receive what nobody takes.
    private enum Outcome {
        case connected
        case failed(ConnectError)
    }

    init(
        _ address: SocketAddress, _ host: SessionHost, owner: (any SessionOwner)?,
        _ registry: Registry, _ completion: @escaping (Result<Session, ConnectError>) -> Void
    ) {
        self.registry = registry
        self.address = address
        self.host = host
        self.owner = owner
        self.completion = completion
        endpoints = registry.endpoints
        descriptor = Descriptor(-1, kernel: registry.kernel)
    }

    /// Gives the attempt up, unless it has been decided. The completion is told `.cancelled`. On
    /// the loop's thread.
    public func cancel() {
        registry.requireLoop("ConnectionAttempt.cancel()")
        decide(.failed(.cancelled))
    }

    /// Gives it up without a word.
    func abandon() {
        completion = nil
        decide(.failed(.cancelled))
    }

    func begin(timeout: Duration) {
        key = registry.sources.insert(self)
        do throws(SystemError) {
            descriptor = try .socket(for: address, kernel: registry.kernel)
            let options = host.settings.options
            if !address.isUnix { try descriptor.setTCPOptions(options) }
            let isConnected = try descriptor.connect(to: address)
            try registry.epoll.add(descriptor.number, .writable, token: key.rawValue)
            if isConnected { registry.wake(self) }
            timer = registry.arm(key, at: registry.kernel.now() + timeout.clampedNanoseconds)
        } catch {
            refuse(error)
        }
    }

    /// The kernel has decided: SO_ERROR says how.
    func ready(_ readiness: Readiness) {
        guard outcome == nil else { return }
        do throws(SystemError) {
            let code = try registry.sockets.takeError(of: descriptor.number)
            if code != 0 { return refuse(SystemError(.connect, code: code)) }
            let local = try registry.sockets.localAddress(of: descriptor.number)
            if !address.isUnix && local == address {
                return decide(.failed(.connectedToItself(address)))
            }
            decide(.connected)
        } catch {
            refuse(error)
        }
    }

    private func makeSession() throws(SystemError) -> Session {
        let session = Session(
            descriptor.take(), origin: .peer(address), host: host, registry: registry)
        try session.register(isInEpoll: true)
        host.add(session, of: owner ?? self)
        endpoints.report(.connected(session.id, to: address))
        session.begin()
        return session
    }

    func expired(_ timer: TimerKey, payload: UInt32) {
        decide(.failed(.timedOut(address)))
    }

    private func refuse(_ error: SystemError) {
        decide(.failed(refusal(error)))
    }

    private func refusal(_ error: SystemError) -> ConnectError {
        .refused(EndpointError(address: address, cause: error))
    }

    private func decide(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        registry.releaseLater(self)
    }

    func reactorStops() { decide(.failed(.cancelled)) }

    func release() {
        registry.wheel.cancel(timer)
        let completion = completion
        self.completion = nil
        let result = completion == nil ? .failure(.cancelled) : self.result
        registry.close(&descriptor)
        if owner == nil { host.abandon() }
        completion?(result)
    }

    private var result: Result<Session, ConnectError> {
        switch outcome {
        case .failed(let error): return .failure(error)
        case .connected, nil: break
        }
        do throws(SystemError) {
            return .success(try makeSession())
        } catch {
            return .failure(refusal(error))
        }
    }

    /// Of the session that it may become, which then counts for itself.
    var memoryBound: Int {
        host.settings.options.limits.memoryBound(
            maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn)
    }
}

extension ConnectionAttempt: SessionOwner {
    func sessionEnded(_ session: Session, _ reason: CloseReason) {
        endpoints.reportClosed(session, reason)
    }
}

extension Descriptor {
    /// The options of a TCP connection, or of a listener whose connections inherit them (tcp(7)).
    borrowing func setTCPOptions(_ options: SessionOptions) throws(SystemError) {
        try setTCPOptions(
            noDelay: options.noDelay, keepalive: options.effectiveKeepalive,
            userTimeout: options.userTimeout, sendBuffer: options.sendBuffer)
    }
}
