// What a session hands to its handler: batches of packets, and what is kept of what it receives.

extension Session {
    /// Hands on what was kept, without anything new.
    @inline(never)
    func deliverKept() -> Bool { unsafe deliver(UnsafeRawBufferPointer(start: nil, count: 0)) }

    /// Hands everything to the handler that it will take now, and keeps the rest. False when a
    /// handler is to have it again in the next turn.
    @inline(__always)
    func deliver(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let before = inbound.keptSince == 0 ? bytes.count : bytes.count &+ inbound.keptCount
        var fresh = unsafe bytes
        unsafe beginBatch(bytes)
        unsafe deliverOnce(&fresh)
        var isAll = true
        if inbound.isInterrupted { isAll = unsafe goOn(&fresh, before) }
        if unsafe inbound.keptSince != 0 || !fresh.isEmpty {
            unsafe keepRest(fresh, before)
        }
        endBatch()
        if !registry.forwarding.isEmpty { registry.endForwarding() }
        return isAll
    }

    @inline(__always)
    private func deliverOnce(_ fresh: inout UnsafeRawBufferPointer) {
        inbound.beginBatch()
        // It is lent for the time of the batch: to count a reference to it would cost more. Not by
        // `take()`, which is generic: a program that is not optimised would wrap the closure once
        // more with each batch.
        guard rareState == nil, let handler = packetHandler else {
            return unsafe deliverRarely(&fresh)
        }
        packetHandler = nil
        unsafe deliverPackets(&fresh, handler)
        if packetHandler == nil && rareState?.streamHandler == nil { packetHandler = handler }
    }

    /// To a handler of bytes or frames, past a filter, or to nobody.
    @inline(never)
    private func deliverRarely(_ fresh: inout UnsafeRawBufferPointer) {
        if let streamHandler = rareState?.streamHandler {
            return unsafe deliverStream(&fresh, streamHandler)
        }
        if isPaced { return unsafe deliverPaced(&fresh) }
        let handler = packetHandler
        guard let filter = rareState?.filter else {
            return unsafe deliverPackets(&fresh) { handler?($0, $1) }
        }
        unsafe deliverPackets(&fresh) { session, packet in
            if session.takesHeartbeat(packet) || filter(packet) { return }
            handler?(session, packet)
        }
    }

    /// To a handler of packets, or to nobody, for as long as there are tokens.
    @inline(never)
    private func deliverPaced(_ fresh: inout UnsafeRawBufferPointer) {
        let (handler, filter) = (packetHandler, rareState?.filter)
        unsafe deliverPackets(&fresh) { session, packet in
            session.spendToken()
            if let filter, session.takesHeartbeat(packet) || filter(packet) { return }
            handler?(session, packet)
        }
    }

    /// After an interruption: gives the rest to the handler that there is now. Where a handler took
    /// nothing and installed another, that one has its turn after other sessions: two that install
    /// each other would never end. False then.
    @inline(never)
    private func goOn(_ fresh: inout UnsafeRawBufferPointer, _ before: Int) -> Bool {
        var before = before
        while inbound.isInterrupted && inbound.isReading {
            let left = fresh.count + inbound.keptCount
            if left == before {
                wake()
                return false
            }
            before = left
            unsafe deliverOnce(&fresh)
        }
        return true
    }

    /// What the handler did not take: dropped if the session is closing, else kept.
    @inline(never)
    func keepRest(_ fresh: UnsafeRawBufferPointer, _ before: Int) {
        guard inbound.isLive else { return }
        let isStream = rareState?.streamHandler != nil
        unsafe inbound.keep(fresh, isStream ? nil : settings.maximumDataLength, buffers)
        inbound.settleKept(
            consumed: inbound.keptCount != before, now: registry.now, buffers)
        if inbound.keptSince != 0 { rearm() }
    }
}

// MARK: - Packets

extension Session {
    /// The handler is held for the whole batch: to load it for each packet would cost a quarter of
    /// the work. The interruption ends the batch when the handler is replaced.
    private func deliverPackets(
        _ fresh: inout UnsafeRawBufferPointer,
        _ handler: (Session, borrowing Packet) -> Void
    ) {
        var rest = unsafe fresh
        defer { unsafe fresh = rest }
        if inbound.hasKept {
            let goesOn: Bool
            unsafe (rest, goesOn) = deliverKeptPackets(rest, handler)
            if !goesOn { return }
        }
        let maximum = settings.maximumDataLength
        while unsafe hand(inbound.nextFresh(&rest, maximum), to: handler) {}
    }

    /// What is kept comes first. No handler adds to it, so that the loop over what is fresh need
    /// not look.
    @inline(never)
    private func deliverKeptPackets(
        _ fresh: UnsafeRawBufferPointer, _ handler: (Session, borrowing Packet) -> Void
    ) -> (rest: UnsafeRawBufferPointer, goesOn: Bool) {
        var rest = unsafe fresh
        while inbound.hasKept {
            let step = unsafe inbound.next(&rest, settings.maximumDataLength, buffers)
            guard unsafe hand(step, to: handler) else { return unsafe (rest, false) }
        }
        return unsafe (rest, true)
    }

    /// Whether the batch goes on.
    @inline(__always)
    private func hand(
        _ step: DecodedStep, to handler: (Session, borrowing Packet) -> Void
    ) -> Bool {
        switch unsafe step {
        case .packet(let head, let data):
            inbound.countPacket()
            let bytes = unsafe data.bytes
            handler(self, Packet(head: head, data: bytes))
            return !inbound.isInterrupted
        case .needsMore: return false
        case .fault(let fault):
            faulted(fault)
            return false
        }
    }
}
