// What a session receives: reading once a turn, delivering to its handler, pausing.

extension Session {
    /// Stops delivering and reading, from the next packet on; the kernel's buffer then fills and
    /// the peer has to wait. Idle time for reading and the packet's time limit stand still.
    public func pauseReading() {
        registry.requireLoop("Session.pauseReading()")
        guard state == .open else { return }
        flags.formUnion([.pausedByUser, .interrupted])
        flushAtTurnsEnd()
    }

    /// Takes `pauseReading()` back. Packets that were kept are delivered in the next turn.
    public func resumeReading() {
        registry.requireLoop("Session.resumeReading()")
        guard state == .open, flags.contains(.pausedByUser) else { return }
        flags.remove(.pausedByUser)
        continueReading()
    }

    /// Whether `pauseReading()` is in force.
    public var isReadingPaused: Bool { flags.contains(.pausedByUser) }

    func continueReading() {
        guard flags.isDisjoint(with: .paused) else { return }
        lastReceive = registry.now
        if !decoder.kept.isEmpty {
            packetStart = registry.now
            registry.wake(self)
        }
        rearm()
        flushAtTurnsEnd()
    }
}

// MARK: - Readiness

extension Session {
    /// In the order hang-up, writable, readable. A hang-up while reading shows in what is read.
    @inline(__always)
    func receive(_ readiness: Readiness) {
        // No flag but `dirty` says: open, and neither paused nor at the peer's end.
        if readiness == .readable && flags.isSubset(of: .dirty) {
            fill()
        } else {
            act(on: readiness)
        }
    }

    @inline(never)
    private func act(on readiness: Readiness) {
        // Of a handler that was set, or a pause that ended, since the last batch.
        flags.remove(.interrupted)
        if readiness.contains(.writable) {
            flags.remove(.writeBlocked)
            flushAtTurnsEnd()
        }
        switch state {
        case .open:
            if !flags.isDisjoint(with: [.paused, .peerFinished]) {
                if !readiness.isDisjoint(with: [.error, .hangUp]) { hangUpWhileNotReading() }
            } else if readiness.isEmpty {
                unsafe deliver(UnsafeRawBufferPointer(start: nil, count: 0))
            } else if readiness != .writable {
                fill()
            }
        case .draining, .lingering:
            if !readiness.isEmpty && readiness != .writable { discard() }
        case .closed: break
        }
    }

    /// Reads once, at most as much as a turn allows, and delivers it.
    @inline(__always)
    private func fill() {
        do throws(SystemError) {
            guard decoder.kept.isEmpty else { return try fillBehindKept() }
            let buffer = unsafe registry.receiveBuffer
            guard let count = try unsafe descriptor.receive(into: buffer) else { return }
            unsafe received(
                count, UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
        } catch {
            fail(error)
        }
    }

    /// Receives what the first kept packet lacks straight behind it, and the rest as usual: in all
    /// no more than a turn allows.
    @inline(never)
    private func fillBehindKept() throws(SystemError) {
        let buffer = unsafe registry.receiveBuffer
        let room = unsafe UnsafeMutableRawBufferPointer(
            rebasing: roomBehindKept().prefix(buffer.count))
        let rest = unsafe UnsafeMutableRawBufferPointer(
            rebasing: buffer.prefix(buffer.count - room.count))
        guard let count = try unsafe descriptor.receive(into: room, then: rest) else { return }
        decoder.commit(min(count, room.count))
        let fresh = max(0, count - room.count)
        unsafe received(
            count, UnsafeRawBufferPointer(start: buffer.baseAddress, count: fresh))
    }

    private func roomBehindKept() -> UnsafeMutableRawBufferPointer {
        if rareState?.bytes != nil {
            let room = max(decoder.kept.count, BufferPool.minimumCapacity)
            return unsafe decoder.rawRoom(
                min(room, registry.limits.bytesReadPerTurn), pool: buffers)
        }
        return unsafe decoder.room(
            maximumDataLength: settings.dataLength, pool: buffers)
    }

    @inline(__always)
    private func received(_ count: Int, _ fresh: UnsafeRawBufferPointer) {
        guard count > 0 else { return streamEnded() }
        lastReceive = registry.now
        bytesReceived &+= count
        unsafe deliver(fresh)
    }

    /// The end of the stream comes after what is kept. If that is not taken now, the end stays
    /// readable.
    @inline(never)
    private func streamEnded() {
        if !decoder.kept.isEmpty { unsafe deliver(UnsafeRawBufferPointer(start: nil, count: 0)) }
        if state == .open && flags.isDisjoint(with: .paused) { peerFinished() }
    }
}

// MARK: - Delivery

extension Session {
    /// Hands everything to the handler that it will take now, and keeps the rest.
    private func deliver(_ bytes: UnsafeRawBufferPointer) {
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
            unsafe keepRest(&fresh, progressed: progressed)
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
    private func keepRest(_ fresh: inout UnsafeRawBufferPointer, progressed: Bool) {
        guard state == .open else { return }
        if unsafe !fresh.isEmpty { unsafe decoder.keep(&fresh, pool: buffers) }
        noteKept(progressed: progressed)
    }

    /// The handler is held for the whole batch: to load it for each packet would cost a quarter of
    /// the work. `interrupted` ends the batch when the handler is replaced.
    private func deliverPackets(
        _ fresh: inout UnsafeRawBufferPointer,
        _ handler: (Session, borrowing Packet) -> Void
    ) {
        let maximum = settings.dataLength
        let pool = buffers
        while true {
            switch unsafe decoder.next(&fresh, maximumDataLength: maximum, pool: pool) {
            case .packet(let head, let data):
                packetsReceived &+= 1
                let bytes = unsafe data.bytes
                handler(self, Packet(head: head, data: bytes))
                if flags.contains(.interrupted) { return }
            case .needsMore: return
            case .fault(let fault): return beginClose(.protocolFault(fault))
            }
        }
    }

    private func deliverBytes(
        _ fresh: inout UnsafeRawBufferPointer, _ handler: (Session, RawSpan) -> Int
    ) {
        while true {
            let isKept = !decoder.kept.isEmpty
            if unsafe isKept && !fresh.isEmpty {
                unsafe decoder.keep(&fresh, pool: buffers)
            }
            let bytes = unsafe isKept ? decoder.kept.bytes : fresh
            guard unsafe !bytes.isEmpty else { return }
            let consumed = unsafe handler(self, bytes.bytes)
            precondition(
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
