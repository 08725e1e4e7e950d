// What the loop and everything it drives share: sources, time, buffers, and what is to be done.
import Synchronization

/// One reactor's sources and the state of its turn. Sources hold it strongly; the reactor, which
/// users hold, does too and tears it down, so that no cycle outlives the reactor.
@safe
final class Registry {
    let kernel: Kernel
    let limits: ReactorLimits
    /// Where the tasks of sources run.
    let executor: ReactorTaskExecutor
    let epoll: Epoll
    /// The calls on descriptors that sources own.
    let sockets: SocketCalls
    let sources = Slab<any EventSource>()
    let wheel = TimerWheel()
    let buffers: BufferPool
    private let receiveStart: UnsafeMutableRawPointer

    /// The turn's clock reading, in nanoseconds. Time that passes within a turn is not seen by it.
    var now: Int64
    /// The clock when the reactor was made.
    let origin: Int64
    /// Tells this reactor from the others of the process; a number comes again after 2³² of them.
    let number = ReactorNumber.next()

    /// Sources that have to be called at the turn's end, at its very end, and in the next turn.
    let dirty = Queue<SlabKey>()
    let ended = Queue<SlabKey>()
    let woken = Queue<SlabKey>()

    /// Sources that are to send what lies in `receiveBuffer`, and have not copied it.
    let forwarding = Queue<SlabKey>()

    /// The thread on which everything here happens: the one that runs the reactor, and until then
    /// the one that made it.
    private(set) var thread = ThreadIdentity.current

    /// Whether the loop runs, so that what is called on its thread is part of a turn.
    var isRunning = false

    /// What the loop notes of itself.
    let record = LoopRecord()

    /// Closures that run in the work phase, or before the reactor has ended.
    let calls = Queue<() -> Void>()
    /// The application's own, which one of those makes.
    let soonCalls = SoonCalls()
    private var isTornDown = false

    /// The number of the output phase that comes next: what is queued until then is sent in it.
    var outputPeriod: UInt32 = 1

    /// What the layers above keep with a reactor, by type.
    private var companions: [ObjectIdentifier: any ReactorCompanion] = [:]

    /// What the loop cannot hear without: ends the run, which throws it.
    var failure: SystemError?

    /// Sources that found no descriptor free; they are woken once one is.
    let starved = Queue<SlabKey>()

    init(kernel: Kernel, limits: ReactorLimits, executor: ReactorExecutor) throws(SystemError) {
        self.kernel = kernel
        self.limits = limits
        self.executor = ReactorTaskExecutor(executor)
        epoll = try Epoll(kernel: kernel)
        sockets = SocketCalls(kernel: kernel)
        buffers = BufferPool(
            maximumIdleBytes: limits.maximumIdleBufferBytes,
            sharedCapacity: limits.maximumBytesReadPerTurn)
        unsafe receiveStart = PagePlacement.received.allocate(
            byteCount: limits.maximumBytesReadPerTurn)
        now = kernel.now()
        origin = now
    }

    deinit { unsafe PagePlacement.received.deallocate(receiveStart) }

    /// Where every session receives; its content is valid until the next session reads. Not kept as
    /// it is: its beginning would be compared with nil at each use.
    @inline(__always)
    var receiveBuffer: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: receiveStart, count: limits.maximumBytesReadPerTurn)
    }
}

// MARK: - Threads

extension Registry {
    /// Makes the calling thread the loop's own.
    func adoptThread() { thread = .current }

    @inline(__always)
    var isOnLoop: Bool { ThreadIdentity.current == thread }

    /// Traps on any other thread than the loop's.
    @inline(__always)
    func requireLoop(_ what: StaticString) {
        if !isOnLoop { trapOffLoop(what) }
    }

    @inline(never)
    private func trapOffLoop(_ what: StaticString) -> Never {
        fatalError(
            "\(what) was called on another thread than the reactor's. "
                + "Hand the work over with `reactor.remote.submit { reactor in ... }`.")
    }
}

// MARK: - Time

extension Registry {
    /// Timer ticks are milliseconds since the reactor was made.
    static let nanosecondsPerTick: Int64 = 1_000_000

    /// Calls `expired` of the source once the clock has reached `deadline` (nanoseconds): never
    /// before, and at most a tick after. `payload` is for the source to tell its timers apart.
    @inline(never)
    func arm(_ source: SlabKey, at deadline: Int64, payload: UInt32 = 0) -> TimerKey {
        let tick = UInt64(Self.ticks(max(0, deadline - origin)))
        return wheel.schedule(at: tick, owner: source.rawValue, payload: payload)
    }

    /// Whether the timer lives and calls its source when `deadline` has come, or before. One that
    /// is due by now does for any deadline: no other would ring sooner.
    func rings(_ timer: TimerKey, by deadline: Int64) -> Bool {
        guard let armed = wheel.deadline(of: timer) else { return false }
        return armed <= max(wheel.now, UInt64(Self.ticks(max(0, deadline - origin))))
    }

    /// The first tick that is not before a time, in nanoseconds since the reactor was made.
    private static func ticks(_ nanoseconds: Int64) -> Int64 {
        (nanoseconds + nanosecondsPerTick - 1) / nanosecondsPerTick
    }

    /// The tick that `now` lies in.
    var tick: UInt64 { UInt64(max(0, now - origin) / Self.nanosecondsPerTick) }

    /// How long the loop may sleep from `time` on, in nanoseconds: negative for ever.
    func timeToNextTimer(from time: Int64) -> Int64 {
        guard let tick = wheel.nextExpiry else { return -1 }
        let ticks = Int64(min(tick, UInt64(Int64.max / Self.nanosecondsPerTick / 2)))
        return max(0, origin + ticks * Self.nanosecondsPerTick - time)
    }
}

// MARK: - Work for the phases of a turn

extension Registry {
    @inline(__always)
    func flushLater(_ source: some EventSource) { dirty.append(source.key) }

    /// Calls `body` with a source that has not been released. Nothing but `reap` takes a source
    /// out, and it is not called from within `body`: so the source need not be retained for it.
    /// `body` uses the source once: see `Slab.withElement`.
    @inline(__always)
    func withSource(_ key: SlabKey, _ body: (any EventSource) -> Void) {
        sources.withElement(key, body)
    }

    /// Has `endForwarding` called when the batch at hand is over.
    func forwards(_ source: some EventSource) { forwarding.append(source.key) }

    /// The batch is over: nobody refers to what was received any more.
    @inline(never)
    func endForwarding() {
        while let key = forwarding.take() { withSource(key) { $0.endForwarding() } }
    }

    func releaseLater(_ source: some EventSource) { ended.append(source.key) }

    /// Has `ready` called in the next turn, which then does not wait.
    func wake(_ source: some EventSource) { woken.append(source.key) }

    /// Wakes the sources that wait for a descriptor.
    @inline(__always)
    func descriptorFreed() {
        while let key = starved.take() { woken.append(key) }
    }

    /// Ends every source. Their users are told; what they start meanwhile is ended too. At most 100
    /// rounds, or a handler that always starts something new would keep the reactor from ending.
    func tearDown() {
        for _ in 0..<100 where sources.count > 0 || !calls.isEmpty || record.hasLastWords() {
            sources.forEach { _, source in source.reactorStops() }
            reap(atMost: .max)
            makeCalls(atMost: .max)
        }
        sources.forEach { key, _ in sources.remove(key) }
        calls.removeAll()
        soonCalls.end()
        for companion in companions.values { companion.end() }
        record.end()
        isTornDown = true
    }

    /// Has `call` made in this turn's work phase or the next's, or before the reactor has ended.
    func callLater(_ call: @escaping () -> Void) {
        if isTornDown { return call() }
        calls.append(call)
    }

    /// Calls that are asked for by these are left for the next turn.
    func makeCalls(atMost limit: Int) {
        for _ in 0..<min(limit, calls.count) { calls.take()?() }
    }

    /// Releases the sources that ended. Those that end because of it are released in the next turn,
    /// so that a handler which starts anew what fails at once cannot hold this one.
    func reap(atMost limit: Int) {
        for _ in 0..<min(limit, ended.count) {
            guard let key = ended.take(), let source = sources.remove(key) else { continue }
            source.release()
        }
    }
}

// MARK: - Companions

/// What a layer above keeps with a reactor.
protocol ReactorCompanion: AnyObject {
    /// The reactor has ended: lets go of what would keep it alive.
    func end()
}

extension Registry {
    /// The one object of its type that a layer above keeps with this reactor; made when it is first
    /// asked for.
    @inline(never)
    func companion<Object: ReactorCompanion>(orMake make: () -> Object) -> Object {
        let type = ObjectIdentifier(Object.self)
        if let known = companions[type] as? Object { return known }
        let made = make()
        companions[type] = made
        return made
    }
}

private enum ReactorNumber {
    private static let last = Atomic<UInt32>(0)

    static func next() -> UInt32 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
