// A reactor as a service: what an async program starts with.

/// A reactor with a thread of its own, in the shape that async programs and service lifecycles
/// expect: `run()` returns when the reactor has stopped, and cancelling its task drains it.
///
///     let service = ReactorService(drainingWithin: .seconds(20)) { reactor in
///         try reactor.listen(on: "127.0.0.1:9000") { session in … }
///     }
///     try await service.run()
public struct ReactorService: Sendable {
    private let limits: ReactorLimits
    let deadline: Duration
    let spread: Duration
    private let notice: Duration
    private let setup: @Sendable (Reactor) throws -> Void
    private let runs = Locked(Runs())

    /// Those that go on, and whether the next one is to end at once.
    private struct Runs {
        var current: [ServiceRun] = []
        var isShutDown = false
    }

    /// `setup` is called on the reactor's thread before it runs. `deadline`, `spread`
    /// and `notice` are those of the drain (`Reactor.drain(within:spread:notice:completion:)`) by
    /// which a run ends. Default 8 s, less than the 10 s after which `docker stop` kills; and none.
    public init(
        limits: ReactorLimits = ReactorLimits(), drainingWithin deadline: Duration = .seconds(8),
        spread: Duration = .zero, notice: Duration = .zero,
        setup: @escaping @Sendable (Reactor) throws -> Void
    ) {
        self.limits = limits
        self.deadline = deadline
        self.spread = spread
        self.notice = notice
        self.setup = setup
    }

    /// Makes a reactor, sets it up and runs it. May be called again after it has returned.
    ///
    /// When its task is cancelled, it drains all servers and then returns. `shutDown()` does the
    /// same; what comes second of the two, in whatever order, stops the reactor at once, as does
    /// `RemoteReactor.stop()` at any time. What the drain came to is told by
    /// `ReactorEvent.drained`.
    /// - Throws: what `setup` throws, or `SystemError` when the reactor could not be made.
    public func run() async throws {
        let run = ServiceRun(deadline, spread, notice)
        begin(run)
        defer { end(run) }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try startThread { continuation.resume(with: runHere(run)) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            run.shutDown()
        }
    }

    /// Ends the run that goes on as a cancellation does: the first time by a drain, the second time
    /// at once. While there is none, the next one ends when it has been set up. From any thread,
    /// and for a service lifecycle the handler of its graceful shutdown.
    public func shutDown() {
        let runs = runs.withLock { runs in
            if runs.current.isEmpty { runs.isShutDown = true }
            return runs.current
        }
        for run in runs { run.shutDown() }
    }

    private func begin(_ run: ServiceRun) {
        let isShutDown = runs.withLock { runs in
            runs.current.append(run)
            defer { runs.isShutDown = false }
            return runs.isShutDown
        }
        if isShutDown { run.shutDown() }
    }

    private func end(_ run: ServiceRun) {
        runs.withLock { $0.current.removeAll { $0 === run } }
    }

    private func runHere(_ run: ServiceRun) -> Result<Void, any Error> {
        Result {
            let reactor = try Reactor(limits: limits)
            try setup(reactor)
            run.began(reactor.remote)
            try reactor.run()
        }
    }
}

/// Ends a reactor that may not have been made yet.
private final class ServiceRun: Sendable {
    private struct State {
        var remote: RemoteReactor?
        var requests = 0
    }

    private let deadline: Duration
    private let spread: Duration
    private let notice: Duration
    private let state = Locked(State())

    init(_ deadline: Duration, _ spread: Duration, _ notice: Duration) {
        self.deadline = deadline
        self.spread = spread
        self.notice = notice
    }

    /// It is set up: from now on it can be drained.
    func began(_ remote: RemoteReactor) {
        let requests = state.withLock { state in
            state.remote = remote
            return state.requests
        }
        end(remote, requests)
    }

    func shutDown() {
        let (remote, requests) = state.withLock { state in
            state.requests += 1
            return (state.remote, state.requests)
        }
        if let remote { end(remote, requests) }
    }

    /// A reactor that has stopped meanwhile refuses both.
    private func end(_ remote: RemoteReactor, _ requests: Int) {
        switch requests {
        case 0: break
        case 1:
            _ = remote.submitAlways { [deadline, spread, notice] reactor in
                reactor.drain(within: deadline, spread: spread, notice: notice)
            }
        default: remote.stop()
        }
    }
}
