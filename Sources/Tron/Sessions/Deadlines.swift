// Which of a session's deadlines is next, and the one wheel timer that serves them all.

/// What is due when a deadline of a session has come.
enum Due: Equatable {
    /// The session ends with this reason.
    case end(CloseReason)
    /// The peer is asked for a sign of life.
    case question
    /// Nothing was heard for as long as `deadAfter` allows: the kernel is asked what it knows.
    case look
    /// There are packets again that may be read (`SessionLimits.maximumPacketRate`).
    case resumption
}

/// What the deadlines of a session depend on: times of its parts, in nanoseconds.
struct DeadlineFacts {
    /// Whether packets are read and delivered.
    var isReading = false
    /// Whether neither `close()` nor anything else has begun to end the session.
    var isOpen = true
    /// Whether packets are taken and understood, so that a question can be.
    var canAsk = true
    var lastReceive: Int64
    var lastSend: Int64
    /// When the incomplete packet began; 0 when there is none.
    var keptSince: Int64 = 0
    /// When the peer was last asked for a sign of life, and when it was last found to be alive
    /// without having been heard.
    var lastQuestion: Int64 = 0
    var lastFoundAlive: Int64 = 0
    /// When closing, or half-closed life, is over.
    var limit: SessionDeadline?
    /// When reading goes on that was paused for the rate of packets.
    var resumesAt: Int64?
}

/// A time limit on one step of a session.
struct SessionDeadline: Equatable {
    var time: Int64
    var step: CloseReason.Deadline
}

/// The rule, apart from any session and any timer.
///
///     | what             | runs from                    | for                  | while     |
///     |------------------|------------------------------|----------------------|-----------|
///     | close, halfClose | the limit itself             |                      | it is set |
///     | resumption       | the time itself              |                      | open      |
///     | packet           | its first byte               | `packetTimeout`      | reading   |
///     | idle read        | the last byte received       | `idle.read`          | reading   |
///     | look             | the last sign of life        | `deadAfter`          | open      |
///     | idle write       | the last byte sent           | `idle.write`         | open      |
///     | idle either      | the last byte received, sent | `idle.either`        | open      |
///     | question         | the last byte received, or   | `heartbeat.interval` | open, can |
///     |                  | the last question            |                      | ask       |
enum DeadlineRule {
    /// The next deadline, and what is due then; of equal ones the first of the table.
    static func next(
        _ facts: DeadlineFacts, _ settings: SessionSettings
    ) -> (time: Int64, due: Due) {
        var next = (time: Int64.max, due: Due.look)
        func consider(_ start: Int64, _ span: Int64, _ due: @autoclosure () -> Due) {
            guard span != SessionSettings.never, start &+ span < next.time else { return }
            next = (start &+ span, due())
        }
        if let limit = facts.limit { consider(limit.time, 0, .end(.deadlineExceeded(limit.step))) }
        guard facts.isOpen else { return next }
        if let time = facts.resumesAt { consider(time, 0, .resumption) }
        if facts.isReading {
            if facts.keptSince != 0 {
                consider(
                    facts.keptSince, settings.packetTimeout, .end(.deadlineExceeded(.packet)))
            }
            consider(facts.lastReceive, settings.idleRead, .end(.idle(.read)))
        }
        consider(max(facts.lastReceive, facts.lastFoundAlive), settings.silence, .look)
        consider(facts.lastSend, settings.idleWrite, .end(.idle(.write)))
        consider(max(facts.lastReceive, facts.lastSend), settings.idleEither, .end(.idle(.either)))
        if facts.canAsk {
            let asked = max(facts.lastReceive, facts.lastQuestion)
            consider(asked, settings.heartbeatInterval, .question)
        }
        return next
    }
}

/// The timer of a session. It rings no later than the next deadline, perhaps earlier: moving bytes
/// only notes the time, and the timer is set anew when it rings.
struct Deadlines: Equatable {
    private var timer = TimerKey.none

    /// Makes sure that the timer of `key` rings at `deadline`, or before.
    mutating func arm(_ key: SlabKey, at deadline: Int64, _ registry: Registry) {
        guard deadline != .max else { return }
        if registry.rings(timer, by: deadline) { return }
        registry.wheel.cancel(timer)
        timer = registry.arm(key, at: deadline)
    }

    /// The timer has rung.
    mutating func rang() { timer = .none }

    mutating func cancel(_ registry: Registry) {
        registry.wheel.cancel(timer)
        timer = .none
    }
}
