// Whether the peer lives: questions, their answers, and what the kernel knows.

/// What a session that looks for signs of life remembers.
struct Liveness {
    /// When a question was last due.
    var lastQuestion: Int64 = 0
    /// When the first question was asked that has not been followed by anything received; once it
    /// is known to have arrived, when it had at the latest.
    var askedSince: Int64 = 0
    var hasArrived = false
    /// How many bytes the session will have sent when that question has left.
    var questionEnd = 0
    /// When the peer was last found to be alive without having been heard.
    var lastFoundAlive: Int64 = 0
    /// Bytes that had been acknowledged at the last look, if some were outstanding then.
    var acknowledgedAtLook: UInt64?
}

extension Session {
    private static let question: UInt8 = 0
    private static let answer: UInt8 = 1

    /// Whether the packet is a heartbeat, which no handler sees.
    func takesHeartbeat(_ packet: borrowing Packet) -> Bool {
        guard Int(packet.category) == settings.heartbeatCategory, packet.sequence == -1,
            let heartbeat = settings.options.heartbeat
        else { return false }
        inbound.uncountHeartbeat()
        let byte = unsafe packet.data.withUnsafeBytes { unsafe $0.count == 1 ? $0[0] : nil }
        if heartbeat.answers && byte == Self.question { _ = sendHeartbeat(Self.answer) }
        return true
    }

    /// Asks the peer, which was not heard for the heartbeat's interval. Behind output that the
    /// kernel does not take a question would not reach it, so that none is asked then; nor is one
    /// that does not fit beside what was queued in this turn. The next is due an interval later.
    func ask() {
        let now = registry.now
        rare.liveness.lastQuestion = now
        // Before the next one is on its way, too.
        if awaitsArrival { followQuestion(registry.sockets.sendProgress(of: descriptor)) }
        guard !outbound.holdsBack, sendHeartbeat(Self.question) else { return }
        guard !isAsked else { return }
        rare.liveness.askedSince = now
        rare.liveness.hasArrived = false
        rare.liveness.questionEnd = outbound.bytesSent + outbound.count
    }

    /// Whether a question was asked that nothing received has followed.
    private var isAsked: Bool { rare.liveness.askedSince > inbound.lastReceive }

    /// Whether it matters when that question arrives, and this is not known.
    private var awaitsArrival: Bool {
        settings.silence != SessionSettings.never && isAsked && !rare.liveness.hasArrived
    }

    /// The peer's time to answer begins when the question has arrived, which may be long after it
    /// was asked: at the latest when the peer's kernel last acknowledged anything, if all of it.
    /// Other output may have been acknowledged since: an answer is missed so much later.
    private func followQuestion(_ progress: SendProgress?) {
        if outbound.bytesSent < rare.liveness.questionEnd || progress?.isOutstanding == true {
            rare.liveness.askedSince = registry.now
            return
        }
        rare.liveness.hasArrived = true
        guard let progress else { return }
        // The kernel's answer is younger than the turn, which may have lasted.
        let arrived = registry.kernel.now() - progress.sinceAcknowledgement
        rare.liveness.askedSince = max(rare.liveness.askedSince, arrived)
    }

    /// Nothing was heard for as long as `deadAfter` allows. The peer is dead if it was asked and
    /// could have answered, or if the kernel's own signs fail.
    ///
    /// A peer that vanished with output outstanding ends at the second look at the latest, after
    /// twice `deadAfter`; if its window had been closed before, when it leaves two of the kernel's
    /// probes unanswered, which follow one another at up to two minutes (RFC 9293, 3.8.6.1).
    func look() {
        let progress = registry.sockets.sendProgress(of: descriptor)
        if isOutstanding(progress) {
            if hasStopped(progress) { return end(.dead) }
            rare.liveness.acknowledgedAtLook = progress?.acknowledged
            rare.liveness.lastFoundAlive = registry.now
            // The question may be among it.
            if isAsked { rare.liveness.askedSince = registry.now }
        } else {
            rare.liveness.acknowledgedAtLook = nil
            if awaitsArrival { followQuestion(progress) }
            judgeSilence()
        }
    }

    /// Whether something of what was sent has not reached the peer's kernel. A Unix peer has what
    /// the kernel took.
    private func isOutstanding(_ progress: SendProgress?) -> Bool {
        outbound.holdsBack || progress?.isOutstanding == true
    }

    /// Whether the peer's kernel acknowledged nothing since the last look, when something was
    /// outstanding already. One with a closed window that answers the kernel's probes is alive.
    private func hasStopped(_ progress: SendProgress?) -> Bool {
        guard let progress, let before = rare.liveness.acknowledgedAtLook else { return false }
        if progress.acknowledged != before { return false }
        if progress.sinceAcknowledgement < settings.silence { return false }
        return progress.isInFlight || progress.unansweredProbes > 1
    }

    /// All that was sent has arrived. If a question is among it, and there was time to answer, the
    /// peer's program is dead though its kernel lives.
    private func judgeSilence() {
        let timeToAnswer = settings.silence - settings.heartbeatInterval
        guard inbound.isReading, isAsked else {
            rare.liveness.lastFoundAlive = registry.now
            return
        }
        let askedSince = rare.liveness.askedSince
        if registry.now - askedSince >= timeToAnswer { return end(.dead) }
        rare.liveness.lastFoundAlive = askedSince + timeToAnswer - settings.silence
    }
}

// MARK: - Deadlines

extension Session {
    /// Makes sure that the timer rings no later than the next deadline.
    func rearm() {
        deadlines.arm(key, at: DeadlineRule.next(deadlineFacts, settings).time, registry)
    }

    /// Does what is due, each thing once, and sets the timer for what is next.
    func expired(_ timer: TimerKey, payload: UInt32) {
        deadlines.rang()
        while !hasEnded {
            let (time, due) = DeadlineRule.next(deadlineFacts, settings)
            guard time <= registry.now else { return deadlines.arm(key, at: time, registry) }
            switch due {
            case .end(let reason): end(reason)
            case .question: ask()
            case .look: look()
            case .resumption: resumePaced()
            }
        }
    }

    private var deadlineFacts: DeadlineFacts {
        var facts = DeadlineFacts(lastReceive: inbound.lastReceive, lastSend: outbound.lastSend)
        facts.isReading = inbound.isReading
        facts.isOpen = !isClosing
        facts.canAsk = outbound.writing == .open && rareState?.streamHandler == nil
        facts.keptSince = inbound.keptSince
        if let rareState {
            facts.lastQuestion = rareState.liveness.lastQuestion
            facts.lastFoundAlive = rareState.liveness.lastFoundAlive
            facts.limit = rareState.limit
            facts.resumesAt = unsafe rareState.pace?.resumesAt
        }
        return facts
    }
}
