// epoll as the simulation has it: who is told of what, in which order, and the time that passes.
import Glibc
import Tron

/// One event of a batch.
package struct Event {
    package var bits: UInt32
    package var token: UInt64
    package var file: OpenFile?
}

extension SimulatedKernel {
    /// Waits until something is ready: runs what the network has planned, and moves the clock.
    package func wait(_ list: UnsafeMutableRawPointer, _ most: Int, _ nanoseconds: Int64) -> Int {
        turns += 1
        callsInTurn = 0
        beforeWait(nanoseconds)
        run.note(.wait, Int(nanoseconds), openCount, "descriptors open")
        table.beginBatch()
        table.forEach { if $0.watcher == ObjectIdentifier(self) { $0.isInBatch = false } }
        if isStepped { return unsafe look(list, most) }
        let deadline = nanoseconds < 0 ? Int64.max : run.clock + nanoseconds
        while true {
            while let action = network.agenda.take(until: run.clock) { action() }
            let events = collect(most)
            if !events.isEmpty { return unsafe tell(events, list) }
            if nanoseconds == 0 || hurries { return woken() }
            if run.strikes(.interruption) {
                run.met(.interruption)
                run.isTurnTimed = false
                return -Int(EINTR)
            }
            let next = network.agenda.nextTime ?? Int64.max
            guard min(next, deadline) < Int64.max else {
                run.fail("the loop sleeps for ever, and nothing is planned any more")
                beforeWait(0)
                return woken()
            }
            let isOver = next > deadline
            run.clock = max(run.clock, min(next, deadline))
            jump()
            if isOver { return woken() }
        }
    }

    /// A wait that returns at once: time passes between the turns.
    private func look(_ list: UnsafeMutableRawPointer, _ most: Int) -> Int {
        let events = collect(most)
        if !events.isEmpty { return unsafe tell(events, list) }
        if run.strikes(.interruption) {
            run.met(.interruption)
            run.isTurnTimed = false
            return -Int(EINTR)
        }
        return woken()
    }

    /// Whether a wait would return at once.
    package var isReady: Bool {
        table.contains { file in
            file.watcher == ObjectIdentifier(self)
                && file.readiness & (file.interest | Ready.error | Ready.hangUp) != 0
        }
    }

    /// Time that nobody saw pass: the machine slept.
    private func jump() {
        guard run.strikes(.clockJump) else { return }
        run.met(.clockJump)
        run.lose(run.chance.time(upToMilliseconds: run.chance.pick(10, 1000, 100_000)))
        run.note(.clockJumps, 0)
    }

    private func woken() -> Int {
        run.isTurnTimed = false
        return 0
    }

    /// What is ready now, in the order of the descriptors or in none; sometimes only a part, as
    /// when more is ready than a wait can return.
    private func collect(_ most: Int) -> [Event] {
        var events: [Event] = []
        table.forEach { file in
            guard file.watcher == ObjectIdentifier(self) else { return }
            // EPOLLERR and EPOLLHUP are told whether asked for or not.
            let bits = file.readiness & (file.interest | Ready.error | Ready.hangUp)
            if bits != 0 { events.append(Event(bits: bits, token: file.token, file: file)) }
        }
        if let token = retiredTokens.last, run.strikes(.staleEvent) {
            retiredTokens.removeLast()
            // As for a descriptor that was closed while a child process still had it open.
            let bits = Ready.readable | Ready.writable
            let ends = Ready.hangUp | Ready.error
            events.append(Event(bits: run.chance.pick(bits, bits | ends), token: token))
            run.met(.staleEvent)
        }
        if run.strikes(.shuffledEvents), run.chance.shuffle(&events) { run.met(.shuffledEvents) }
        let limit = run.chance.hits(50) ? run.chance.between(1, 4) : most
        return Array(events.prefix(limit))
    }

    private func tell(_ events: [Event], _ list: UnsafeMutableRawPointer) -> Int {
        for (index, event) in events.enumerated() {
            unsafe EventList.put(event.bits, event.token, at: index, in: list)
            guard let file = event.file else {
                run.note(.staleEvent, Int(event.bits))
                continue
            }
            run.note(.event, Int(file.number), Int(event.bits), Ready.words(event.bits))
            let isHangUpAlone =
                event.bits & Ready.hangUp != 0 && event.bits & Ready.readable == 0
            if isHangUpAlone && file.end?.phase != .fresh { run.met(.hangUpAlone) }
            file.isInBatch = true
            file.fruitlessEvents += 1
            run.expect(
                file.fruitlessEvents <= fruitlessLimit,
                "descriptor \(file.number) was told \(event.bits) \(file.fruitlessEvents) times, "
                    + "and nothing was done about it")
        }
        run.isTurnTimed = false
        return events.count
    }

    package func control(
        _ operation: Int32, _ file: OpenFile, _ events: UInt32, _ token: UInt64
    ) -> Int {
        let isAddition = operation == Ready.addition
        let isOwn = file.watcher == ObjectIdentifier(self)
        run.expect(
            isOwn || !file.isWatched,
            "descriptor \(file.number) is in the epoll of another loop")
        guard isAddition != file.isWatched else { return isAddition ? -Int(EEXIST) : -Int(ENOENT) }
        if isAddition && run.strikes(.noBuffers) {
            return refused(file, .epoll_ctl, ENOMEM)
        }
        file.isUsed()
        if file.isWatched && (operation == Ready.deletion || file.token != token) {
            retire(file.token)
        }
        file.watcher = operation == Ready.deletion ? nil : ObjectIdentifier(self)
        file.interest = events
        if events & Ready.readable != 0 {
            file.listener?.deafSince = nil
        } else {
            file.listener?.closedSessionsWhenDeaf = closedSessions
        }
        file.token = token
        run.note(
            .control, Int(file.number), Int(operation) << 16 | Int(events),
            file.isWatched ? "interest \(Ready.words(events))" : "taken out")
        return 0
    }

    /// Tokens that mean nothing any more, for events that come too late.
    package func retire(_ token: UInt64) {
        retiredTokens.append(token)
        if retiredTokens.count > 4 { retiredTokens.removeFirst() }
    }
}
