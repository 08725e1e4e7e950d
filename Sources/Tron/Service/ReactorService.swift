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
    let drain: DrainTimes
    private let setup: @Sendable (Reactor) throws -> Void
    /// What answers in the machine's place; nil in production.
    private let backend: (any KernelBackend)?
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
        self.init(
            limits: limits,
            drain: DrainTimes(deadline: deadline, spread: spread, notice: notice), backend: nil,
            setup: setup)
    }

    /// A service whose thread and reactor are not the machine's.
    package init(
        limits: ReactorLimits, drainingWithin deadline: Duration, spread: Duration,
        kernel: any KernelBackend, setup: @escaping @Sendable (Reactor) throws -> Void
    ) {
        self.init(
            limits: limits,
            drain: DrainTimes(deadline: deadline, spread: spread, notice: .zero),
            backend: kernel, setup: setup)
    }

    private init(
        limits: ReactorLimits, drain: DrainTimes, backend: (any KernelBackend)?,
        setup: @escaping @Sendable (Reactor) throws -> Void
    ) {
        self.limits = limits
        self.drain = drain
        self.backend = backend
        self.setup = setup
    }

    private var kernel: Kernel { backend.map { Kernel($0) } ?? Kernel() }

    /// Makes a reactor, sets it up and runs it. May be called again after it has returned.
    ///
    /// When its task is cancelled, it drains all servers and then returns. `shutDown()` does the
    /// same; what comes second of the two, in whatever order, stops the reactor at once, as does
    /// `RemoteReactor.stop()` at any time. What the drain came to is told by
    /// `ReactorEvent.drained`.
    /// - Throws: what `setup` throws, or `SystemError` when the reactor could not be made.
    public func run() async throws {
        let run = ServiceRun(count: 1, drain)
        begin(run)
        defer { end(run) }
        _ = try await run.perform(by: kernel) { [limits, setup, kernel] index in
            let reactor = try Reactor(limits: limits, kernel: kernel)
            try setup(reactor)
            run.joined(reactor, at: index)
            run.began(at: index)
            try reactor.run()
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
}
