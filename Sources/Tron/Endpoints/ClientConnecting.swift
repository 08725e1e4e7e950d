// How a client gets its connection, loses it, and comes back.

extension Client {
    /// Ends the client: its session is closed, losing nothing that is queued, its requests fail
    /// with `.closed`, and the state `.closed` is reported, once, at the end of the turn; after
    /// `.gaveUp`, which is final, nothing is. In any state, and for good. On the loop's thread.
    public func close() {
        registry.requireLoop("Client.close()")
        if case .ended = dialer { return }
        let before = dialer
        // Before anybody is told: what a completion asks for now is refused, not kept.
        dialer = .ended(before.state.isFinal ? before.state : .closed)
        registry.releaseLater(self)
        switch before {
        case .waiting(let timer, _, _): registry.wheel.cancel(timer)
        case .connected(let session, _): session.close()
        case .dialing(let attempt, _, _):
            attempt.abandon()
            endpoints.leaveGate()
        case .admitted: endpoints.leaveGate()
        case .idle, .resolving, .queued, .gaveUp, .ended: break
        }
        failAll(.closed)
        deadlines.end()
    }

    /// Says that this connection works: after it the backoff starts anew. With
    /// `ConnectionProof.confirmation` nothing else says so, but for `ClientOptions.stablePeriod`.
    /// Nothing where `session` is not the client's: what is found out late says nothing of the next
    /// connection. On the loop's thread.
    public func confirm(_ session: Session) {
        registry.requireLoop("Client.confirm(_:)")
        if case .connected(let current, _) = dialer, current === session { attempt = 0 }
    }
}

// MARK: - Dialing

extension Client {
    func beginDialing() {
        guard case .idle = dialer else { return }
        report(.connecting)
        guard case .idle = dialer else { return }
        switch target {
        case .invalid(let error): backOff(after: .invalidAddress(error))
        case .addresses(let addresses): queueToDial(addresses)
        case .name(let host, let port):
            dialer = .resolving
            resolver.resolve(host) { self.resolved($0, port) }
        }
    }

    private func resolved(_ answer: Resolver.Answer, _ port: UInt16) {
        guard case .resolving = dialer else { return }
        switch answer {
        case .success(let addresses): queueToDial(addresses.map { $0.withPort(port) })
        case .failure(let error): backOff(after: .unresolved(error))
        }
    }

    private func queueToDial(_ addresses: [SocketAddress]) {
        dialer = .queued(addresses)
        if endpoints.attempts.enter(listKey) { dialNext(addresses[...], nil) }
    }

    /// The gate has a place. False when the client does not want it any more. It dials in the next
    /// turn: of many that are closed in one, none is to dial because another has left.
    func admit() -> Bool {
        guard case .queued(let addresses) = dialer else { return false }
        dialer = .admitted(addresses)
        registry.wake(self)
        return true
    }

    func dialIfAdmitted() {
        if case .admitted(let addresses) = dialer { dialNext(addresses[...], nil) }
    }

    /// Tries the next address, or fails with what befell the last that is worth another attempt.
    private func dialNext(_ left: ArraySlice<SocketAddress>, _ failure: ClientFailure?) {
        guard let address = left.first else {
            dialer = .idle
            endpoints.leaveGate()
            let none = ResolutionError(host: "", message: "no address")
            return backOff(after: failure ?? .unresolved(none))
        }
        totals.dials += 1
        let attempt = ConnectionAttempt(address, host, owner: self, registry) { [self] in
            decided($0)
        }
        dialer = .dialing(attempt, left: left.dropFirst(), failure: failure)
        attempt.begin(timeout: options.connectTimeout)
    }

    private func decided(_ outcome: Result<Session, ConnectError>) {
        guard case .dialing(_, let left, let before) = dialer else { return }
        switch outcome {
        case .success(let session): connected(session)
        case .failure(let error):
            let failure = ClientFailure.unreachable(error)
            let isTelling = failure.isWorthARetry || before?.isWorthARetry != true
            dialNext(left, isTelling ? failure : before)
        }
    }
}

// MARK: - Connected, lost, waiting

extension Client: SessionOwner {
    private func connected(_ session: Session) {
        dialer = .connected(session, since: registry.now)
        endpoints.leaveGate()
        totals.connections += 1
        timeoutsInARow = 0
        session.filterPackets { [self] in takesAnswer($0) }
        setup?(session)
        // What waited goes before what was asked for in `setup`.
        sendWaiting()
        if case .connected = dialer { report(.connected) }
    }

    func sessionIsWritable(_ session: Session) {
        if dialer.session === session { sendWaiting() }
    }

    /// The session is gone, for whatever reason. Requests that it carried fail or wait again. Where
    /// the client stands is settled before anybody is told.
    func sessionEnded(_ session: Session, _ reason: CloseReason) {
        endpoints.reportClosed(session, reason)
        guard case .connected(let current, let since) = dialer, current === session else { return }
        if hasProved(session, since: since) { attempt = 0 }
        backOff(after: .lost(reason)) { failLost(reason) }
    }

    /// Whether its proof is there, unless that is a confirmation, or it lasted long enough.
    private func hasProved(_ session: Session, since: Int64) -> Bool {
        if options.proof == .reception && session.inbound.hasAccepted { return true }
        guard let period = options.stablePeriod else { return false }
        return registry.now - since >= period.clampedNanoseconds
    }

    /// Waits as long as the backoff says, or gives up; then `tell` tells those who are concerned.
    private func backOff(after failure: ClientFailure, tell: () -> Void = {}) {
        attempt += 1
        lastFailure = failure
        guard failure.isWorthARetry,
            let delay = backoff.delay(beforeAttempt: attempt, using: &generator)
        else { return giveUp(failure, tell) }
        let timer = registry.arm(key, at: registry.kernel.now() + delay.clampedNanoseconds)
        dialer = .waiting(timer, delay: delay, attempt: attempt)
        endpoints.report(
            .reconnecting(target: target.description, after: delay, attempt: attempt, failure))
        tell()
        if case .waiting = dialer { report(dialer.state) }
    }

    /// It stays until it is closed, to refuse what it is still asked for.
    private func giveUp(_ failure: ClientFailure, _ tell: () -> Void) {
        dialer = .gaveUp(failure)
        endpoints.report(.gaveUp(target: target.description, failure))
        tell()
        failAll(.notConnected)
        if case .gaveUp = dialer { report(dialer.state) }
    }

    /// Whether the timer was that of the backoff, which is over now.
    func backoffIsOver(_ timer: TimerKey) -> Bool {
        guard case .waiting(timer, _, _) = dialer else { return false }
        dialer = .idle
        totals.reconnects += 1
        beginDialing()
        return true
    }
}
