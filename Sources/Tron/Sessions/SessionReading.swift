// What a session receives: reading once a turn, pausing, the end of the stream.

extension Session {
    /// Stops delivering and reading, from the next packet on; the kernel's buffer then fills and
    /// the peer has to wait. Idle time for reading and the packet's time limit stand still, while
    /// that for either direction (`IdleTimeouts.either`) goes on. Should
    /// the peer end its stream meanwhile, the session stays for at most
    /// `SessionLimits.halfCloseTimeout` before reading has to go on. On the loop's thread.
    public func pauseReading() {
        registry.requireLoop("Session.pauseReading()")
        inbound.pause(by: .user)
        flushLater()
    }

    /// Takes `pauseReading()` back. Packets that were kept are delivered in the next turn. Sessions
    /// are read in the order in which they are resumed: who resumes many for little room should
    /// begin with another each time, or the first will take it. On the loop's thread.
    public func resumeReading() {
        registry.requireLoop("Session.resumeReading()")
        if goOnReading(.user) { flushLater() }
    }

    /// Whether reading goes on, since nobody else keeps the session from it.
    @discardableResult
    func goOnReading(_ who: Pauses) -> Bool {
        guard inbound.resume(by: who, now: registry.now) else { return false }
        // The peer's end, if that was known, is read before its time is over.
        rareState?.limit = nil
        if inbound.hasKept { wake() }
        rearm()
        return true
    }

    /// Has what is kept delivered in the next turn.
    func wake() {
        if watch.asksForWake() { registry.wake(self) }
    }
}

// MARK: - Readiness

extension Session {
    /// In the order error and hang-up, writable, readable. What a session that reads is told of its
    /// peer's end shows in what it reads.
    @inline(__always)
    func ready(_ readiness: Readiness) {
        if readiness == .readable && inbound.isReading { fill() } else { act(on: readiness) }
    }

    @inline(never)
    private func act(on readiness: Readiness) {
        if readiness.isEmpty { watch.noteWake() }
        if readiness.contains(.writable) {
            outbound.unblock()
            flushLater()
        }
        if !inbound.isReading {
            endTold(readiness)
        } else if readiness.isEmpty {
            _ = deliverKept()
        } else if readiness != .writable {
            fill()
        }
    }

    /// Reads once, at most as much as a turn allows, and delivers it.
    @inline(__always)
    private func fill() {
        do throws(SystemError) {
            guard !inbound.hasKept else { return try fillBehindKept() }
            let buffer = unsafe registry.receiveBuffer
            guard
                let count = try unsafe registry.sockets.receive(
                    from: descriptor, into: buffer)
            else { return }
            unsafe received(
                count, UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
        } catch {
            fail(error)
        }
    }

    /// Receives what the first kept packet or frame lacks straight behind it, and the rest as
    /// usual: in all no more than a turn allows. While more is kept than one packet can have, some
    /// handler is yet to be given it, and nothing is read.
    @inline(never)
    private func fillBehindKept() throws(SystemError) {
        guard inbound.keptCount <= settings.options.limits.mostReadBehind else { return wake() }
        let buffer = unsafe registry.receiveBuffer
        let room = unsafe inbound.roomBehindKept(
            lacking: rareState?.streamHandler?.lacks(beside: inbound.keptCount),
            settings.maximumDataLength, atMost: buffer.count, buffers)
        let whole = inbound.keptCount + room.count
        let isShort =
            whole <= min(Self.longestJoined, buffer.count / 2) && rareState?.streamHandler == nil
        let before = isShort ? whole : room.count
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[before...])
        guard
            let count = try unsafe registry.sockets.receive(
                from: descriptor, into: room, then: rest)
        else { return }
        inbound.commit(min(count, room.count))
        let fresh = max(0, count - room.count)
        if isShort && fresh >= whole {
            unsafe buffer.copyMemory(from: inbound.keptBytes)
            inbound.consumeKept(whole)
            unsafe received(count, UnsafeRawBufferPointer(rebasing: buffer[..<(whole + fresh)]))
        } else {
            unsafe received(count, UnsafeRawBufferPointer(rebasing: rest[..<fresh]))
        }
    }

    /// Up to so many bytes, what was kept of a packet joins what came behind it in the receive
    /// buffer, where that is no less: a batch that lies in one piece can be forwarded in one piece.
    /// Not of bytes or frames, whose handlers have said how much they want to be given behind it.
    private static let longestJoined = 32 << 10

    @inline(__always)
    private func received(_ count: Int, _ fresh: UnsafeRawBufferPointer) {
        guard count > 0 else { return streamEnded() }
        inbound.noteReceived(count, now: registry.now)
        _ = unsafe deliver(fresh)
    }

    /// The end of the stream comes after what is kept. If that is not taken now, the end stays
    /// readable.
    @inline(never)
    private func streamEnded() {
        if inbound.hasKept && !deliverKept() { return }
        if inbound.isReading { peerEnded() }
    }
}
