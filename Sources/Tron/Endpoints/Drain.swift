// The graceful end of a server: no new sessions, the old ones closed in time, a report.

/// What became of a server's sessions when it was drained.
public struct DrainReport: Hashable, Sendable {
    /// Sessions that ended by themselves or by `close()`.
    public var closed = 0
    /// Sessions that were aborted at the deadline, or ended by the reactor's stop before it.
    public var aborted = 0
}

extension Server {
    /// Stops listening at once, closes the sessions as by `Session.close()`, aborts those that are
    /// left after `deadline`, and then calls `completion`, once, on the loop.
    ///
    /// `spread`, at most the deadline, is the time over which the closes are spread evenly, so that
    /// the peers do not all come back in the same moment.
    public func drain(
        within deadline: Duration, spread: Duration = .zero,
        completion: @escaping (DrainReport) -> Void
    ) {
        registry.requireLoop("Server.drain(within:)")
        stopListening()
        // Also of a reactor that has ended, where nothing would come of a drain.
        guard sessionCount > 0 else { return registry.callLater { completion(DrainReport()) } }
        let drain = Drain(self, completion)
        drain.begin(deadline: deadline, spread: min(spread, deadline))
    }
}

/// One drain: a step every ten milliseconds, an end at the deadline.
private final class Drain: EventSource {
    private static let step: Int64 = 10_000_000

    private let server: Server
    private let completion: (DrainReport) -> Void
    private var report = DrainReport()
    private var waiting: [SlabKey] = []
    private var spreadEnd: Int64 = 0
    private var stepTimer: TimerKey?
    private var deadlineTimer: TimerKey?

    init(_ server: Server, _ completion: @escaping (DrainReport) -> Void) {
        self.server = server
        self.completion = completion
        super.init(registry: server.registry)
    }

    func begin(deadline: Duration, spread: Duration) {
        key = registry.sources.insert(self)
        report.closed = server.sessionCount
        server.forEachSession { waiting.append($0.key) }
        let now = registry.kernel.now()
        spreadEnd = now + spread.clampedNanoseconds
        deadlineTimer = registry.arm(key, at: now + deadline.clampedNanoseconds)
        server.drains.append(key)
        closeSome()
    }

    /// Closes the share of the waiting sessions that the remaining time asks for: few one by one,
    /// many some at a time.
    private func closeSome() {
        let remaining = max(0, spreadEnd - registry.now)
        let steps = max(1, min(waiting.count, Int(remaining / Self.step) + 1))
        let share = (waiting.count + steps - 1) / steps
        for key in waiting.suffix(share) {
            (registry.sources[key] as? Session)?.close()
        }
        waiting.removeLast(share)
        let pause = max(Self.step, remaining / Int64(steps))
        stepTimer = waiting.isEmpty ? nil : registry.arm(key, at: registry.now + pause)
    }

    override func expired(_ timer: TimerKey) {
        if timer == stepTimer { return closeSome() }
        deadlineTimer = nil
        waiting = []
        countAborted()
        server.forEachSession { $0.abort() }
    }

    /// In the turn of the deadline they are counted already, and gone.
    override func reactorStops() {
        if deadlineTimer != nil { countAborted() }
        super.reactorStops()
    }

    private func countAborted() {
        report.aborted = server.sessionCount
        report.closed -= report.aborted
    }

    override func release() {
        for timer in [stepTimer, deadlineTimer] {
            if let timer { registry.wheel.cancel(timer) }
        }
        completion(report)
    }
}
