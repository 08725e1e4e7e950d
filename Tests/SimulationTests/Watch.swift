// What must hold whenever the loop goes to wait, and at the end of a run.
import Glibc
import TronTestKit

@testable import Tron

extension World {
    /// Before each wait, which is to last so many nanoseconds at most (negative: for ever).
    func watch(_ nanoseconds: Int64) {
        turnsWithoutBytes = hasMovedBytes ? turnsWithoutBytes : turnsWithoutBytes + 1
        hasMovedBytes = false
        // Where much moves, signals interrupt many waits, and the kernel takes nothing as often.
        let interruptions = run.faults.counts[Fault.interruption.rawValue]
        if turnsWithoutBytes > Self.mostTurns + kernel.turns / 2 + interruptions {
            run.fail("nothing moved in \(turnsWithoutBytes) of \(kernel.turns) turns: no end")
        }
        // Much through narrow buffers: it moves, and may take longer than a run is to.
        if kernel.calls > Self.mostCalls && !isStopping { stop() }
        run.turnEnded()
        if run.failure != nil {
            stop()
            kernel.hurries = true
        }
        obligations.check(run, sleepingFor: nanoseconds)
        kernel.checkSignals()
        for record in records where !record.isClosed { watch(record, nanoseconds) }
        if nanoseconds != 0 {
            run.expect(soonCalls.isEmpty, "the loop sleeps over \(soonCalls.count) calls")
            watchListeners()
            for client in clients { watch(client, nanoseconds) }
        }
        if habits.has(.proxies) { watchArrivals(nanoseconds) }
        service?.watch(run)
        watchProgress(nanoseconds)
        if kernel.turns % 8 == 0 { watchMemory(nanoseconds) }
    }

    private func watch(_ record: SessionRecord, _ nanoseconds: Int64) {
        guard let file = kernel.table[record.session.descriptor], file.end === record.end
        else {
            return run.fail("session \(record.id) has lost its descriptor without a close")
        }
        record.observe(file, sleepingFor: nanoseconds)
        guard nanoseconds != 0 else { return }
        record.checkDuties(sleepingFor: nanoseconds)
        watchSleeper(record, file)
    }

    /// A session that sleeps must have nothing left to do.
    private func watchSleeper(_ record: SessionRecord, _ file: OpenFile) {
        let (session, end) = (record.session, record.end)
        let interest = file.isWatched ? file.interest : 0
        run.expect(!record.mustEnd, "session \(record.id) was refused a call, and lives on")
        if session.queuedBytes > 0 && end.isWritable {
            run.expect(
                interest & Ready.writable != 0,
                "session \(record.id) sleeps over \(session.queuedBytes) bytes that could be sent")
        }
        run.expect(
            session.queuedBytes == 0 || !end.isHungUp || file.isWatched,
            "session \(record.id) sleeps over \(session.queuedBytes) bytes that nobody can take")
        run.expect(
            session.owedReplyCount == record.answerable,
            "session \(record.id) owes \(session.owedReplyCount) replies, not \(record.answerable)")
        if record.isOwedWritability && session.isOpen {
            run.expect(
                session.queuedBytes > record.options.limits.outputLowWatermark,
                "session \(record.id) sleeps over an owed “writable”")
        }
        run.expect(
            record.misled == nil || session.isClosing,
            "session \(record.id) lives on though \(record.misled?.description ?? "")")
        run.expect(
            record.times.endTaken == nil || session.isClosing || record.facts.mayOutliveItsPeer,
            "session \(record.id) owes nothing and outlives its peer's end")
        guard !session.isClosing, !session.isReadingPaused else { return }
        let limits = record.options.limits
        if record.isDrained {
            return run.expect(
                record.answerable > 0 || record.isTaskBusy,
                "session \(record.id) was drained, owes nothing and stays")
        }
        if record.answerable >= limits.maximumOwedReplies { return }
        if let rate = limits.maximumPacketRate, interest & Ready.readable == 0 {
            // It reads again once there are tokens.
            let latest = record.pacedSince + RateRule.pause(rate) + 3 * Obligations.tick
            if run.turnStart < latest { return }
        }
        if session.queuedBytes > limits.outboundCapacity { return }
        let mayPause = record.options.pausesReadingAboveHighWatermark
        if mayPause && session.queuedBytes > limits.outputLowWatermark { return }
        run.expect(
            !record.awaitsCall || end.endWasRead,
            "session \(record.id) sleeps, and its new handler was not called")
        run.expect(
            record.isTaskBusy || !record.holdsBack,
            "session \(record.id) sleeps over a packet it has received")
        run.expect(
            !end.endWasRead || record.facts.mayOutliveItsPeer
                || interest & Ready.readable != 0,
            "session \(record.id) outlives its peer's end")
        if !end.inbox.isEmpty || (end.finReceived && !end.endWasRead) {
            run.expect(
                interest & Ready.readable != 0,
                "session \(record.id) sleeps over bytes that could be received")
        }
    }

    /// A server without descriptors may look away for a moment, not for ever.
    private func watchListeners() {
        kernel.table.forEach { file in
            guard let listener = file.listener else { return }
            if file.interest & Ready.readable == 0 {
                rested.insert(listener.address)
                run.expect(
                    listener.closedSessionsWhenDeaf == kernel.closedSessions
                        || isPaced(listener.address),
                    "a listener rests though a session has given a descriptor back")
            }
            let isDeaf = listener.isReady && file.interest & Ready.readable == 0
            guard isDeaf else {
                listener.deafSince = nil
                return
            }
            let since = listener.deafSince ?? run.turnStart
            listener.deafSince = since
            run.expect(
                run.turnStart - since <= 52_000_000,
                "a listener has ignored its backlog for \(run.turnStart - since) ns")
        }
    }

    /// Whether a server there rests for its rate's sake, not for a descriptor's.
    private func isPaced(_ address: SocketAddress) -> Bool {
        servers.contains {
            $0.server.address == address && $0.options.limits.maximumAcceptRate != nil
        }
    }

    /// Turns that neither wait nor do anything are a spin.
    private func watchProgress(_ nanoseconds: Int64) {
        // Of a turn's own there are two calls: the clock, and the wait.
        let isIdle = nanoseconds == 0 && callbacks == callbacksSeen && kernel.calls - callsSeen <= 3
        idleWaits = isIdle ? idleWaits + 1 : 0
        callbacksSeen = callbacks
        callsSeen = kernel.calls
        // A task's job may be all that a turn does, and is not seen here.
        let most = hasTasks ? 1000 : 100
        run.expect(idleWaits < most, "\(most) turns that neither waited nor did anything")
    }
}

// MARK: - The end

extension World {
    /// After `run()` has returned: everything has been told of its end.
    func checkEnd() {
        for record in records where !record.isClosed {
            run.fail("the close of session \(record.id) was never reported")
        }
        for request in requests.values where !request.isEnded {
            run.fail("request \(request.number) never ended")
        }
        for client in clients {
            run.expect(client.state.isFinal, "a client's last state is \(client.state)")
            for _ in 0..<client.client.totals.lateAnswers { run.met(.lateAnswer) }
        }
        for server in servers {
            let refused = server.server.counters
            if refused.refusedByLimit + refused.refusedByAddressLimit > 0 { run.met(.capHit) }
            run.expect(server.server.sessionCount == 0, "a server still counts sessions")
        }
        checkArrivals()
        checkEvents()
        for record in groups {
            run.expect(record.group.count == 0, "a group has members that have ended")
        }
        checkService()
        run.expect(
            kernel.network.files == strangersFiles,
            "of files \(strangersFiles) of others there are \(kernel.network.files)")
        for _ in strangersFiles { run.met(.fileSpared) }
        if let stopTurn {
            run.expect(
                kernel.turns - stopTurn <= 1,
                "the loop made \(kernel.turns - stopTurn) turns after it was told to stop")
        }
        run.expect(soonCalls.isEmpty, "\(soonCalls.count) calls were never made")
        run.expect(submittedWaiting == 0, "\(submittedWaiting) submitted pieces of work never ran")
        run.expect(outstanding.isEmpty, "never completed: \(outstanding)")
        run.expect(
            signalsTold == kernel.signalsTaken,
            "\(kernel.signalsTaken) signals were taken and \(signalsTold) told")
    }

    /// Lets go of the reactor and of all that could hold it: it has to be gone then.
    func forgetAll() {
        for record in records { record.end.record = nil }
        records = []
        servers = []
        for client in clients { client.forgetAll() }
        clients = []
        requests = [:]
        groups = []
        meter = nil
        service = nil
        timers = []
        connectors = []
        replies = []
        obligations.removeAll()
        // A lookup that is under way holds the reactor's face for other threads.
        kernel.network.agenda.removeAll()
        reactor = nil
    }
}
