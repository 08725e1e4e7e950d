// What the loop and everything it drives share: sources, time, buffers, and what is to be done.

/// One reactor's sources and the state of its turn. Sources hold it strongly; the reactor, which
/// users hold, does too and tears it down, so that no cycle outlives the reactor.
@safe
final class Registry {
    let kernel: Kernel
    let limits: ReactorLimits
    let epoll: Epoll
    let sources = Slab<EventSource>()
    let wheel = TimerWheel()
    let buffers: BufferPool
    /// Where every session receives; its content is valid until the next session reads.
    let receiveBuffer: UnsafeMutableRawBufferPointer

    /// The turn's clock reading, in nanoseconds. Time that passes within a turn is not seen by it.
    var now: Int64
    /// The clock when the reactor was made.
    let origin: Int64

    /// Sources that have to be called at the turn's end, at its very end, and in the next turn.
    let dirty = TokenQueue()
    let ended = TokenQueue()
    let woken = TokenQueue()

    /// The thread on which everything here happens: the one that runs the reactor, and until then
    /// the one that made it.
    private(set) var thread = ThreadIdentity.current

    /// Whether the loop runs, so that what is called on its thread is part of a turn.
    var isRunning = false

    /// What the endpoints may hold at most, beside the loop's own buffers; bytes.
    var endpointMemoryBound = 0

    /// Clients that connect at the same time.
    let dialGate: Gate

    /// What the loop notes of itself.
    let record = LoopRecord()

    /// Calls that somebody relies on: made in the next turn, or as the last of the reactor.
    private var owedCalls: [() -> Void] = []
    /// Whether there are any: asked every turn, where a look at the array would cost more.
    private(set) var owesCalls = false
    private var isTornDown = false
    /// What the loop cannot hear without: ends the run, which throws it.
    var failure: SystemError?

    /// Sources that found no descriptor free; they are woken once one is.
    let starved = TokenQueue()

    init(kernel: Kernel, limits: ReactorLimits) throws(SystemError) {
        self.kernel = kernel
        self.limits = limits
        epoll = try Epoll(kernel: kernel)
        buffers = BufferPool(
            maximumIdleBytes: limits.maximumIdleBufferBytes,
            sharedCapacity: limits.maximumBytesReadPerTurn)
        unsafe receiveBuffer = .allocate(byteCount: limits.maximumBytesReadPerTurn, alignment: 4096)
        dialGate = Gate(limit: limits.maximumSimultaneousAttempts)
        now = kernel.now()
        origin = now
    }

    deinit { unsafe receiveBuffer.deallocate() }
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
    /// before, and at most a tick after.
    func arm(_ source: SlabKey, at deadline: Int64) -> TimerKey {
        let nanoseconds = max(0, deadline - origin)
        let tick = (nanoseconds + Self.nanosecondsPerTick - 1) / Self.nanosecondsPerTick
        return wheel.schedule(at: UInt64(tick), owner: source.rawValue)
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
    func flushLater(_ source: EventSource) { dirty.append(source.key) }

    /// Calls `body` with a source that has not been released. Nothing but `reap` takes a source
    /// out, and it is not called from within `body`: so the source need not be retained for it.
    @inline(__always)
    func withSource(_ key: SlabKey, _ body: (EventSource) -> Void) {
        unsafe sources.unretained(key)?._withUnsafeGuaranteedRef(body)
    }

    func releaseLater(_ source: EventSource) { ended.append(source.key) }

    /// Has `ready` called in the next turn, which then does not wait.
    func wake(_ source: EventSource) { woken.append(source.key) }

    /// Wakes the sources that wait for a descriptor.
    @inline(__always)
    func descriptorFreed() {
        while let key = starved.take() { woken.append(key) }
    }

    /// Ends every source. Their users are told; what they start meanwhile is ended too. Who starts
    /// something anew at every answer is not answered for ever.
    func tearDown() {
        for _ in 0..<100 where sources.count > 0 || owesCalls {
            sources.forEach { _, source in source.reactorStops() }
            reap()
            makeOwedCalls()
        }
        sources.forEach { key, _ in sources.remove(key) }
        owedCalls = []
        owesCalls = false
        isTornDown = true
    }

    /// Has `call` made in the next turn, and if there is none, before the reactor has ended.
    func callLater(_ call: @escaping () -> Void) {
        if isTornDown { return call() }
        owedCalls.append(call)
        owesCalls = true
    }

    /// Those that are owed because of these are left for the next turn.
    func makeOwedCalls() {
        guard owesCalls else { return }
        let calls = owedCalls
        owedCalls = []
        owesCalls = false
        for call in calls { call() }
    }

    /// Releases the sources that ended. Those that end because of it are released in the next turn,
    /// so that a handler which starts anew what fails at once cannot hold this one.
    func reap() {
        for _ in 0..<ended.waiting {
            guard let key = ended.take(), let source = sources.remove(key) else { continue }
            source.release()
        }
    }
}
