// Whether a session may end with the reason that it reports: what was done to it must fit.
import Glibc
import TronTestKit

@testable import Tron

extension SessionRecord {
    /// What contradicts the reason; nil when it fits.
    func complaint(about reason: CloseReason) -> String? {
        if !outgoing.isEmpty && end.phase == .connected {
            return "its peer sees an end of stream, and \(outgoing.count) packets were not sent"
        }
        switch reason {
        case .requested:
            if world.saysFarewell && server == nil { return unsent }
            if closeBegun == nil { return "nobody closed it" }
            if !closeCalled && isAtTasksPacket && !isTaskCancelled {
                return "a drain closed it while its task was at a packet"
            }
            if !closeCalled && !endedWriting && !owed.isEmpty {
                return "a drain closed it while it owed \(owed.count) replies"
            }
            return unsent
        case .aborted: return mayBeAborted ? nil : "nobody aborted it"
        case .peerClosed:
            // A session that waits for replies alone does not read.
            if !end.endWasRead && !(isDrained && end.finReceived) {
                return "its peer's end of stream was not read"
            }
            if receiver == .packets && !isVersatile && closeBegun == nil && !isDrained
                && times.closingSeen == nil && incompleteBytes > 0
            {
                return "its peer's stream ended after \(incompleteBytes) bytes of a packet"
            }
            // Who has hung up takes no reply any more.
            if !closeCalled && !endedWriting && !owed.isEmpty && !end.isHungUp {
                return "its peer's end closed it while it owed \(owed.count) replies"
            }
            return unsent
        case .idle(let kind): return complaint(aboutIdleness: kind)
        case .dead: return complaintAboutDeath
        case .unanswered:
            return clientHadTimeout ? nil : "none of its requests timed out"
        case .protocolFault(let fault):
            return complaint(about: fault) ?? unsent
        case .overflow(let bytes):
            if options.overflow != .close { return "its overflow policy is to refuse" }
            if bytes <= mostQueued { return "it may have \(mostQueued)" }
            // Requests are queued by the library itself. Heartbeats never end a session.
            return overflowed || client != nil ? nil : "its output never exceeded"
        case .deadlineExceeded(let deadline): return complaint(about: deadline)
        case .reactorStopped: return world.isStopping ? nil : "the reactor was not stopped"
        case .system(let error):
            return end.refusals.contains(error) ? nil : "the kernel did not refuse that"
        }
    }

    /// Reasons that promise that everything was sent.
    private var unsent: String? {
        outgoing.isEmpty ? nil : "\(outgoing.count) packets that it took were not sent"
    }

    private var mayBeAborted: Bool {
        abortCalled || server?.mayAbort == true || client?.isClosed == true
    }

    /// Requests that time out make a client leave its connection.
    private var clientHadTimeout: Bool {
        guard let client else { return false }
        return world.requests.values.contains {
            $0.client === client && $0.deadline > 0 && $0.deadline <= run.clock
        }
    }

    /// How long before this turn something was, in nanoseconds.
    private func elapsed(since time: Int64) -> Int64 { run.turnStart - time }

    private func isOver(_ span: Duration?, since time: Int64) -> Bool {
        guard let span else { return false }
        return elapsed(since: time) >= span.clampedNanoseconds
    }

    private func complaint(aboutIdleness kind: IdleKind) -> String? {
        let isJustified =
            switch kind {
            case .read: isOver(options.idle.read, since: max(end.lastReceived, lastUnread))
            case .write: isOver(options.idle.write, since: end.lastSent)
            case .either: isOver(options.idle.either, since: max(end.lastReceived, end.lastSent))
            }
        return isJustified ? nil : "bytes moved less than that ago"
    }

    /// When it last did not read, so that neither its idle time nor its packet's went on.
    private var lastUnread: Int64 { sleptUnread ? run.turnStart : times.lastNotReading }

    private func complaint(about fault: ProtocolFault) -> String? {
        switch fault {
        case .truncatedPacket(let bytes):
            if !end.endWasRead { return "the stream has not ended" }
            return bytes == incompleteBytes ? nil : "\(incompleteBytes) bytes were left over"
        case .badTrailer(let trailer):
            return end.other?.log.fault?.kind == .badTrailer(trailer) ? nil : "none was sent"
        case .dataTooLong(let length):
            return announced == length ? nil : "\(announced ?? -1) were announced"
        case .tooManyUnconsumedBytes(let bytes):
            if receiver != .bytes { return "its handler takes no bytes" }
            let isTooMuch = bytes > options.limits.maximumDataLength && bytes <= mostKept
            return isTooMuch ? nil : "\(bytes) bytes may be left, or are more than it may keep"
        case .consumedTooMuch, .framingMadeNoProgress:
            return misled == fault ? nil : "that is not what its handler said"
        case .frameTooLong(let maximum):
            if maximum != longestContent { return "it may have \(longestContent) bytes" }
            return hasTooLongLine ? nil : "its line was no longer"
        case .malformedFrame: return "its framing says nothing like that"
        }
    }

    private func complaint(about deadline: CloseReason.Deadline) -> String? {
        let limits = options.limits
        switch deadline {
        case .packet:
            observeIncomplete()
            // Its time may have been over as another handler took over, which has had no turn yet.
            let former = switched?.turn == world.kernel.turns ? switched?.incompleteSince : nil
            guard let since = times.incompleteSince ?? former else {
                return "no packet was incomplete"
            }
            let isDue = isOver(limits.packetTimeout, since: max(since, lastUnread))
            return isDue ? nil : "its packet began less than that ago"
        case .close:
            let isDue = isOver(limits.closeTimeout, since: begun ?? run.turnStart)
            if !isDue { return "it was closed later than \(limits.closeTimeout) ago" }
            let mayHaveMore = client != nil || options.heartbeat != nil
            return outgoing.isEmpty && !mayHaveMore ? "its output had left" : nil
        case .halfClose:
            let isTaken = times.endRead != nil || times.endTaken != nil
            let begun = isTaken ? times.endSeen : unreadEnd
            let isDue = isOver(limits.halfCloseTimeout, since: begun ?? run.turnStart)
            return isDue ? nil : "its peer's stream ended later than that ago"
        }
    }

    /// When its close began: seen at that turn's end, unless the turn is this one.
    private var begun: Int64? { times.closingSeen ?? closeBegun }

    /// Since when its peer's end of stream lies there while it does not read.
    private var unreadEnd: Int64? {
        guard let arrived = times.endArrived, let since = times.notReadingSince else { return nil }
        return max(arrived, since)
    }

    /// The most bytes that may wait, but for owed replies.
    var mostQueued: Int {
        max(options.limits.maximumQueuedBytes, options.limits.maximumDataLength + 11)
    }

    /// The same with the room that owed replies have of their own.
    var mostWaiting: Int {
        let limits = options.limits
        let reply = min(limits.reservedReplyLength, limits.maximumDataLength) + 11
        return mostQueued + limits.maximumOwedReplies * reply
    }

    /// What a reason counts as, said once more.
    static func cause(of reason: CloseReason) -> CloseCause {
        switch reason {
        case .requested: .requested
        case .aborted: .aborted
        case .peerClosed: .peerClosed
        case .idle: .idle
        case .dead: .dead
        case .unanswered: .unanswered
        case .protocolFault: .protocolFault
        case .overflow: .overflow
        case .deadlineExceeded: .deadlineExceeded
        case .reactorStopped: .reactorStopped
        case .system(let error):
            switch error.code {
            case ECONNRESET, EPIPE: .reset
            case ETIMEDOUT: .silent
            default: .system
            }
        }
    }

    func count(_ reason: CloseReason) {
        switch reason {
        case .idle: run.met(.endedIdle)
        case .dead: run.met(.endedDead)
        case .overflow: run.met(.overflowed)
        case .deadlineExceeded(.packet): run.met(.packetTimedOut)
        case .deadlineExceeded(.close): run.met(.closeTimedOut)
        case .deadlineExceeded(.halfClose): run.met(.endedHalfClosed)
        default: break
        }
    }
}
