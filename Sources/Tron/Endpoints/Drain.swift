// The graceful end of a server: its sessions are answered and closed in time, and reported.

/// What became of a server's sessions when it was drained.
public struct DrainReport: Hashable, Sendable, CustomStringConvertible {
    /// Sessions that ended by themselves or by `close()`, before the deadline or in its turn: also
    /// those whose last output their peers did not take, as their own reasons say.
    public var closed = 0
    /// Sessions that were aborted: at the deadline, by `abort()`, by another drain or `stop`; or
    /// ended by the reactor's stop.
    public var aborted = 0
    /// Replies that these sessions owed (`Session.replyAddress(of:)`) and that were neither given
    /// nor refused before they closed or were aborted.
    public var unanswered = 0

    /// All zero.
    public init() {}

    /// `5 closed, 1 aborted, 2 replies not given`.
    public var description: String {
        "\(closed) closed, \(aborted) aborted, \(unanswered) replies not given"
    }

    /// Adds what another drain reports.
    public mutating func add(_ other: DrainReport) {
        closed += other.closed
        aborted += other.aborted
        unanswered += other.unanswered
    }

    fileprivate mutating func add(_ session: Session, _ reason: CloseReason) {
        switch reason {
        case .aborted, .reactorStopped: aborted += 1
        default: closed += 1
        }
        unanswered += session.lostReplyCount
    }
}

extension Server {
    /// Stops listening, at once or with `ServerOptions.drainWindow`, tells each session
    /// (`Session.onDrain`), closes it as by `Session.close()` as soon as it owes no reply, aborts
    /// those that are left after `deadline`, and then calls `completion`, once, on the loop.
    ///
    /// A request whose handler has asked for its `replyAddress` is answered before its session
    /// closes, unless the reply does not come within the deadline: the report counts those. A
    /// session's task (`Session.task`) is waited for while it is at a packet. When the drain
    /// reaches a session, what no handler has seen yet is not delivered any more. Clients and
    /// timers of the reactor go on, since replies may need them.
    ///
    /// `spread`, at most the deadline, is the time over which the sessions are told, evenly, so
    /// that the peers do not all come back in the same moment. The first are told in the turn that
    /// follows; those that nobody has told of the drain yet go on as before. Drains may overlap:
    /// each reports what became of the sessions that there were when it began. On the loop's
    /// thread.
    public func drain(
        within deadline: Duration, spread: Duration = .zero,
        completion: @escaping (DrainReport) -> Void
    ) {
        registry.requireLoop("Server.drain(within:)")
        stopAccepting()
        // Also of a reactor that has ended, where nothing would come of a drain.
        guard sessionCount > 0 || isEmptying else {
            endpoints.report(.drained(address, DrainReport()))
            return registry.callLater { completion(DrainReport()) }
        }
        let drain = Drain(self, deadline, spread: min(spread, deadline), completion)
        add(drain)
        drain.begin(isWindowed: options.drainWindow != nil)
    }
}

/// One drain: a step every ten milliseconds, an end at the deadline. Its server tells it of each
/// session's end, and with `ServerOptions.drainWindow` of the listener's, and of the sessions that
/// come until the server gets no more.
final class Drain: EventSource {
    private static let step: Int64 = 10_000_000

    let registry: Registry
    var key = SlabKey.none
    private let server: Server
    private let completion: (DrainReport) -> Void
    private var report = DrainReport()
    /// Sessions that are still to be told, the next one last.
    private var waiting: [Session] = []
    /// Those that have come since they are being told: they follow the others, and not before a
    /// step has passed, so that what they have sent already is read.
    private var late: [Session] = []
    private var tells = false
    private var isOver = false
    private let spread: Int64
    /// Times of the clock.
    private let deadline: Int64
    private var spreadEnd: Int64 = 0
    private var stepTimer = TimerKey.none
    private var deadlineTimer = TimerKey.none

    fileprivate init(
        _ server: Server, _ deadline: Duration, spread: Duration,
        _ completion: @escaping (DrainReport) -> Void
    ) {
        registry = server.registry
        self.server = server
        self.completion = completion
        self.spread = spread.clampedNanoseconds
        self.deadline = registry.kernel.now() + deadline.clampedNanoseconds
    }

    /// Nobody is told at once: a handler that drains may be about to answer on its own session.
    /// With a window nobody is told while there is a listener, and until a step after that.
    fileprivate func begin(isWindowed: Bool) {
        key = registry.sources.insert(self)
        if isWindowed {
            deadlineTimer = registry.arm(key, at: deadline)
            if !server.descriptor.isOpen { tellSoon() }
        } else {
            gather()
            registry.wake(self)
        }
    }

    func ready(_ readiness: Readiness) {
        deadlineTimer = registry.arm(key, at: deadline)
        drainSome()
    }

    private func gather() {
        tells = true
        spreadEnd = registry.kernel.now() + spread
        server.forEachSession { waiting.append($0) }
    }

    /// Nobody new connects any more, or whoever waits cannot be accepted yet: for want of what the
    /// sessions hold, perhaps. Who was accepted last is read from before anybody is told.
    func tellSoon() {
        guard !tells, stepTimer == .none else { return }
        stepTimer = registry.arm(key, at: registry.kernel.now() + Self.step)
    }

    /// Drains the share of the waiting sessions that the remaining time asks for: few one by one,
    /// many some at a time. Those that have ended meanwhile are drained in vain.
    private func drainSome() {
        let remaining = max(0, spreadEnd - registry.now)
        let steps = max(1, min(waiting.count, Int(remaining / Self.step) + 1))
        let share = (waiting.count + steps - 1) / steps
        let next = waiting.suffix(share)
        waiting.removeLast(share)
        if waiting.isEmpty { swap(&waiting, &late) }
        let pause = max(Self.step, remaining / Int64(steps))
        if !waiting.isEmpty { stepTimer = registry.arm(key, at: registry.now + pause) }
        for session in next { session.drain() }
    }

    func expired(_ timer: TimerKey, payload: UInt32) {
        if timer == stepTimer {
            stepTimer = .none
            if !tells { gather() }
            return drainSome()
        }
        tells = true
        waiting = []
        late = []
        server.stopListening()
        server.forEachSession { $0.abort() }
    }

    /// A session has begun since.
    func joined(_ session: Session) {
        guard tells else { return }
        if stepTimer != .none { return late.append(session) }
        waiting.append(session)
        stepTimer = registry.arm(key, at: registry.now + Self.step)
    }

    func ended(_ session: Session, _ reason: CloseReason) {
        report.add(session, reason)
        endIfDone()
    }

    /// The server gets no further sessions.
    func listenerEnded() {
        tellSoon()
        endIfDone()
    }

    /// The report is complete when the server has no session left and gets none.
    private func endIfDone() {
        guard server.sessionCount == 0, !server.accepting.isListening, !isOver else { return }
        isOver = true
        server.remove(self)
        registry.releaseLater(self)
    }

    /// Its sessions end, and it with the last of them.
    func reactorStops() {}

    func release() {
        registry.wheel.cancel(stepTimer)
        registry.wheel.cancel(deadlineTimer)
        server.endpoints.report(.drained(server.address, report))
        completion(report)
    }
}
