// Hands a reactor's events to its user: in order, outside of what caused them, and not too many.

extension Reactor {
    /// Calls `handler` with what happens from now on, in order, on the loop, once the handlers that
    /// caused it have returned, in this turn or the next; it may do anything. First it is told
    /// `.listening` of each server that listens already, so that it misses nothing when it is
    /// installed after `listen` and before the reactor runs; sessions and clients that there are
    /// already are told of only with what becomes of them. It replaces an earlier handler, which is
    /// not told what it has not been told yet; nil ends it. On the loop's thread, or before it
    /// runs.
    ///
    /// Of the events that peers can cause at will at most `limit` a second are told; then comes one
    /// `.suppressed` with the number of the others. Handlers of what is ready or due (packets,
    /// connections, timers) are told of when they take longer than `slowHandler`; to see them the
    /// loop reads the clock after every call, unless it is nil. What runs in the other phases of a
    /// turn shows in its lag alone. While nobody listens, nothing is built.
    public func onEvent(
        atMost limit: Int = 1000, slowHandler: Duration? = .milliseconds(10),
        _ handler: ((ReactorEvent) -> Void)?
    ) {
        registry.requireLoop("Reactor.onEvent")
        demand(limit > 0, "Reactor.onEvent(atMost:): at least one event a second")
        demand(!isFinished, "Reactor.onEvent was called after the reactor had stopped")
        // What the former one held may call back when it goes, after all else.
        let former = registry.endpoints.reporter?.stop()
        defer { withExtendedLifetime(former) {} }
        guard let handler else { return }
        let reporter = EventReporter(limit, slowHandler, registry, timers, handler)
        registry.endpoints.reporter = reporter
        registry.record.add(reporter)
        for server in servers where server.accepting.isListening {
            reporter.report(.listening(server.address))
        }
    }
}

/// Invariant: while something is `suppressed`, a timer is set to tell so.
final class EventReporter: LoopObserver {
    private static let window: Int64 = 1_000_000_000

    private let limit: Int
    private let slowHandler: UInt64
    private let registry: Registry
    private let timers: UserTimers
    private var handler: ((ReactorEvent) -> Void)?

    private var waiting: [ReactorEvent] = []
    private var windowEnd = Int64.min
    private var toldInWindow = 0
    private var suppressed = 0

    init(
        _ limit: Int, _ slowHandler: Duration?, _ registry: Registry, _ timers: UserTimers,
        _ handler: @escaping (ReactorEvent) -> Void
    ) {
        self.limit = limit
        self.slowHandler = slowHandler.map { UInt64($0.clampedNanoseconds) } ?? .max
        self.registry = registry
        self.timers = timers
        self.handler = handler
    }

    func report(_ event: ReactorEvent) {
        if event.isFloodable && !isWithinLimit() { return }
        waiting.append(event)
        if waiting.count == 1 { registry.callLater { self.tell() } }
    }

    private func isWithinLimit() -> Bool {
        if registry.now >= windowEnd {
            windowEnd = registry.now + Self.window
            toldInWindow = 0
        }
        if toldInWindow < limit {
            toldInWindow += 1
            return true
        }
        suppressed += 1
        if suppressed == 1 {
            _ = timers.schedule(at: windowEnd, every: nil) { self.tellSuppressed() }
        }
        return false
    }

    private func tellSuppressed() {
        guard suppressed > 0 else { return }
        let count = suppressed
        suppressed = 0
        report(.suppressed(count))
    }

    private func tell() {
        let events = waiting
        waiting = []
        for event in events { handler?(event) }
    }

    override var wantsTimes: Bool { slowHandler != .max }

    override func called(_ source: SlabKey, nanoseconds: UInt64) {
        guard nanoseconds > slowHandler else { return }
        let time = Duration.nanoseconds(Int64(clamping: nanoseconds))
        report(.slowHandler(registry.session(source)?.id, time))
    }

    override func hasLastWords() -> Bool {
        tellSuppressed()
        return !waiting.isEmpty
    }

    /// Lets the handler go: it may hold the reactor.
    override func end() { _ = stop() }

    /// Tells nothing any more; the handler is the caller's.
    fileprivate func stop() -> ((ReactorEvent) -> Void)? {
        registry.record.remove(self)
        registry.endpoints.reporter = nil
        waiting = []
        return handler.take()
    }
}
