// Several reactors as one service: a server on all cores of a machine.

/// Reactors on threads of their own, whose servers share their addresses, and which begin and end
/// together.
///
///     let group = ReactorGroup(count: .cores)
///     try group.listen(on: "0.0.0.0:9000") { session in … }
///     try await group.run()
///
/// Each session belongs to one reactor and runs on its thread, as without a group. The kernel
/// spreads connections over the reactors by chance, which leaves few connections uneven: a reactor
/// that has accepted one hands it to the one with the fewest sessions, if that has fewer by more
/// than 4, and by more than twice the square root of those. A handler that blocks delays the
/// sessions of its own reactor, and those new ones that the kernel gave to it.
///
/// Both closures are `@Sendable`, since they run on several threads: what each reactor has for
/// itself is made in the group's `setup` and kept in a `ReactorLocal`.
public final class ReactorGroup: Sendable {
    /// How many reactors it has.
    public let count: Int

    private let limits: ReactorLimits
    private let setup: @Sendable (Reactor, Int) throws -> Void
    /// The processor of each reactor; nil where the scheduler chooses.
    let pins: [Int]?
    let kernel: Kernel
    let run: ServiceRun
    let readiness: SharedReadiness
    private let state = Locked(State())
    /// What is known of each reactor's numbers, where it cannot be asked.
    let lastSnapshots: Locked<[ReactorSnapshot?]>

    private struct State {
        /// Nothing begins to listen, and nobody reports, any more.
        var hasBegun = false
        /// Those that are set up, and how many of them have their servers.
        var joined: [Int: RemoteReactor] = [:]
        var opened = 0
        var servers: [SharedServer] = []
        var reports: [SupervisorReports] = []
    }

    /// A group that does nothing yet.
    ///
    /// - Parameters:
    ///   - count: How many reactors. Default `.cores`.
    ///   - limits: Those of each reactor.
    ///   - deadline: That of the drain by which a run ends
    ///     (`Reactor.drain(within:spread:notice:completion:)`). Default 8 s, as of
    ///     `ReactorService`.
    ///   - spread: That of the drain. Default none.
    ///   - notice: That of the drain. Default none.
    ///   - isPinned: Whether each reactor stays on one processor (sched_setaffinity(2)), the n-th
    ///     on the n-th of those that the calling thread may run on, and the others anew from the
    ///     first on. Default false: a scheduler that may move threads copes better with other load.
    ///   - setup: Called for each reactor with its index, from 0, on its thread before it runs.
    ///     When all are set up, they begin to accept.
    public convenience init(
        count: ReactorCount = .cores, limits: ReactorLimits = ReactorLimits(),
        drainingWithin deadline: Duration = .seconds(8), spread: Duration = .zero,
        notice: Duration = .zero, isPinned: Bool = false,
        setup: @escaping @Sendable (Reactor, Int) throws -> Void = { _, _ in }
    ) {
        self.init(
            count: count, limits: limits,
            drain: DrainTimes(deadline: deadline, spread: spread, notice: notice),
            isPinned: isPinned, kernel: Kernel(), setup: setup)
    }

    /// A group of reactors that are driven turn by turn: see `join(_:at:)`. `kernel` makes the
    /// listening sockets, and the reactors' kernels know its descriptors.
    package convenience init(
        count: ReactorCount, drainingWithin deadline: Duration = .seconds(8),
        spread: Duration = .zero, notice: Duration = .zero, kernel: any KernelBackend,
        setup: @escaping @Sendable (Reactor, Int) throws -> Void = { _, _ in }
    ) {
        self.init(
            count: count, limits: ReactorLimits(),
            drain: DrainTimes(deadline: deadline, spread: spread, notice: notice),
            isPinned: false, kernel: Kernel(kernel), setup: setup)
    }

    private init(
        count: ReactorCount, limits: ReactorLimits, drain: DrainTimes, isPinned: Bool,
        kernel: Kernel, setup: @escaping @Sendable (Reactor, Int) throws -> Void
    ) {
        let processors = Processors.usable(by: kernel)
        self.count = count.resolved(processors)
        self.limits = limits
        self.setup = setup
        self.kernel = kernel
        pins = isPinned ? processors : nil
        run = ServiceRun(count: self.count, drain)
        readiness = SharedReadiness(count: self.count)
        lastSnapshots = Locked(Array(repeating: nil, count: self.count))
    }

    /// Sets all reactors up and runs them. A group runs once: its listening sockets end with it.
    ///
    /// When its task is cancelled, all reactors drain at the same time, and it returns when the
    /// last has ended. Each runs until the drains of all have ended, or the deadline is over, so
    /// that replies which one owes may be made on another. `shutDown()` does the same; what comes
    /// second of the two, in whatever order, stops them at once. A reactor that stops by itself has
    /// the others drain. From a program that is not async, a task runs it, and the main thread
    /// waits for that.
    /// - Returns: What the drains came to that ended it, of all servers together; all zero without
    ///   one. What a reactor of it was told to drain by others is not in it.
    /// - Throws: What the first `setup` threw, or the first reactor's `run()`, or `SystemError` or
    ///   `EndpointError` when the kernel has refused a thread, a reactor or its server. The others
    ///   are stopped then, at once.
    @discardableResult
    public func run() async throws -> DrainReport {
        let hadBegun = state.withLock { state in
            defer { state.hasBegun = true }
            return state.hasBegun
        }
        demand(!hadBegun, "ReactorGroup.run() was called twice")
        defer { closeServers() }
        return try await run.perform(by: kernel) { [self] index in
            defer { ended(at: index) }
            if let pins { try pin(to: pins[index % pins.count]) }
            let reactor = try Reactor(limits: limits)
            defer { keepLastSnapshot(of: reactor, at: index) }
            try join(reactor, at: index)
            try reactor.run()
        }
    }

    private func pin(to processor: Int) throws(SystemError) {
        try SystemError.require(.sched_setaffinity) { kernel.pinThread(to: processor) }
    }

    /// Ends the run as a cancellation does: the first time by a drain of all reactors, the second
    /// time at once. Before the run, or while it is being set up, all drain once they serve. From
    /// any thread.
    public func shutDown() { run.shutDown() }

    /// The reactors that are set up, in the order of their indices: all of them, once `isReady`;
    /// none before `run()`. They stay when they have stopped. From any thread.
    public var remotes: [RemoteReactor] { run.remotes }

    /// Whether every reactor runs and `Reactor.isReady`: not from the beginning of a drain on. From
    /// any thread.
    public var isReady: Bool { readiness.isReady }

    /// Tells the supervisor how the group is, as `Reactor.report(to:)` does for one reactor.
    /// `READY=1` is sent when all reactors are ready, `STOPPING=1` when the first of them begins to
    /// drain, `WATCHDOG=1` when all have turned. To be called before `run()`, once. From any
    /// thread.
    public func report(to supervisor: Supervisor) {
        let reports = SupervisorReports(to: supervisor, count: count)
        let hasBegun = state.withLock { state in
            state.reports.append(reports)
            return state.hasBegun
        }
        demand(!hasBegun, "ReactorGroup.report(to:) was called after run()")
    }

    func add(_ server: SharedServer) {
        let hasBegun = state.withLock { state in
            state.servers.append(server)
            return state.hasBegun
        }
        demand(!hasBegun, "ReactorGroup.listen(on:) was called after run()")
    }

    private var servers: [SharedServer] { state.withLock { $0.servers } }

    /// Closes what no reactor has taken, and lets go of the setups, which may hold the group.
    private func closeServers() {
        let servers = state.withLock { state in
            defer { state.servers = [] }
            return state.servers
        }
        for server in servers { server.close() }
    }

    private var reports: [SupervisorReports] { state.withLock { $0.reports } }
}

// MARK: - Its reactors

extension ReactorGroup {
    /// Makes a reactor one of the group: calls the setup. On its thread, before it runs. Whoever
    /// drives the reactors of a group calls this, and `ended(at:)` later.
    ///
    /// Nobody is accepted before all reactors have joined and have their servers: or those that
    /// were first would take all who wait. The steps to that are works that the last one submits to
    /// all.
    /// - Throws: what the setup throws.
    package func join(_ reactor: Reactor, at index: Int) throws {
        reactor.registry.groupMembership.join(self, index)
        try setup(reactor, index)
        run.joined(reactor, at: index)
        let joined: [Int: RemoteReactor]? = state.withLock { state in
            state.hasBegun = true
            state.joined[index] = reactor.remote
            return state.joined.count == count ? state.joined : nil
        }
        guard let joined else { return }
        submit(to: joined) { [self] in open(on: $0, at: $1) }
    }

    private func submit(
        to joined: [Int: RemoteReactor], _ step: @escaping @Sendable (Reactor, Int) -> Void
    ) {
        for (index, remote) in joined { _ = remote.submitAlways { step($0, index) } }
    }

    private func open(on reactor: Reactor, at index: Int) {
        let membership = reactor.registry.groupMembership
        do throws(EndpointError) {
            for server in servers {
                membership.servers.append(try server.open(on: reactor, at: index))
            }
        } catch {
            return run.fail(error)
        }
        let (isLast, joined) = state.withLock { state in
            state.opened += 1
            return (state.opened == count, state.joined)
        }
        if isLast { submit(to: joined) { [self] in begin(on: $0, at: $1) } }
    }

    private func begin(on reactor: Reactor, at index: Int) {
        for server in reactor.registry.groupMembership.servers {
            do throws(SystemError) {
                try server.beginAccepting()
            } catch {
                return run.fail(EndpointError(address: server.address, cause: error))
            }
        }
        readiness.follow(reactor, at: index)
        for report in reports { report.follow(reactor, at: index) }
        run.began(at: index)
    }

    /// The reactor of this index has ended, or could not begin.
    package func ended(at index: Int) {
        readiness.ended()
        run.ended(at: index)
        for report in reports { report.ended(at: index) }
    }
}
