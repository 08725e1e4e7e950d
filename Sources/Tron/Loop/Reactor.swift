// The reactor: one thread, one epoll, and the turn that everything happens in.

/// A single-threaded event loop for servers and clients.
///
/// Make it, add servers, clients and timers, and call `run()`; everything is then called on that
/// thread. Until then it belongs to the thread that made it. Other threads use `remote`. When a
/// reactor is released or `run()` has returned, all that it had is closed.
public final class Reactor {
    let registry: Registry
    let timers: UserTimers
    let resolver: Resolver
    let ownExecutor: ReactorExecutor
    private let wakeupSource: WakeupSource
    private let submitted: SubmittedWork
    /// `ReactorLimits.spin` in nanoseconds.
    private let spin: Int64
    private var isFinishing = false
    /// Nothing can be started any more. Until then, what a handler starts is ended with the rest.
    private(set) var isFinished = false
    var signalSource: SignalSource?

    /// This reactor for other threads to hold: it takes work and stops.
    public let remote: RemoteReactor

    /// Makes a reactor. It needs two descriptors; `SystemError` says if they were not to be had.
    public convenience init(limits: ReactorLimits = ReactorLimits()) throws(SystemError) {
        try self.init(limits: limits, kernel: Kernel())
    }

    /// A reactor on a kernel that is not the machine's.
    package convenience init(
        limits: ReactorLimits = ReactorLimits(), kernel: any KernelBackend
    ) throws(SystemError) {
        try self.init(limits: limits, kernel: Kernel(kernel))
    }

    init(limits: ReactorLimits = ReactorLimits(), kernel: Kernel) throws(SystemError) {
        limits.validate()
        remote = try RemoteReactor(kernel: kernel, capacity: limits.maximumWaitingWork)
        ownExecutor = ReactorExecutor(of: remote)
        registry = try Registry(kernel: kernel, limits: limits, executor: ownExecutor)
        submitted = SubmittedWork(from: remote)
        spin = limits.spin.clampedNanoseconds
        resolver = Resolver(registry: registry, remote: remote)
        wakeupSource = WakeupSource(remote, registry: registry)
        timers = UserTimers(registry: registry)
        try registry.register(wakeupSource, descriptor: remote.wakeup.number)
        try registry.register(timers, descriptor: nil)
    }

    deinit { finish() }

    /// Runs the loop on the calling thread until `stop()`.
    ///
    /// Before it returns, accepted submitted work is run, and servers, sessions and timers are
    /// ended: each session's close handler is told `.reactorStopped`. For a graceful end there is
    /// `drain(within:spread:completion:)`. A reactor that has stopped cannot run again: this then
    /// returns at once.
    ///
    /// In `main.swift` a plain `Task { }` belongs to the main actor and does not begin while this
    /// has the main thread; `Task(executorPreference: reactor.executor) { }` runs on the loop.
    /// - Throws: `SystemError` when the kernel refuses to wait, or to tell what other threads and
    ///   signals want, which no defined use brings about.
    public func run() throws(SystemError) {
        demand(
            !registry.isRunning, "Reactor.run() was called from within a handler of its own")
        enter()
        defer {
            leave()
            finish()
        }
        while try step() {}
        try tellOfEnd()
    }

    /// Makes `run()` return at the end of this turn. On the loop's thread; elsewhere, and where in
    /// doubt, use `remote.stop()`.
    public func stop() {
        registry.requireLoop("Reactor.stop()")
        remote.stop()
    }

    /// Has `work` run on the loop later in this turn, or in the next; `RemoteReactor.submit` is the
    /// same for other threads. On the loop `callSoon` does it for any closure.
    @discardableResult
    public func submit(_ work: @escaping @Sendable (Reactor) -> Void) -> Submission {
        remote.submit(work)
    }

    /// One turn. Its order is a promise: events, timers, work, output, releases. Each phase does no
    /// more than its limit allows, and leaves the rest to the next turn. What a session's own
    /// handler queues is sent right after its batch; the output phase sends what others queued for
    /// it. Only the releases take sources out of the registry, so that the other phases need not
    /// retain them.
    func turn() throws(SystemError) {
        let events = try wait()
        dispatch(events)
        fireTimers()
        registry.makeCalls(atMost: registry.limits.maximumWorkPerTurn)
        if submitted.isWaiting {
            submitted.run(on: self, atMost: registry.limits.maximumWorkPerTurn)
        }
        flush()
        registry.reap(atMost: registry.limits.maximumReleasesPerTurn)
    }

    /// The clock is read anew before the wait, because the turn that ends here may have been long.
    private func wait() throws(SystemError) -> Int {
        let end = registry.kernel.now()
        registry.record.turnEnded(from: registry.now, to: end)
        let time = hasWork ? 0 : registry.timeToNextTimer(from: end)
        let events =
            try spin > 0 && time != 0
            ? spinAndWait(from: end) : registry.epoll.wait(nanoseconds: time)
        registry.now = registry.kernel.now()
        registry.record.turnBegins(events: events, at: registry.now)
        return events
    }

    /// Looks for events without sleeping, until `spin` is over or a timer is due, and then sleeps.
    @inline(never)
    private func spinAndWait(from start: Int64) throws(SystemError) -> Int {
        var now = start
        repeat {
            let events = try registry.epoll.wait(nanoseconds: 0)
            if events > 0 { return events }
            now = registry.kernel.now()
        } while now - start < spin && registry.timeToNextTimer(from: now) != 0
        return try registry.epoll.wait(nanoseconds: registry.timeToNextTimer(from: now))
    }

    /// Whether something is to be done that no event and no timer will tell of.
    package var hasWork: Bool {
        !registry.woken.isEmpty || submitted.isWaiting
            || !registry.dirty.isEmpty || !registry.ended.isEmpty || !registry.calls.isEmpty
    }

    /// Asks once whether calls are timed, so that an untimed one costs nothing more.
    private func dispatch(_ events: Int) {
        if registry.record.isTiming {
            dispatch(events, isTiming: true)
        } else {
            dispatch(events, isTiming: false)
        }
    }

    /// Those that were woken come first: what a session kept was received before what is to be
    /// read.
    @inline(__always)
    private func dispatch(_ events: Int, isTiming: Bool) {
        for _ in 0..<registry.woken.count {
            guard let key = registry.woken.take() else { break }
            registry.withSource(key) { $0.ready([]) }
            if isTiming { recordCall(of: key) }
        }
        for index in 0..<events {
            let (token, readiness) = registry.epoll.event(index)
            let key = SlabKey(rawValue: token)
            registry.withSource(key) { $0.ready(readiness) }
            if isTiming { recordCall(of: key) }
        }
    }

    private func fireTimers() {
        let isTiming = registry.record.isTiming
        if isTiming { registry.record.skip(to: registry.kernel.now()) }
        registry.wheel.advance(to: registry.tick)
        for _ in 0..<registry.limits.maximumTimersPerTurn {
            guard let (timer, owner, payload) = registry.wheel.takeDue() else { break }
            let key = SlabKey(rawValue: owner)
            registry.withSource(key) { $0.expired(timer, payload: payload) }
            if isTiming { recordCall(of: key) }
        }
    }

    @inline(never)
    private func recordCall(of key: SlabKey) {
        registry.record.called(key, now: registry.kernel.now())
    }

    /// What is queued from here on belongs to the next turn's output.
    private func flush() {
        registry.outputPeriod &+= 1
        for _ in 0..<min(registry.dirty.count, registry.limits.maximumFlushesPerTurn) {
            guard let key = registry.dirty.take() else { break }
            registry.withSource(key) { $0.flush() }
        }
    }
}

// MARK: - The loop in steps

/// `run()` is made of these. Whoever drives several reactors on one thread calls them in turn; what
/// is called between `leave` and `enter`, on that thread, is no part of a turn.
extension Reactor {
    /// Makes the calling thread the loop's own.
    @inline(never)
    package func enter() {
        registry.adoptThread()
        remote.adoptThread()
        registry.isRunning = true
    }

    @inline(never)
    package func leave() {
        registry.isRunning = false
        remote.leaveThread()
    }

    /// The same without a turn: for what is called on another thread than before.
    package func adoptThread() {
        guard !registry.isRunning else { return }
        enter()
        leave()
    }

    /// One turn; false, and none, once the loop is to end.
    package func step() throws(SystemError) -> Bool {
        guard !remote.stopsRequested, !isFinishing, registry.failure == nil else { return false }
        try turn()
        return true
    }

    /// When the next timer is due, on the kernel's clock, which is at `time`; nil without one.
    package func nextTimer(at time: Int64) -> Int64? {
        let wait = registry.timeToNextTimer(from: time)
        return wait < 0 ? nil : time + wait
    }

    /// Has what arrived before the end told, and throws what ended the loop.
    package func tellOfEnd() throws(SystemError) {
        signalSource?.loopEnds()
        if let failure = registry.failure { throw failure }
    }

    /// Ends everything, once.
    package func finish() {
        guard !isFinishing else { return }
        isFinishing = true
        // A reactor that never ran may be released on any thread.
        registry.adoptThread()
        remote.adoptThread()
        remote.close()
        while submitted.isWaiting { submitted.run(on: self, atMost: .max) }
        registry.tearDown()
        resolver.close()
        isFinished = true
        ownExecutor.runStrays()
    }
}
