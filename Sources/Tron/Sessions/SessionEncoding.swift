// Sending what a closure writes straight into the outbound buffer, whole or not at all.

extension Session {
    /// Queues a packet whose data `encode` writes, straight into the outbound buffer. The data is
    /// what was written, at most `capacity` bytes.
    ///
    /// The packet is queued whole or not at all. Not at all, when the closure
    /// - throws: the error is thrown on;
    /// - writes more than `capacity` bytes: `.overCapacity`;
    /// - has something else queued on this session, directly or by what it calls: `.interrupted`;
    /// - closes or aborts this session: `.closed`.
    ///
    /// A packet of `capacity` bytes has to be within the limits; otherwise it is refused, and the
    /// closure is not called: `.tooLarge`, `.overflow` or `.closed`, as for `send` of data. The
    /// bytes that were queued before are not touched in any case. On the loop's thread.
    @discardableResult
    @inlinable @inline(__always)
    public func send<Failure>(
        sequence: Int32 = -1, category: UInt8, capacity: Int,
        _ encode: (inout ByteWriter) throws(Failure) -> Void
    ) throws(Failure) -> SendOutcome {
        try queue(Session.head(sequence, category), capacity, encode)
    }

    /// Answers a packet with one whose data `encode` writes, whole or not at all: see
    /// `send(sequence:category:capacity:_:)`.
    @discardableResult
    @inlinable @inline(__always)
    public func reply<Failure>(
        to packet: borrowing Packet, capacity: Int,
        _ encode: (inout ByteWriter) throws(Failure) -> Void
    ) throws(Failure) -> SendOutcome {
        try queue(packet.head, capacity, encode)
    }

    /// Queues bytes that `encode` writes, as they are, for other protocols, whole or not at all:
    /// see `send(sequence:category:capacity:_:)`.
    @discardableResult
    @inlinable @inline(__always)
    public func send<Failure>(
        bytesCapacity: Int, _ encode: (inout ByteWriter) throws(Failure) -> Void
    ) throws(Failure) -> SendOutcome {
        try queue(nil, bytesCapacity, encode)
    }
}

// MARK: - A draft's way out

extension Session {
    @usableFromInline
    static func head(_ sequence: Int32, _ category: UInt8) -> UInt64 {
        PacketFormat.head(sequence: sequence, category: category)
    }

    /// Throws what `encode` throws. What is not generic gets a closure that cannot throw, and says
    /// whether what it wrote is to be sent: that costs less than one that may throw anything.
    @inlinable @inline(__always)
    func queue<Failure>(
        _ head: UInt64?, _ capacity: Int, _ encode: (inout ByteWriter) throws(Failure) -> Void
    ) throws(Failure) -> SendOutcome {
        var failure: Failure?
        let outcome = draft(head, capacity) { output in
            do throws(Failure) {
                try encode(&output)
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        return outcome
    }

    /// A packet if there is a head for it, else bytes. Within the credit it is written where it
    /// will be queued, and no limit is looked at.
    @usableFromInline
    func draft(
        _ head: UInt64?, _ capacity: Int, _ encode: (inout ByteWriter) -> Bool
    ) -> SendOutcome {
        let credit = Int(outbound.credit)
        if capacity >= 0 && registry.isOnLoop {
            if let head {
                if capacity <= credit &- PacketFormat.overhead {
                    return draft(head, capacity, isInPlace: true, encode)
                }
            } else if capacity < credit {
                return draft(nil, capacity, isInPlace: true, encode)
            }
        }
        return draftWithoutCredit(head, max(0, capacity), encode)
    }

    /// The limits are looked at.
    @inline(never)
    private func draftWithoutCredit(
        _ head: UInt64?, _ capacity: Int, _ encode: (inout ByteWriter) -> Bool
    ) -> SendOutcome {
        registry.requireLoop("Session.send")
        guard outbound.writing == .open else { return refuse(.closed) }
        if head != nil && capacity > settings.maximumDataLength { return refuse(.tooLarge) }
        // No session may queue as much as this: there is no room for it either.
        let most = min(capacity, PacketFormat.maximumDataLength)
        let length = most &+ (head == nil ? 0 : PacketFormat.overhead)
        let outcome = makeRoom(for: length)
        guard outcome == .queued else { return refuse(outcome) }
        defer { pauseAboveHighWatermark() }
        return draft(head, most, isInPlace: outbound.hasRoomInPlace(length), encode)
    }

    @inline(__always)
    private func draft(
        _ head: UInt64?, _ capacity: Int, isInPlace: Bool, _ encode: (inout ByteWriter) -> Bool
    ) -> SendOutcome {
        let before = head == nil ? 0 : PacketFormat.headerLength
        let overhead = head == nil ? 0 : PacketFormat.overhead
        let room = unsafe outbound.beginDraft(capacity &+ overhead, isInPlace: isInPlace, buffers)
        var output = unsafe ByteWriter(start: room.start + before, capacity: capacity)
        let isWanted = encode(&output)
        guard isWanted && !output.hasOverrun && outbound.isDraftWhole else {
            return unsafe abandon(room, isWanted: isWanted)
        }
        if let head {
            unsafe PacketFormat.writeHeader(head: head, dataLength: output.count, to: room.start)
            unsafe PacketFormat.writeTrailer(dataLength: output.count, to: room.start)
            outbound.countPacket()
        }
        unsafe outbound.queueDraft(room, output.count &+ overhead, buffers)
        return .queued
    }

    /// What it returns means nothing when the closure did not want its bytes sent.
    @inline(never)
    private func abandon(_ room: DraftRoom, isWanted: Bool) -> SendOutcome {
        let isInterrupted = outbound.draft == .dropped
        unsafe outbound.abandonDraft(room, buffers)
        guard isWanted else { return .queued }
        guard outbound.writing == .open else { return refuse(.closed) }
        return refuse(isInterrupted ? .interrupted : .overCapacity)
    }
}
