// What a session sends: queueing whole packets, with room, or refusing them whole.

extension Session {
    /// Queues a packet. It never blocks; the packet is taken whole or refused whole.
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

    /// Answers a packet: queues one with its sequence and category.
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
        let outcome = prepare(for: bytes.byteCount)
        guard outcome == .queued else { return refuse(outcome) }
        credit = 0
        unsafe bytes.withUnsafeBytes { unsafe outbound.append($0) }
        return .queued
    }

    /// Queues a text's UTF-8 as it is, for other protocols.
    @discardableResult
    public func send(bytes: String) -> SendOutcome { unsafe send(bytes: bytes.utf8Span.span.bytes) }

    /// Queues bytes as they are, for other protocols.
    @discardableResult
    public func send(bytes: [UInt8]) -> SendOutcome { unsafe send(bytes: bytes.span.bytes) }

    /// Within the credit a packet costs little more than its bytes' copy.
    @usableFromInline
    func enqueue(head: UInt64, _ data: RawSpan) -> SendOutcome {
        let length = data.byteCount &+ PacketFormat.overhead
        guard length <= Int(credit) && registry.isOnLoop else {
            return enqueueWithoutCredit(head, data)
        }
        credit &-= Int32(truncatingIfNeeded: length)
        packetsSent &+= 1
        let packet = unsafe outbound.tailAddress
        outbound.commit(length)
        unsafe data.withUnsafeBytes { unsafe PacketFormat.write(head: head, data: $0, to: packet) }
        return .queued
    }

    /// The limits are looked at. If all is well there is credit again, unless the ring's end may
    /// lie within the packet.
    @inline(never)
    private func enqueueWithoutCredit(_ head: UInt64, _ data: RawSpan) -> SendOutcome {
        guard data.byteCount <= settings.dataLength else { return refuse(.tooLarge) }
        let length = data.byteCount &+ PacketFormat.overhead
        let outcome = prepare(for: length)
        guard outcome == .queued else { return refuse(outcome) }
        if length <= Int(credit) { return enqueue(head: head, data) }
        unsafe data.withUnsafeBytes { unsafe enqueueInPieces(head, $0) }
        packetsSent &+= 1
        return .queued
    }

    /// What credit there was is for the room that this takes.
    private func enqueueInPieces(_ head: UInt64, _ data: UnsafeRawBufferPointer) {
        credit = 0
        unsafe withUnsafeTemporaryAllocation(byteCount: PacketFormat.headerLength, alignment: 1) {
            header in
            unsafe PacketFormat.writeHeader(
                head: head, dataLength: data.count, to: header.baseAddress.unsafelyUnwrapped)
            unsafe outbound.append(UnsafeRawBufferPointer(header))
        }
        unsafe outbound.append(data)
        unsafe withUnsafeBytes(of: PacketFormat.trailer.bigEndian) {
            unsafe outbound.append($0)
        }
    }

    /// Makes room in the ring for `length` bytes that will be queued at once, has them sent at the
    /// turn's end, and pauses reading above the high watermark; or says why not.
    @inline(never)
    private func prepare(for length: Int) -> SendOutcome {
        registry.requireLoop("Session.send")
        guard !flags.contains(.writingEnds) else { return .closed }
        let queued = outbound.count + length
        guard queued <= settings.outboundCapacity else {
            if settings.options.overflow == .close { abort(.overflow(bytes: queued)) }
            return .overflow
        }
        outbound.reserve(length, from: buffers)
        flushAtTurnsEnd()
        let room = min(outbound.contiguousRoom, settings.highWatermark - outbound.count)
        credit = Int32(truncatingIfNeeded: max(0, min(room, settings.packetCredit)))
        if queued > settings.highWatermark, settings.options.pausesReadingAboveHighWatermark {
            flags.formUnion([.pausedByWatermark, .interrupted])
        }
        return .queued
    }

    /// Counts it, unless the session has been counted already.
    @inline(never)
    private func refuse(_ outcome: SendOutcome) -> SendOutcome {
        registry.requireLoop("Session.send")
        if owner != nil { rare.packetsRefused += 1 }
        return outcome
    }

    @inline(__always)
    func flushAtTurnsEnd() {
        guard !flags.contains(.dirty) else { return }
        flags.insert(.dirty)
        registry.flushLater(self)
    }

    /// A handler's batch begins. A session that has nothing queued is lent the one shared block,
    /// and credit in it, so that an answer costs next to nothing.
    @inline(__always)
    func beginReceiving() {
        guard flags.isEmpty && outbound.capacity == 0 else { return }
        flags = [.receiving, .dirty]
        outbound.borrowShared(of: buffers)
        credit = Int32(truncatingIfNeeded: min(settings.packetCredit, outbound.capacity))
    }

    /// The handler's batch is over. What it queued is sent at once, while it is in the cache, out
    /// of the one shared block; only what the kernel refuses moves to a block of the session's own.
    @inline(__always)
    func endReceiving() {
        guard flags.contains(.receiving) else { return }
        flags.remove(.receiving)
        sendQueued()
        // A writability handler may have queued more, with credit for the block that is left now.
        credit = 0
        if state == .closed { outbound.release(to: buffers) }
        outbound.leaveShared(of: buffers)
    }
}
