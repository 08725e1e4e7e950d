// What a client has to do, by when, and in which states: attempts, delays, and its requests.
import TronTestKit

@testable import Tron

extension World {
    /// A client was told a new state, which has to follow from the one before.
    func judge(_ record: ClientRecord, _ state: ClientState) {
        obligations.meet(record.serial)
        switch state {
        case .waiting(let delay, let attempt): judgeWaiting(record, delay, attempt)
        case .connecting: judgeConnecting(record)
        case .connected:
            run.expect(record.current != nil, "a client is connected without a session")
            record.connections += 1
            if record.connections > 1 { run.met(.reconnected) }
            if record.isNamed { run.met(.connectedByName) }
        case .gaveUp(let failure): judgeGivingUp(record, failure)
        case .closed: break
        }
    }

    private func judgeWaiting(_ record: ClientRecord, _ delay: Duration, _ attempt: Int) {
        let numbers = record.nextAttempts
        run.expect(
            numbers.contains(attempt), "a client waits before attempt \(attempt), not \(numbers)")
        let delays = BackoffRule.delays(beforeAttempt: attempt, record.backoff)
        run.expect(
            delays?.contains(delay.clampedNanoseconds) == true,
            "a client waits \(delay) before attempt \(attempt) of \(record.backoff)")
        if case .unresolved = record.client.lastFailure {
            run.met(.unresolved)
            run.expect(record.isNamed, "a client looked for the name of an address")
        }
        if case .unreachable(.timedOut) = record.client.lastFailure {
            run.met(.connectTimedOut)
            run.expect(
                run.clock - record.connectingSince >= record.connectTimeout,
                "a client's attempt timed out early")
        }
        record.attempt = attempt
        record.last = nil
        record.waitsUntil = run.turnStart + delay.clampedNanoseconds
        obligations.add(record.serial, run.clock + delay.clampedNanoseconds, "attempt of client")
    }

    private func judgeConnecting(_ record: ClientRecord) {
        if case .waiting = record.state {
            run.expect(
                run.clock >= record.waitsUntil,
                "a client connects \(record.waitsUntil - run.clock) ns early")
        }
        record.connectingSince = run.clock
        record.watchedSince = nil
    }

    /// The longest that finding out what all the run's names stand for may take.
    private static let lookups: Int64 = 100_000_000

    /// It gets to each of its addresses in turn, behind all other clients at the worst: also those
    /// made while its name was looked up.
    private func watchConnecting(_ record: ClientRecord, _ nanoseconds: Int64) {
        guard case .connecting = record.state else { return }
        guard let since = record.watchedSince else {
            record.watchedSince = run.clock - run.timeLost
            return
        }
        let time = clients.reduce(Self.lookups) {
            $0 + Int64($1.targets) * ($1.connectTimeout + 2 * Obligations.tick)
        }
        run.expect(
            run.turnStart < since + time + run.timeLost,
            "a client connects for \(run.turnStart - record.connectingSince) ns")
    }

    private func judgeGivingUp(_ record: ClientRecord, _ failure: ClientFailure) {
        run.met(.gaveUp)
        if case .unreachable(.refused) = failure { return }
        let isDue = record.nextAttempts.contains { attempt in
            BackoffRule.delays(beforeAttempt: attempt, record.backoff) == nil
        }
        run.expect(isDue, "a client gave up after attempt \(record.attempt): \(failure)")
    }
}

extension ClientRecord {
    /// The numbers that its next attempt may have: it begins anew once a connection has proved
    /// itself, by what was accepted or by its age, or was said to work.
    var nextAttempts: ClosedRange<Int> {
        guard let last else { return (attempt + 1)...(attempt + 1) }
        if last === confirmed { return 1...1 }
        let counts = options.proof == .reception
        if counts && last.hasAccepted { return 1...1 }
        let mayHaveProved =
            counts && last.end.receivedTotal >= 11 || options.stablePeriod != nil
        return (mayHaveProved ? 1 : attempt + 1)...(attempt + 1)
    }

    /// Its session, while that takes packets.
    var usable: SessionRecord? { current.flatMap { $0.session.isOpen ? $0 : nil } }
}

// MARK: - Requests

extension World {
    /// Before a sleep: no request waits that could be sent, and none outlives what carried it.
    func watch(_ client: ClientRecord, _ nanoseconds: Int64) {
        watchConnecting(client, nanoseconds)
        let open = client.open
        guard !client.state.isFinal else {
            return run.expect(
                open.allSatisfy(\.isAwaited), "\(open.count) requests wait for a client that ended")
        }
        run.expect(
            client.client.state == client.state,
            "a client is \(client.client.state), and was told \(client.state)")
        if open.allSatisfy({ !$0.isAwaited }) {
            let count = client.client.pendingRequestCount
            run.expect(
                count == open.count, "a client has \(count) requests pending, not \(open.count)")
        }
        let session = client.usable
        let isFree = session?.session.queuedBytes == 0
        for request in open where !request.isAwaited {
            let isCarried =
                request.carriers.last != nil && request.carriers.last == client.current?.end.serial
            if isCarried { continue }
            run.expect(
                request.carriers.isEmpty || request.isRepeatable,
                "request \(request.number) waits though its connection was lost")
            run.expect(
                !isFree, "request \(request.number) waits though its client's session is free")
            // One that waited behind others for room goes on waiting when the connection is lost.
            if client.options.whileDisconnected == .fail && client.current == nil {
                run.expect(
                    request.isRepeatable || request.hadSession,
                    "request \(request.number) waits for a connection")
            }
        }
    }

    /// What a request meets as it is made.
    func noteAsked(_ request: RequestRecord) {
        let client = request.client
        request.deadline = run.clock + request.timeout
        request.hadSession = client.usable != nil
        request.pendingBefore = client.open.count
        request.copiesBefore = client.open.count { $0.isRepeatable || $0.carriers.isEmpty }
        client.open.append(request)
    }

    /// What a refusal contradicts; nil when it is due.
    func complaint(about error: RequestError, of request: RequestRecord) -> String? {
        let (client, options) = (request.client, request.client.options)
        switch error {
        case .notConnected:
            // The state is told after it.
            if case .gaveUp = client.client.state { return nil }
            if options.whileDisconnected == .fail && (!request.hadSession || request.isAwaited) {
                return nil
            }
            return "its client waits for connections, or has one"
        case .tooManyPending:
            let isDue =
                request.isAwaited || request.pendingBefore >= options.maximumPendingRequests
                || request.copiesBefore >= options.maximumCopiedRequests
            return isDue
                ? nil : "\(request.pendingBefore) were, \(request.copiesBefore) of them copied"
        case .overflow:
            let limits = options.session.limits
            let most = max(limits.maximumQueuedBytes, limits.maximumDataLength + 11)
            let queued = request.queuedAfter + request.length + 11
            return request.isAwaited || queued > most ? nil : "\(queued) bytes would have waited"
        case .connectionLost:
            return request.isRepeatable ? "it may be sent again" : nil
        default: return nil
        }
    }
}
