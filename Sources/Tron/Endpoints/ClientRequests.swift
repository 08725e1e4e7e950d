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
        _ completion: consuming @escaping (borrowing RequestOutcome) -> Void
    ) {
        _ = begin(category, data, timeout, isRepeatable: isRepeatable, completion)
    }

    /// The same with a text's UTF-8.
    public func request(
        category: UInt8, data: String, timeout: Duration = .seconds(3),
        isRepeatable: Bool = false,
        _ completion: consuming @escaping (borrowing RequestOutcome) -> Void
    ) {
        let data = unsafe data.utf8Span.span.bytes
        _ = begin(category, data, timeout, isRepeatable: isRepeatable, completion)
    }

    /// The same with bytes of the caller's own.
    public func request(
        category: UInt8, data: [UInt8], timeout: Duration = .seconds(3),
        isRepeatable: Bool = false,
        _ completion: consuming @escaping (borrowing RequestOutcome) -> Void
    ) {
        _ = unsafe begin(category, data.span.bytes, timeout, isRepeatable: isRepeatable, completion)
    }

    /// The sequence under which the request waits; nil when it was refused.
    func begin(
        _ category: UInt8, _ data: RawSpan, _ timeout: Duration, isRepeatable: Bool,
        _ completion: consuming @escaping RequestCompletion
    ) -> Int32? {
        registry.requireLoop("Client.request")
        // Not past those that wait: their order is kept.
        guard requests.waitingCount == 0, !isRepeatable, let session = usableSession else {
            return beginKept(category, data, timeout, isRepeatable: isRepeatable, completion)
        }
        if let error = refusal(of: data.byteCount, hasCopy: false) {
            return refuse(error, completion)
        }
        return send(add(.sent, timeout, completion), category, data, on: session)
    }

    /// The same for a request that is kept, to be sent later or again.
    @inline(never)
    private func beginKept(
        _ category: UInt8, _ data: RawSpan, _ timeout: Duration, isRepeatable: Bool,
        _ completion: consuming @escaping RequestCompletion
    ) -> Int32? {
        let session = requests.waitingCount == 0 ? usableSession : nil
        if let error = refusalToWait ?? refusal(of: data.byteCount, hasCopy: true) {
            return refuse(error, completion)
        }
        let copy = RequestCopy(category, data, isRepeatable: isRepeatable)
        guard let session else { return add(.waiting(copy), timeout, completion) }
        return send(add(.repeatable(copy), timeout, completion), category, data, on: session)
    }

    @inline(__always)
    private func add(
        _ place: RequestRecord.Place, _ timeout: Duration,
        _ completion: consuming @escaping RequestCompletion
    ) -> Int32 {
        let sequence = requests.nextSequence()
        let deadline = deadlines.add(sequence, timeout, for: key)
        requests.add(
            RequestRecord(completion: completion, deadline: deadline, place: place), as: sequence)
        return sequence
    }

    /// The session while it takes packets: one that closes does not, and may for a while.
    private var usableSession: Session? {
        guard let session = dialer.session, session.isOpen else { return nil }
        return session
    }

    /// Why no request can wait for a connection, if none can.
    private var refusalToWait: RequestError? {
        switch dialer {
        case .ended: .closed
        case .gaveUp: .notConnected
        case .idle, .resolving, .queued, .admitted, .dialing, .connected, .waiting:
            options.whileDisconnected == .fail && usableSession == nil ? .notConnected : nil
        }
    }

    /// Why a request with so much data cannot be taken, if it cannot.
    @inline(__always)
    private func refusal(of byteCount: Int, hasCopy: Bool) -> RequestError? {
        if byteCount > host.settings.maximumDataLength { return .tooLarge }
        return requests.hasRoom(forCopy: hasCopy) ? nil : .tooManyPending
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
