// What a session sends: queueing whole packets, with room, or refusing them whole.

extension Session {
    /// Queues a packet. It never blocks; the packet is taken whole or refused whole. Before one is
    /// refused for want of room, the kernel is offered what waits. On the loop's thread.
    ///
    /// `sequence` -1 belongs to no request.
    @discardableResult
    public func send(sequence: Int32 = -1, category: UInt8, data: RawSpan) -> SendOutcome {
        enqueue(head: PacketFormat.head(sequence: sequence, category: category), data)
    }

    /// Queues a packet whose data is a text's UTF-8.
    @discardableResult
    public func send(sequence: Int32 = -1, category: UInt8, data: String) -> SendOutcome {
        unsafe send(sequence: sequence, category: category, data: data.utf8Span.span.bytes)
    }

    /// Queues a packet.
    @discardableResult
    public func send(sequence: Int32 = -1, category: UInt8, data: [UInt8]) -> SendOutcome {
        unsafe send(sequence: sequence, category: category, data: data.span.bytes)
    }

    /// Answers a packet: queues one with its sequence and category. It settles no reply that is
    /// owed: who has asked for the packet's address (`replyAddress(of:)`) answers by that.
    @discardableResult
    @inlinable
    public func reply(to packet: borrowing Packet, data: RawSpan) -> SendOutcome {
        enqueue(head: packet.head, data)
    }

    /// Answers a packet with a text's UTF-8.
    @discardableResult
    public func reply(to packet: borrowing Packet, data: String) -> SendOutcome {
        unsafe enqueue(head: packet.head, data.utf8Span.span.bytes)
    }

    /// Answers a packet with bytes of the caller's own.
    @discardableResult
    public func reply(to packet: borrowing Packet, data: [UInt8]) -> SendOutcome {
        unsafe enqueue(head: packet.head, data.span.bytes)
    }

    /// Queues bytes as they are, for other protocols.
    @discardableResult
    public func send(bytes: RawSpan) -> SendOutcome {
        guard bytes.byteCount < Int(outbound.credit) && registry.isOnLoop else {
            return sendWithoutCredit(bytes)
        }
        outbound.put(bytes)
        return .queued
    }

    @inline(never)
    private func sendWithoutCredit(_ bytes: RawSpan) -> SendOutcome {
        if unsafe bytes.withUnsafeBytes({ unsafe forwards($0) }) { return .queued }
        let outcome = makeRoom(for: bytes.byteCount)
        guard outcome == .queued else { return refuse(outcome) }
        if bytes.byteCount < Int(outbound.credit) {
            outbound.put(bytes)
        } else {
            unsafe bytes.withUnsafeBytes { unsafe outbound.append($0) }
        }
        pauseAboveHighWatermark()
        return .queued
    }

    /// Queues a text's UTF-8 as it is, for other protocols.
    @discardableResult
    public func send(bytes: String) -> SendOutcome { unsafe send(bytes: bytes.utf8Span.span.bytes) }

    /// Queues bytes as they are, for other protocols.
    @discardableResult
    public func send(bytes: [UInt8]) -> SendOutcome { unsafe send(bytes: bytes.span.bytes) }
}

// MARK: - A packet's way out

extension Session {
    /// Within the credit a packet costs little more than its bytes' copy.
    @usableFromInline
    func enqueue(head: UInt64, _ data: RawSpan) -> SendOutcome {
        let length = data.byteCount &+ PacketFormat.overhead
        guard length <= Int(outbound.credit) && registry.isOnLoop else {
            return enqueueWithoutCredit(head, data)
        }
        outbound.put(head: head, data, length)
        return .queued
    }

    /// A function of its own: `enqueueWithinLimits` saves more registers than this is to pay for.
    @inline(never)
    private func enqueueWithoutCredit(_ head: UInt64, _ data: RawSpan) -> SendOutcome {
        // The pointer leaves the closure, whose call would cost as much again. It is not used for
        // longer than the data is borrowed.
        let bytes = unsafe data.withUnsafeBytes { unsafe $0 }
        if unsafe continuesRun(head, bytes) { return .queued }
        return enqueueWithinLimits(head, data)
    }

    /// The limits are looked at. If all is well there is credit again, unless the ring's end may
    /// lie within the packet.
    @inline(never)
    private func enqueueWithinLimits(_ head: UInt64, _ data: RawSpan) -> SendOutcome {
        registry.requireLoop("Session.send")
        guard outbound.writing == .open else { return refuse(.closed) }
        guard data.byteCount <= settings.maximumDataLength else { return refuse(.tooLarge) }
        let length = data.byteCount &+ PacketFormat.overhead
        if unsafe data.withUnsafeBytes({ unsafe forwards(head, $0) }) {
            outbound.countPacket()
            return .queued
        }
        if length >= settings.options.limits.sentThroughLength && canSendThrough(length) {
            return sendThrough(head, data)
        }
        let outcome = makeRoom(for: length)
        guard outcome == .queued else { return refuse(outcome) }
        if length <= Int(outbound.credit) {
            outbound.put(head: head, data, length)
        } else {
            outbound.putInPieces(head: head, data)
            outbound.countPacket()
        }
        pauseAboveHighWatermark()
        return .queued
    }

    /// Makes room for `length` bytes that will be queued at once and has them sent at the turn's
    /// end; or says why not.
    @inline(never)
    func makeRoom(for length: Int) -> SendOutcome {
        registry.requireLoop("Session.send")
        guard outbound.writing == .open else { return .closed }
        outbound.setDraftAside(buffers)
        if outbound.count + length > settings.outboundCapacity, !hasRoomForOwed(length) {
            let refusal = offerInsteadOfRefusing(length)
            guard refusal == .queued else { return refusal }
        }
        outbound.reserve(
            length, within: settings.highWatermark, settings.packetCredit,
            period: registry.outputPeriod, buffers)
        if !outbound.isLent { flushLater() }
        return .queued
    }

    /// Reading stops while more than the high watermark waits. Not for what the user fills it with
    /// who has just been told that it is writable: the kernel has not been offered that, and a
    /// producer would keep the session from reading for as long as its peer reads.
    func pauseAboveHighWatermark() {
        guard isAboveHighWatermark, rareState?.isBeingFilled != true else { return }
        inbound.pause(by: .watermark)
        flushLater()
    }

    /// Whether so much waits that the session does not read.
    var isAboveHighWatermark: Bool {
        outbound.count > settings.highWatermark && outbound.writing == .open
            && settings.options.pausesReadingAboveHighWatermark
    }

    /// Only what the kernel does not take counts against the limit: a peer that reads is not slow.
    private func offerInsteadOfRefusing(_ length: Int) -> SendOutcome {
        do throws(SystemError) {
            if !outbound.isEmpty { try offer() }
        } catch {
            fail(error)
            return .closed
        }
        flushLater()
        let queued = outbound.count + length
        if queued <= settings.outboundCapacity || hasRoomForOwed(length) { return .queued }
        if settings.options.overflow == .close { abort(.overflow(bytes: queued)) }
        return .overflow
    }

    /// Counts it, unless the session has been released, and so counted, already.
    @inline(never)
    func refuse(_ outcome: SendOutcome) -> SendOutcome {
        if !isReleased { rare.packetsRefused += 1 }
        return outcome
    }

    /// Queues one of the library's own packets, which nobody counts, if it fits: a peer is not too
    /// slow because of what its user did not queue. False when it did not fit.
    func sendHeartbeat(_ byte: UInt8) -> Bool {
        let length = PacketFormat.overhead + 1
        guard let heartbeat = settings.options.heartbeat,
            outbound.count + length <= settings.outboundCapacity,
            makeRoom(for: length) == .queued
        else { return false }
        let head = PacketFormat.head(sequence: -1, category: heartbeat.category)
        let data: [UInt8] = [byte]
        unsafe outbound.putInPieces(head: head, data.span.bytes)
        pauseAboveHighWatermark()
        return true
    }
}
