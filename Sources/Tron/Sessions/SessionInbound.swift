// What a session receives: reading once a turn, pausing, the end of the stream.

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
                deliverWhatIsKept()
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
                min(room, registry.limits.maximumBytesReadPerTurn), pool: buffers)
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
        if !decoder.kept.isEmpty { deliverWhatIsKept() }
        if state == .open && flags.isDisjoint(with: .paused) { peerFinished() }
    }
}
