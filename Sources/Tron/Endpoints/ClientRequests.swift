// How requests begin: sent, kept until there is a connection, or refused.

/// How a request ended.
public enum RequestOutcome: ~Escapable {
    /// With its answer, which is valid while the completion runs.
    case answered(Packet)
    /// Without one.
    case failed(RequestError)
}

typealias RequestCompletion = (borrowing RequestOutcome) -> Void

/// One request that has not ended.
struct RequestWaiter {
    let completion: RequestCompletion
    let deadline: TimerKey
    var isSent: Bool
    /// Whether it may be sent again on another connection.
    let isRepeatable: Bool
    /// Whether `Client.copies` has what is to be sent, or sent again. Apart, because most requests
    /// are sent once and at once, and cost less without.
    let hasCopy: Bool
}

extension Client {
    /// Sends a request and calls `completion` on the loop, exactly once and never before this
    /// returns (but at once where the reactor has ended): with the answer, which is valid while it
    /// runs, or with the error.
    ///
    /// `isRepeatable` says that the peer may get the request twice: it is then sent again when the
    /// connection is lost before the answer. It costs a copy. On the loop's thread.
    public func request(
        category: UInt8, data: RawSpan, timeout: Duration = .seconds(3),
        isRepeatable: Bool = false,
        _ completion: @escaping (borrowing RequestOutcome) -> Void
    ) {
        _ = begin(category, data, timeout, isRepeatable: isRepeatable, completion)
    }

    /// The same with a text's UTF-8.
    public func request(
        category: UInt8, data: String, timeout: Duration = .seconds(3),
        isRepeatable: Bool = false,
        _ completion: @escaping (borrowing RequestOutcome) -> Void
    ) {
        let data = unsafe data.utf8Span.span.bytes
        _ = begin(category, data, timeout, isRepeatable: isRepeatable, completion)
    }

    /// The same with bytes of the caller's own.
    public func request(
        category: UInt8, data: [UInt8], timeout: Duration = .seconds(3),
        isRepeatable: Bool = false,
        _ completion: @escaping (borrowing RequestOutcome) -> Void
    ) {
        _ = unsafe begin(category, data.span.bytes, timeout, isRepeatable: isRepeatable, completion)
    }

    /// The sequence under which the request waits; nil when it was refused.
    func begin(
        _ category: UInt8, _ data: RawSpan, _ timeout: Duration, isRepeatable: Bool,
        _ completion: @escaping RequestCompletion
    ) -> Int32? {
        registry.requireLoop("Client.request")
        if let error = refusal(of: data.byteCount, isRepeatable: isRepeatable) {
            return refuse(error, completion)
        }
        let session = usableSession
        let hasCopy = session == nil || isRepeatable
        let deadline = registry.arm(key, at: time(after: timeout))
        let waiter = RequestWaiter(
            completion: completion, deadline: deadline, isSent: session != nil,
            isRepeatable: isRepeatable, hasCopy: hasCopy)
        guard let sequence = requests.add(waiter) else {
            trap("a request was admitted beyond the limit")
        }
        if hasCopy { copies[sequence] = Self.copy(category, data) }
        sequences[deadline] = sequence
        guard let session else { return keepUnsent(sequence) }
        return send(sequence, category, data, on: session)
    }

    /// The session while it takes packets: one that closes does not, and may for a while.
    var usableSession: Session? {
        guard let current, !current.flags.contains(.writingEnds) else { return nil }
        return current
    }

    /// Why a request with so much data cannot be taken now, if it cannot.
    private func refusal(of byteCount: Int, isRepeatable: Bool) -> RequestError? {
        switch phase {
        case .ended: return .closed
        case .gaveUp: return .notConnected
        case .idle, .resolving, .queued, .dialing, .connected, .waiting: break
        }
        if byteCount > settings.dataLength { return .tooLarge }
        let isConnected = usableSession != nil
        if !isConnected && options.whileDisconnected == .fail { return .notConnected }
        if !isConnected || isRepeatable, copies.count >= options.maximumCopiedRequests {
            return .tooManyPending
        }
        return requests.count < requests.maximum ? nil : .tooManyPending
    }

    /// The deadline's clock reading. Most requests have the time of the one before, and to divide a
    /// `Duration` costs as much as a tenth of a request.
    private func time(after timeout: Duration) -> Int64 {
        if timeout != lastTimeout.given {
            lastTimeout = (timeout, timeout.clampedNanoseconds)
        }
        return registry.kernel.now() + lastTimeout.nanoseconds
    }

    /// Sequences that ended while they waited are dropped once they are the most.
    private func keepUnsent(_ sequence: Int32) -> Int32 {
        if unsent.count >= 64 && unsent.count > 2 * unsentCount {
            unsent.removeAll { requests.waiter(of: $0)?.isSent != false }
        }
        unsent.append(sequence)
        unsentCount += 1
        return sequence
    }

    func send(
        _ sequence: Int32, _ category: UInt8, _ data: RawSpan, on session: Session
    ) -> Int32? {
        switch session.send(sequence: sequence, category: category, data: data) {
        case .queued:
            totals.requestsSent += 1
            return sequence
        case .closed: return refuse(sequence, .notConnected)
        case .overflow: return refuse(sequence, .overflow)
        case .tooLarge: return refuse(sequence, .tooLarge)
        }
    }

    private static func copy(_ category: UInt8, _ data: RawSpan) -> OwnedPacket {
        unsafe data.withUnsafeBytes { unsafe OwnedPacket(category: category, data: [UInt8]($0)) }
    }
}

// MARK: - Refusals, told in the next turn

extension Client {
    private func refuse(_ error: RequestError, _ completion: @escaping RequestCompletion) -> Int32?
    {
        countRefusal()
        registry.callLater { completion(.failed(error)) }
        return nil
    }

    private func refuse(_ sequence: Int32, _ error: RequestError) -> Int32? {
        guard let waiter = endWaiting(sequence) else { return nil }
        return refuse(error, waiter.completion)
    }
}
