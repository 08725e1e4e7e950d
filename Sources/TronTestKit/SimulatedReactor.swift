// A reactor of the simulated network: it runs, crashes and is started again.
import Tron

/// One reactor of a `SimulatedNetwork`, on a machine of its own.
public final class SimulatedReactor {
    /// Its name, which other reactors can resolve.
    public var name: String { place.name }

    /// The address of its machine, with a port: where others reach what listens on 0.0.0.0.
    public func address(port: UInt16) -> SocketAddress { .ipv4(host: place.host, port: port) }

    /// The reactor; nil when it has crashed or ended. What is called through it belongs to no turn.
    /// It is the calling thread's from then on, as all of the network.
    public var reactor: Reactor? {
        adoptThread()
        return living
    }

    /// Whether it has neither crashed nor ended.
    public var isRunning: Bool { living != nil }

    let place: Place
    private(set) var living: Reactor?
    private(set) var kernel: SimulatedKernel?
    private let limits: ReactorLimits
    private let setup: (Reactor) throws -> Void
    private unowned let owner: SimulatedNetwork
    /// Turns in a row that neither waited nor did anything, and what was done before them.
    private var idleTurns = 0
    private var callsSeen = 0
    private var hasSpun = false

    init(
        _ place: Place, _ limits: ReactorLimits, _ owner: SimulatedNetwork,
        _ setup: @escaping (Reactor) throws -> Void
    ) {
        self.place = place
        self.limits = limits
        self.owner = owner
        self.setup = setup
    }

    /// A new kernel, a new reactor, and its setup. If that throws, nothing of it is left: neither
    /// what it listens on nor what would take turns.
    func start() throws {
        let kernel = SimulatedKernel(steppedAt: place, in: owner.network)
        kernel.adoptThread()
        owner.run.speaker = name
        defer { owner.run.speaker = nil }
        let calm = owner.run.faults.isCalm
        owner.run.faults.isCalm = true
        defer { owner.run.faults.isCalm = calm }
        let reactor = try Reactor(limits: limits, kernel: kernel)
        (self.kernel, living) = (kernel, reactor)
        do {
            try setup(reactor)
        } catch {
            end()
            throw error
        }
    }

    /// The network is used on the calling thread from now on.
    func adoptThread() {
        kernel?.adoptThread()
        living?.adoptThread()
    }

    /// Its process is killed: all its connections are reset, and none of its code runs any more.
    /// (Handlers are told `.reactorStopped` once the network ends, because memory is released.)
    public func crash() {
        guard let reactor = living, let kernel else { return }
        owner.run.tell("\(name) crashes")
        kernel.crash()
        owner.crashed.append(reactor)
        living = nil
        self.kernel = nil
    }

    /// Starts it again, after a crash or its end: the setup is called for a new reactor.
    /// - Throws: what the setup throws. It is not running then, and may be started again.
    public func restart() throws {
        if isRunning { crash() }
        owner.run.tell("\(name) starts again")
        try start()
    }

    /// Has a signal arrive that it watches.
    public func raise(_ signal: Signal) { kernel?.raise(signal) }

    /// Whether there is something to do for it at this time.
    func isDue(at time: Int64) -> Bool {
        guard let reactor = living, let kernel else { return false }
        return reactor.hasWork || reactor.remote.stopsRequested || kernel.isReady
            || nextTime(at: time) <= time
    }

    /// When it wants to be called though nothing happens.
    func nextTime(at time: Int64) -> Int64 { living?.nextTimer(at: time) ?? .max }

    func turn() {
        guard let reactor = living, let kernel else { return }
        owner.run.speaker = name
        defer { owner.run.speaker = nil }
        kernel.adoptThread()
        reportWorkFromElsewhere(kernel)
        reactor.enter()
        do {
            let goesOn = try reactor.step()
            if !goesOn { try reactor.tellOfEnd() }
            reactor.leave()
            if !goesOn { end() }
        } catch {
            reactor.leave()
            owner.found(.brokenPromise, "Reactor.run() throws \(error)", by: name)
            end()
        }
        watchProgress(kernel)
    }

    private func reportWorkFromElsewhere(_ kernel: SimulatedKernel) {
        guard kernel.takeWakeupsFromElsewhere() > 0 else { return }
        owner.found(
            .workFromElsewhere,
            "work came from another thread: a task that is not on the reactor's executor, or one "
                + "that has slept. It comes in real time, and no seed repeats it", by: name)
    }

    /// Turns that neither wait nor do anything are a spin; time passes for it all the same.
    private func watchProgress(_ kernel: SimulatedKernel) {
        // Of a turn's own there are three calls: the clock twice, and the wait.
        let isIdle = kernel.calls - callsSeen <= 3 && isDue(at: owner.run.clock)
        callsSeen = kernel.calls
        idleTurns = isIdle ? idleTurns + 1 : 0
        let most = owner.watch.maximumIdleTurns
        if idleTurns == most && !hasSpun {
            hasSpun = true
            owner.found(.spin, "\(most) turns that neither waited nor did anything", by: name)
        }
        if idleTurns >= most { owner.run.clock += 1_000_000 }
    }

    /// The loop has ended, or is to: everything of it has to be closed then.
    func end() {
        guard let reactor = living, let kernel else { return }
        reactor.finish()
        living = nil
        self.kernel = nil
        guard kernel.openCount > Self.ownDescriptors else { return }
        owner.found(
            .leak, "\(kernel.openCount - Self.ownDescriptors) descriptors are open after its end",
            by: name)
    }

    /// An epoll and an eventfd, which close with the reactor itself.
    private static let ownDescriptors = 2
}
