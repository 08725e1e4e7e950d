// What a session hands to its handler: batches of packets or bytes, and what is kept of them.

extension Session {
    /// Hands on what was kept, without anything new.
    @inline(never)
    func deliverWhatIsKept() { unsafe deliver(UnsafeRawBufferPointer(start: nil, count: 0)) }

    /// Hands everything to the handler that it will take now, and keeps the rest.
    @inline(__always)
    func deliver(_ bytes: UnsafeRawBufferPointer) {
        var fresh = unsafe bytes
        let progressBefore = packetsReceived
        beginReceiving()
        repeat {
            if let everyPacket = rareState?.everyPacket, rareState?.bytes == nil {
                let handler = packetHandler
                unsafe deliverPackets(&fresh) { session, packet in
                    if session.takesHeartbeat(packet) || everyPacket(packet) { return }
                    handler?(session, packet)
                }
            } else if let packetHandler {
                unsafe deliverPackets(&fresh, packetHandler)
            } else if let bytesHandler = rareState?.bytes {
                unsafe deliverBytes(&fresh, bytesHandler)
            } else {
                unsafe deliverPackets(&fresh) { _, _ in }
            }
        } while isToGoOn()
        if unsafe packetStart != 0 || !fresh.isEmpty || !decoder.kept.isEmpty {
            let progressed = packetsReceived != progressBefore
            unsafe keepRest(fresh, progressed: progressed)
        }
        endReceiving()
    }

    /// After an interruption: whether the handler, perhaps another one now, is to have more.
    @inline(__always)
    private func isToGoOn() -> Bool {
        guard flags.contains(.interrupted) else { return false }
        flags.remove(.interrupted)
        return state == .open && flags.isDisjoint(with: .paused)
    }

    /// What the handler did not take: dropped if the session is closing, else kept.
    @inline(never)
    private func keepRest(_ fresh: UnsafeRawBufferPointer, progressed: Bool) {
        guard state == .open else { return }
        if unsafe !fresh.isEmpty { unsafe decoder.keep(fresh, pool: buffers) }
        noteKept(progressed: progressed)
    }

    /// The handler is held for the whole batch: to load it for each packet would cost a quarter of
    /// the work. `interrupted` ends the batch when the handler is replaced.
    private func deliverPackets(
        _ fresh: inout UnsafeRawBufferPointer,
        _ handler: (Session, borrowing Packet) -> Void
    ) {
        var rest = unsafe fresh
        defer { unsafe fresh = rest }
        if !decoder.kept.isEmpty {
            let goesOn: Bool
            unsafe (rest, goesOn) = deliverKept(rest, handler)
            if !goesOn { return }
        }
        let maximum = settings.dataLength
        let pool = buffers
        while unsafe hand(
            decoder.nextFresh(&rest, maximumDataLength: maximum, pool: pool), to: handler)
        {}
    }

    /// What is kept comes first. No handler adds to it, so that the loop over what is fresh need
    /// not look.
    @inline(never)
    private func deliverKept(
        _ fresh: UnsafeRawBufferPointer, _ handler: (Session, borrowing Packet) -> Void
    ) -> (rest: UnsafeRawBufferPointer, goesOn: Bool) {
        var rest = unsafe fresh
        while !decoder.kept.isEmpty {
            let step = unsafe decoder.next(
                &rest, maximumDataLength: settings.dataLength, pool: buffers)
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
            packetsReceived &+= 1
            let bytes = unsafe data.bytes
            handler(self, Packet(head: head, data: bytes))
            return !flags.contains(.interrupted)
        case .needsMore: return false
        case .fault(let fault):
            beginClose(.protocolFault(fault))
            return false
        }
    }

    private func deliverBytes(
        _ fresh: inout UnsafeRawBufferPointer, _ handler: (Session, RawSpan) -> Int
    ) {
        while true {
            let isKept = !decoder.kept.isEmpty
            if unsafe isKept && !fresh.isEmpty {
                unsafe decoder.keep(fresh, pool: buffers)
                unsafe fresh = .init(start: nil, count: 0)
            }
            let bytes = unsafe isKept ? decoder.kept.bytes : fresh
            guard unsafe !bytes.isEmpty else { return }
            let consumed = unsafe handler(self, bytes.bytes)
            demand(
                consumed >= 0 && consumed <= bytes.count,
                "the onBytes handler consumed \(consumed) of \(bytes.count) bytes")
            if isKept {
                decoder.consume(consumed)
            } else {
                unsafe fresh = UnsafeRawBufferPointer(rebasing: fresh[consumed...])
            }
            if flags.contains(.interrupted) { return }
            if consumed == 0 {
                if bytes.count > settings.dataLength {
                    beginClose(.protocolFault(.tooManyUnconsumedBytes(bytes.count)))
                }
                return
            }
            packetsReceived &+= 1
        }
    }

    /// Starts or ends the clock of the incomplete packet, and gives memory back.
    private func noteKept(progressed: Bool) {
        if decoder.kept.isEmpty {
            decoder.release(to: buffers)
            packetStart = 0
        } else if progressed || packetStart == 0 {
            packetStart = registry.now
            rearm()
        }
    }
}
