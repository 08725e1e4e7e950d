// What the oracle sees of a session whenever a turn ends, and what that session owes by when.
import TronTestKit

@testable import Tron

extension SessionRecord {
    /// Looks at the session as the loop goes to wait, for so long at most.
    func observe(_ file: OpenFile, sleepingFor nanoseconds: Int64) {
        let now = run.turnStart
        if bytesMoved != end.receivedTotal + end.sentTotal { world.hasMovedBytes = true }
        bytesMoved = end.receivedTotal + end.sentTotal
        times.received = end.lastReceived
        times.sent = end.lastSent
        if sleptUnread { times.lastNotReading = now }
        if sleptWaiting { times.waited = now }
        let isAsked = isAskedForInput(file)
        let wasUnread = times.notReadingSince != nil
        times.notReadingSince = isAsked ? nil : times.notReadingSince ?? now
        // It may read and be at the end of its rate again before the kernel is asked for anything.
        if session.counters.ratePauses != ratePauses {
            ratePauses = session.counters.ratePauses
            pacedSince = now
            stir()
            run.met(.pacedByRate)
        }
        // Its reading began anew, also when the loop has not slept meanwhile.
        if wasUnread && isAsked { stir() }
        // While it is still asked for, the kernel is about to tell it.
        let isAskedForEnd = file.isWatched && file.interest & Ready.peerFinished != 0
        if isAsked || isAskedForEnd { times.endTold = nil }
        observeEnd(isAsked: isAsked || isAskedForEnd, wasUnread: wasUnread)
        if wasUnread && !isAsked && !isAskedForEnd && end.finReceived {
            times.endTold = times.endTold ?? now
        }
        sleptUnread = nanoseconds != 0 && !isAsked
        if session.queuedBytes > 0 {
            sleptWaiting = true
            wasBlocked = nanoseconds != 0 || wasBlocked
            times.waited = now
        } else {
            if wasBlocked { run.met(.blockedAndWentOn) }
            wasBlocked = false
            sleptWaiting = false
        }
        sleptOutstanding = !end.outbox.isEmpty || session.queuedBytes > 0
        let sent = turnOfSending == world.kernel.turns ? sentInTurn : 0
        if end.outbox.count > sent || session.queuedBytes > 0 { times.outstanding = now }
        observeStuck()
        if session.isClosing && times.closingSeen == nil {
            times.closingSeen = now
            times.closingKnown = run.clock
            receivedBeforeClosing = end.receivedTotal
        }
        if times.closingSeen != nil {
            run.expect(
                end.receivedTotal - receivedBeforeClosing
                    <= options.limits.maximumDiscardedBytes + world.limits.maximumBytesReadPerTurn,
                "session \(id) discards more than it may")
        }
        if end.finReceived && times.endArrived == nil { times.endArrived = now }
        if askedFirst != .min && end.lastReceived > askedFirst {
            run.met(.aliveByAnswer)
            askedFirst = .min
        }
        observeQuestion()
        observeIncomplete()
    }

    /// What was read of its peer's end counts once all before that was taken: until then it is
    /// asked for again, or told while reading is paused.
    private func observeEnd(isAsked: Bool, wasUnread: Bool) {
        if end.endWasRead { times.endSeen = times.endSeen ?? run.turnStart }
        if session.inbound.reading == .finished { times.endTaken = times.endTaken ?? run.turnStart }
        if isAsked {
            times.endRead = nil
        } else if end.endWasRead && !wasUnread && times.endRead == nil {
            times.endRead = run.turnStart
        }
    }

    /// Whether what the kernel has taken arrives. A closed window is probed, and so is no death.
    private func observeStuck() {
        let isHeard = end.other.map { $0.inboxRoom > 0 } ?? false || end.blockedUntil > run.clock
        if end.outbox.isEmpty || end.acknowledged != acknowledged || !isHeard {
            times.stuckSince = nil
        } else {
            times.stuckSince = times.stuckSince ?? run.turnStart
        }
        // Looks that come late put off those that follow.
        if run.timeLost != timeLost {
            timeLost = run.timeLost
            times.stuckSince = nil
            times.outstanding = run.turnStart
        }
        acknowledged = end.acknowledged
    }

    private func isAskedForInput(_ file: OpenFile) -> Bool {
        file.isWatched && file.interest & Ready.readable != 0
    }

    /// Since when bytes are there that make no packet. A turn reads once, so that the first of them
    /// came with the last bytes when it began.
    func observeIncomplete() {
        let start = end.receivedTotal - incompleteBytes
        if start == end.receivedTotal {
            times.incompleteSince = nil
        } else if times.incompleteSince == nil || start != incompleteStart {
            times.incompleteSince = end.lastReceived
        }
        incompleteStart = start
    }

    /// Its user, or too much output, may have stopped its reading or had it go on.
    func stir() { times.stirred = run.turnStart }

    /// Bytes left: so many in this turn, with those that wait, that reading may have stopped.
    func noteSent(_ count: Int) {
        if turnOfSending != world.kernel.turns { sentInTurn = 0 }
        turnOfSending = world.kernel.turns
        sentInTurn += count
        if sentInTurn + session.queuedBytes > options.limits.outputHighWatermark { stir() }
        if end.endWasRead && options.allowsHalfClose { run.met(.halfClosedAndSent) }
    }

    var facts: SessionFacts {
        var facts = SessionFacts(times: times)
        facts.isClosing = session.isClosing
        facts.isReading = times.notReadingSince == nil
        facts.mayAsk = session.isOpen && (receiver == .packets || receiver == .task)
        facts.mayOutliveItsPeer = options.allowsHalfClose || answerable > 0 || isTaskBusy
        return facts
    }

    /// Before a sleep: whether it may last so long.
    func checkDuties(sleepingFor nanoseconds: Int64) {
        SessionRule.duties(facts, options) { deadline, what in
            // A tick for each of the timers that may stand behind it.
            let latest = deadline + 3 * Obligations.tick
            if run.turnStart >= latest {
                run.fail("\(what) session \(id) is overdue by \(run.turnStart - deadline) ns")
            } else if nanoseconds < 0 || nanoseconds > max(0, latest - run.clock) {
                run.fail(
                    "the loop sleeps for \(nanoseconds) ns over \(what) session \(id), which is "
                        + "due in \(deadline - run.clock) ns")
            }
        }
    }
}

// MARK: - Questions

extension SessionRecord {
    /// It asks for a sign of life: not before nothing was heard for the interval.
    func asked() {
        let interval = options.heartbeat?.interval.clampedNanoseconds ?? 0
        run.met(.questionAsked)
        if askedFirst < end.lastReceived {
            // One that waited was asked earlier, nobody knows when.
            askedFirst = sleptWaiting ? end.lastReceived : run.turnStart
            questionEnd = UInt64(end.sentTotal)
            questionArrived = nil
        }
        guard !sleptWaiting else { return }
        run.expect(
            run.turnStart - max(end.lastReceived, times.asked) >= interval,
            "session \(id) asks for a sign of life too early")
        times.asked = run.turnStart
    }

    /// When the first question that nothing received has followed is with the peer's kernel.
    private func observeQuestion() {
        guard askedFirst >= end.lastReceived, questionArrived == nil,
            end.acknowledged >= questionEnd
        else { return }
        questionArrived = end.lastAcknowledged
        if end.lastAcknowledged - askedFirst > 100_000_000 { run.met(.questionDelayed) }
    }

    /// What contradicts that its peer is dead; nil when it fits.
    var complaintAboutDeath: String? {
        guard let span = options.deadAfter?.clampedNanoseconds else { return "nobody asked" }
        if run.turnStart - end.lastReceived < span { return "its peer gave a sign" }
        if UInt64(end.sentTotal) > end.acknowledged { return complaintAboutStandstill(span) }
        guard let interval = options.heartbeat?.interval.clampedNanoseconds else {
            return "its peer's kernel answers, and it was asked nothing"
        }
        if askedFirst < end.lastReceived { return "its peer was not asked" }
        // It may have left some turns after it was asked.
        if run.turnStart - askedFirst < span - interval - Obligations.tick {
            return "its peer had no time to answer"
        }
        observeQuestion()
        guard let questionArrived else { return "its question has not arrived" }
        if run.turnStart - questionArrived < span - interval - Obligations.tick {
            return "its question had just arrived"
        }
        return sleptUnread ? "it did not read" : nil
    }

    /// Something is on its way: its kernel has to have acknowledged nothing for as long, though it
    /// could.
    private func complaintAboutStandstill(_ span: Int64) -> String? {
        if run.turnStart - end.lastAcknowledged < span { return "its peer's kernel acknowledges" }
        let isClosed = end.other?.inboxRoom == 0 && end.blockedUntil <= run.turnStart
        return isClosed ? "its peer's window is closed, and its kernel answers" : nil
    }
}
