// The graceful end of a server: no new sessions, the old ones closed in time, a report.

/// What became of a server's sessions when it was drained.
public struct DrainReport: Hashable, Sendable {
    /// Sessions that ended by themselves or by `close()`, before the deadline or in its turn.
    public var closed = 0
    /// Sessions that were aborted: at the deadline, by `abort()`, by another drain or `stop`; or
    /// ended by the reactor's stop.
    public var aborted = 0

    /// All zero.
    public init() {}

    fileprivate mutating func add(_ reason: CloseReason) {
        switch reason {
        case .aborted, .reactorStopped: aborted += 1
        default: closed += 1
        }
    }
}

extension Server {
    /// Stops listening at once, closes the sessions as by `Session.close()`, aborts those that are
    /// left after `deadline`, and then calls `completion`, once, on the loop.
    ///
    /// `spread`, at most the deadline, is the time over which the closes are spread evenly, so that
    /// the peers do not all come back in the same moment. Drains may overlap: each reports what
    /// became of the sessions that there were when it began.
    public func drain(
        within deadline: Duration, spread: Duration = .zero,
        completion: @escaping (DrainReport) -> Void
    ) {
        registry.requireLoop("Server.drain(within:)")
        stopListening()
        // Also of a reactor that has ended, where nothing would come of a drain.
        guard sessionCount > 0 else { return registry.callLater { completion(DrainReport()) } }
        let drain = Drain(self, completion)
        add(drain)
        drain.begin(deadline: deadline, spread: min(spread, deadline))
    }
}

/// One drain: a step every ten milliseconds, an end at the deadline. Its server, which has stopped
/// listening and so gets no new sessions, tells it of each one's end.
final class Drain: EventSource {
    private static let step: Int64 = 10_000_000

    let registry: Registry
    var key = SlabKey.none
    private let server: Server
    private let completion: (DrainReport) -> Void
    private var report = DrainReport()
    /// Sessions that are still to be closed, the next one last.
    private var waiting: [Session] = []
    private var spreadEnd: Int64 = 0
    private var stepTimer = TimerKey.none
    private var deadlineTimer = TimerKey.none

    fileprivate init(_ server: Server, _ completion: @escaping (DrainReport) -> Void) {
        registry = server.registry
        self.server = server
        self.completion = completion
    }

    fileprivate func begin(deadline: Duration, spread: Duration) {
        key = registry.sources.insert(self)
        server.forEachSession { waiting.append($0) }
        let now = registry.kernel.now()
        spreadEnd = now + spread.clampedNanoseconds
        deadlineTimer = registry.arm(key, at: now + deadline.clampedNanoseconds)
        closeSome()
    }

    /// Closes the share of the waiting sessions that the remaining time asks for: few one by one,
    /// many some at a time. Those that have ended meanwhile are closed in vain.
    private func closeSome() {
        let remaining = max(0, spreadEnd - registry.now)
        let steps = max(1, min(waiting.count, Int(remaining / Self.step) + 1))
        let share = (waiting.count + steps - 1) / steps
        for session in waiting.suffix(share) { session.close() }
        waiting.removeLast(share)
        let pause = max(Self.step, remaining / Int64(steps))
        if !waiting.isEmpty { stepTimer = registry.arm(key, at: registry.now + pause) }
    }

    func expired(_ timer: TimerKey, payload: UInt32) {
        if timer == stepTimer { return closeSome() }
        waiting = []
        server.forEachSession { $0.abort() }
    }

    /// The report is complete when the server has no session left.
    func sessionEnded(_ reason: CloseReason) {
        report.add(reason)
        guard server.sessionCount == 0 else { return }
        server.remove(self)
        registry.releaseLater(self)
    }

    /// Its sessions end, and it with the last of them.
    func reactorStops() {}

    func release() {
        registry.wheel.cancel(stepTimer)
        registry.wheel.cancel(deadlineTimer)
        completion(report)
    }
}
