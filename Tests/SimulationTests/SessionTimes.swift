// When what happened to a session, and by when what has to follow: rules apart from any session.
import TronTestKit

@testable import Tron

/// What was seen of one session from outside, by its kernel and its user, in nanoseconds.
///
/// A turn's time is its clock reading, which is what the library reckons with.
struct SessionTimes {
    /// When bytes last came, and last left.
    var received: Int64
    var sent: Int64
    /// When its user, or too much output, last stopped its reading or had it go on.
    var stirred: Int64
    /// When a handler last took something.
    var consumed: Int64
    /// Reading was off when the loop last slept before this turn.
    var lastNotReading: Int64
    /// Since when the kernel has not been asked for input; nil while it is.
    var notReadingSince: Int64?
    /// When the first byte came of the packet that is not whole, or of what a handler leaves.
    var incompleteSince: Int64?
    /// When the last question left, and when output was last seen to wait or to be on its way.
    var asked: Int64
    var waited: Int64
    var outstanding: Int64
    /// Since when the same bytes are on their way, and the peer's kernel would take them if it
    /// heard of them; nil while none are.
    var stuckSince: Int64?
    /// When the peer's end of stream came, and was read.
    var endArrived: Int64?
    var endRead: Int64?
    /// When it was read first, also if not all before it had been taken.
    var endSeen: Int64?
    /// When all before it had been taken. The kernel may be asked for input still, until the flush.
    var endTaken: Int64?
    /// When the kernel told of it while reading was off.
    var endTold: Int64?
    /// The turn at whose end it was first seen to close: when that began, and when it ended.
    var closingSeen: Int64?
    var closingKnown: Int64?

    init(beginningAt time: Int64) {
        received = time
        sent = time
        stirred = time
        consumed = time
        lastNotReading = .min / 2
        asked = time
        waited = time
        outstanding = time
    }

    /// What may have begun its time to be read from anew.
    var readingSince: Int64 { max(stirred, lastNotReading) }
}

/// What a session is at the moment when the loop goes to sleep.
struct SessionFacts {
    var times: SessionTimes
    var isClosing = false
    /// The kernel is asked for input, for a handler.
    var isReading = true
    /// Packets are taken and understood, so that it may ask for a sign of life.
    var mayAsk = true
    /// Its peer's end of stream does not end it at once.
    var mayOutliveItsPeer = false
}

/// By when a session has to have done or become something, as the documentation says it.
enum SessionRule {
    /// Calls `isDue` with each time, to which the loop's own tick comes, and what is due then.
    static func duties(
        _ facts: SessionFacts, _ options: SessionOptions,
        _ isDue: (Int64, StaticString) -> Void
    ) {
        let times = facts.times
        if let closing = times.closingKnown {
            return isDue(
                closing + options.limits.closeTimeout.clampedNanoseconds, "the end of closing of")
        }
        reading(facts, options, isDue)
        if let span = options.idle.write?.clampedNanoseconds {
            isDue(times.sent + span, "the idle end (write) of")
        }
        if let span = options.idle.either?.clampedNanoseconds {
            isDue(max(times.received, times.sent, times.stirred) + span, "the idle end (either) of")
        }
        questions(facts, options, isDue)
        silence(facts, options, isDue)
        peersEnd(facts, options, isDue)
    }

    private static func reading(
        _ facts: SessionFacts, _ options: SessionOptions, _ isDue: (Int64, StaticString) -> Void
    ) {
        let times = facts.times
        guard facts.isReading, times.endRead == nil else { return }
        if let span = options.idle.read?.clampedNanoseconds {
            isDue(max(times.received, times.readingSince) + span, "the idle end (read) of")
        }
        if let span = options.limits.packetTimeout?.clampedNanoseconds,
            let since = times.incompleteSince
        {
            isDue(max(since, times.consumed, times.readingSince) + span, "the packet's end of")
        }
    }

    /// A peer that vanished is found at the second look at the latest.
    private static func silence(
        _ facts: SessionFacts, _ options: SessionOptions, _ isDue: (Int64, StaticString) -> Void
    ) {
        guard let deadAfter = options.deadAfter?.clampedNanoseconds,
            let stuck = facts.times.stuckSince
        else { return }
        isDue(max(stuck, facts.times.received, facts.times.stirred) + 2 * deadAfter, "the death of")
    }

    /// Behind output that the kernel does not take, none is asked.
    private static func questions(
        _ facts: SessionFacts, _ options: SessionOptions, _ isDue: (Int64, StaticString) -> Void
    ) {
        guard let heartbeat = options.heartbeat, facts.mayAsk else { return }
        let times = facts.times
        let interval = heartbeat.interval.clampedNanoseconds
        let heard = max(times.received, times.stirred)
        isDue(max(heard, times.asked, times.waited) + interval, "a question of")
        // A question that is on its way at each look puts the judgement off; of those that are not,
        // one of three looks finds an answer missing.
        guard let deadAfter = options.deadAfter?.clampedNanoseconds, facts.isReading else { return }
        isDue(max(heard, times.readingSince, times.outstanding) + 3 * deadAfter, "the death of")
    }

    private static func peersEnd(
        _ facts: SessionFacts, _ options: SessionOptions, _ isDue: (Int64, StaticString) -> Void
    ) {
        let times = facts.times
        let span = options.limits.halfCloseTimeout.clampedNanoseconds
        if let read = times.endRead, facts.mayOutliveItsPeer {
            isDue(max(read, times.stirred) + span, "the half-closed end of")
        } else if let told = times.endTold {
            isDue(max(told, times.stirred) + span, "the half-closed end, unread, of")
        }
    }
}
