// How a client gets its connection, loses it, and comes back.

extension Client {
    /// Ends the client: its session is closed, losing nothing that is queued, its requests fail
    /// with `.closed`, and the state `.closed` is reported, once, at the end of the turn. In any
    /// state, and for good. On the loop's thread.
    public func close() {
        registry.requireLoop("Client.close()")
        if case .ended = phase { return }
        let session = session
        leavePhase()
        // Before anybody is told: what a completion asks for now is refused, not kept.
        phase = .ended
        registry.releaseLater(self)
        session?.close()
        failAll(.closed)
    }

    /// The first turn after `Reactor.makeClient(to:)`, so that its caller can install handlers.
    func begin() {
        guard case .idle = phase else { return }
        beginDialing()
    }

    /// Undoes what the current phase holds.
    private func leavePhase() {
        switch phase {
        case .idle, .resolving, .queued, .connected, .gaveUp, .ended: break
        case .waiting(let timer): registry.wheel.cancel(timer)
        case .dialing:
            phase = .idle
            leaveGate()
        }
        phase = .idle
        current = nil
        connector?.abandon()
        connector = nil
    }
}

// MARK: - Dialing

extension Client {
    private func beginDialing() {
        report(.connecting)
        guard case .idle = phase else { return }
        switch target {
        case .invalid(let error): giveUp(.invalidAddress(error))
        case .addresses(let addresses): queueToDial(addresses)
        case .name(let host, let port):
            phase = .resolving
            resolver.resolve(host) { self.resolved($0, port) }
        }
    }

    private func resolved(_ answer: Resolver.Answer, _ port: UInt16) {
        guard case .resolving = phase else { return }
        switch answer {
        case .success(let addresses): queueToDial(addresses.map { $0.withPort(port) })
        case .failure(let error):
            phase = .idle
            wait(after: .unresolved(error))
        }
    }

    private func queueToDial(_ addresses: [SocketAddress]) {
        candidates = addresses.reversed()
        dialFailure = nil
        phase = .queued
        if registry.dialGate.enter(key) { dial() }
    }

    private func dial() {
        phase = .dialing
        dialNext()
    }

    /// Lets the next in the queue dial. Some may have been closed while they waited there.
    private func leaveGate() {
        while let next = registry.dialGate.leave() {
            guard let client = registry.sources[next] as? Client, case .queued = client.phase
            else { continue }
            return client.dial()
        }
    }

    /// Tries the next address, or fails with what befell the last that is worth another attempt.
    private func dialNext() {
        guard let address = candidates.popLast() else {
            let none = ResolutionError(host: "", message: "no address")
            return fail(dialFailure ?? .unresolved(none))
        }
        totals.dials += 1
        let connector = ConnectionAttempt(address, settings, owner: self, registry) {
            self.decided($0)
        }
        self.connector = connector
        connector.begin(timeout: options.connectTimeout)
    }

    private func decided(_ outcome: Result<Session, ConnectError>) {
        connector = nil
        switch outcome {
        case .success(let session): connected(session)
        case .failure(let error):
            let failure = ClientFailure.unreachable(error)
            if failure.isWorthARetry || dialFailure?.isWorthARetry != true { dialFailure = failure }
            dialNext()
        }
    }
}

// MARK: - Connected, lost, waiting

extension Client: SessionOwner {
    private func connected(_ session: Session) {
        phase = .connected
        current = session
        unended = session
        leaveGate()
        totals.connections += 1
        connectedAt = registry.now
        isProven = false
        timeoutsInARow = 0
        session.onEveryPacket { self.takesAnswer($0) }
        setup?(session)
        // What waited goes before what is asked for now.
        sendUnsent()
        guard case .connected = phase else { return }
        report(.connected)
    }

    /// The session is gone, for whatever reason. Requests that it carried fail or wait again.
    func sessionEnded(_ session: Session, _ reason: CloseReason) {
        forget(session)
        session.countAsClosed(in: endedSessions, reason)
        registry.reportClosed(session, reason)
        guard self.session === session else { return }
        if let period = options.stablePeriod,
            registry.now - connectedAt >= period.clampedNanoseconds
        {
            isProven = true
        }
        if isProven { attempt = 0 }
        phase = .idle
        current = nil
        connectionEnded(reason)
        guard case .idle = phase else { return }
        wait(after: .lost(reason))
    }

    private func fail(_ failure: ClientFailure) {
        phase = .idle
        leaveGate()
        wait(after: failure)
    }

    /// Waits as long as the backoff says, or gives up.
    private func wait(after failure: ClientFailure) {
        attempt += 1
        lastFailure = failure
        guard failure.isWorthARetry,
            let delay = backoff.delay(beforeAttempt: attempt, using: &generator)
        else { return giveUp(failure) }
        let deadline = registry.kernel.now() + delay.clampedNanoseconds
        phase = .waiting(registry.arm(key, at: deadline))
        registry.report(
            .reconnecting(
                target: target.description, after: delay, attempt: attempt, failure))
        report(.waiting(delay: delay, attempt: attempt))
    }

    /// It stays until it is closed, to refuse what it is still asked for.
    private func giveUp(_ failure: ClientFailure) {
        phase = .gaveUp
        lastFailure = failure
        registry.report(.gaveUp(target: target.description, failure))
        failAll(.notConnected)
        report(.gaveUp(failure))
    }

    func timeIsUp(_ timer: TimerKey) {
        if case .waiting(let own) = phase, own == timer {
            phase = .idle
            totals.reconnects += 1
            beginDialing()
        } else {
            requestTimedOut(sequences[timer])
        }
    }
}
