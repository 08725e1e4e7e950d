// A reactor as a service: run until cancelled, on a thread of its own.

/// A reactor with a thread of its own, in the shape that service lifecycles expect: `run()` returns
/// when the reactor has stopped, and cancelling its task stops the reactor.
///
///     let service = ReactorService { reactor in
///         try reactor.listen(on: "127.0.0.1:9000") { session in … }
///     }
///     try await service.run()
public struct ReactorService: Sendable {
    private let limits: ReactorLimits
    private let setup: @Sendable (Reactor) throws -> Void

    /// `setup` is called on the reactor's thread before it runs.
    public init(
        limits: ReactorLimits = ReactorLimits(),
        setup: @escaping @Sendable (Reactor) throws -> Void
    ) {
        self.limits = limits
        self.setup = setup
    }

    /// Makes a reactor, sets it up and runs it. May be called again after it has returned.
    /// - Throws: what `setup` throws, or `SystemError` when the reactor could not be made.
    public func run() async throws {
        let control = ReactorControl()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try startThread { continuation.resume(with: runHere(control)) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            control.stop()
        }
    }

    private func runHere(_ control: ReactorControl) -> Result<Void, any Error> {
        Result {
            let reactor = try Reactor(limits: limits)
            control.started(reactor.remote)
            try setup(reactor)
            try reactor.run()
        }
    }
}

/// Stops a reactor that may not have been made yet.
private final class ReactorControl: Sendable {
    private struct State {
        var remote: RemoteReactor?
        var isStopped = false
    }

    private let state = Locked(State())

    func started(_ remote: RemoteReactor) {
        let isStopped = state.withLock { state in
            state.remote = remote
            return state.isStopped
        }
        if isStopped { remote.stop() }
    }

    func stop() {
        let remote = state.withLock { state in
            state.isStopped = true
            return state.remote
        }
        remote?.stop()
    }
}
