// How requests begin: sent, kept until there is a connection, or refused.

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
        // Not past those that wait: their order is kept.
        let session = requests.waitingCount == 0 ? usableSession : nil
        let hasCopy = session == nil || isRepeatable
        if let error = refusal(of: data.byteCount, hasCopy: hasCopy) {
            return refuse(error, completion)
        }
        var place = RequestRecord.Place.sent
        if hasCopy {
            let copy = RequestCopy(category, data, isRepeatable: isRepeatable)
            place = session == nil ? .waiting(copy) : .repeatable(copy)
        }
        let sequence = requests.nextSequence()
        let deadline = registry.arm(
            key, at: time(after: timeout), payload: UInt32(bitPattern: sequence))
        requests.add(
            RequestRecord(completion: completion, deadline: deadline, place: place), as: sequence)
        guard let session else { return sequence }
        return send(sequence, category, data, on: session)
    }

    /// The session while it takes packets: one that closes does not, and may for a while.
    private var usableSession: Session? {
        guard let session = dialer.session, session.isOpen else { return nil }
        return session
    }

    /// Why a request with so much data cannot be taken now, if it cannot.
    private func refusal(of byteCount: Int, hasCopy: Bool) -> RequestError? {
        switch dialer {
        case .ended: return .closed
        case .gaveUp: return .notConnected
        case .idle, .resolving, .queued, .dialing, .connected, .waiting: break
        }
        if byteCount > host.settings.maximumDataLength { return .tooLarge }
        if options.whileDisconnected == .fail && usableSession == nil { return .notConnected }
        return requests.hasRoom(forCopy: hasCopy) ? nil : .tooManyPending
    }

    /// The deadline's clock reading. Most requests have the time of the one before, and to divide a
    /// `Duration` costs as much as a tenth of a request.
    private func time(after timeout: Duration) -> Int64 {
        if timeout != lastTimeout.given {
            lastTimeout = (timeout, timeout.clampedNanoseconds)
        }
        return registry.kernel.now() + lastTimeout.nanoseconds
    }

    private func send(
        _ sequence: Int32, _ category: UInt8, _ data: RawSpan, on session: Session
    ) -> Int32? {
        switch session.send(sequence: sequence, category: category, data: data) {
        case .queued:
            totals.requestsSent += 1
            return sequence
        // The kernel has just refused to go on: with the connection's end, which follows, the
        // request is lost, or waits for the next one.
        case .closed: return sequence
        // Only closures bring the last two about.
        case .overflow, .overCapacity, .interrupted: return refuse(sequence, .overflow)
        case .tooLarge: return refuse(sequence, .tooLarge)
        }
    }

    /// Sends what waited for the connection, oldest first, up to the high watermark: more follows
    /// as the peer reads, so that a long queue never leaves in one turn.
    func sendWaiting() {
        while let session = usableSession, requests.waitingCount > 0 {
            let next = requests.sendNext { copy in
                session.outbound.fits(
                    copy.data.count + PacketFormat.overhead,
                    within: host.settings.highWatermark, period: registry.outputPeriod)
            }
            guard let next else { return session.tellOwnerWhenWritable() }
            let data = next.copy.data
            _ = unsafe send(next.sequence, next.copy.category, data.span.bytes, on: session)
        }
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
        guard let record = requests.take(sequence) else { return nil }
        registry.wheel.cancel(record.deadline)
        return refuse(error, record.completion)
    }
}
