// What a session does after its batch and in the output phase: write once, and settle what follows.

extension Session {
    /// A handler's batch begins. A session that has nothing queued is lent the one shared block,
    /// and credit in it, so that an answer costs next to nothing.
    @inline(__always)
    func beginBatch(_ bytes: UnsafeRawBufferPointer) {
        guard outbound.canBeLent && !watch.isToFlush else { return }
        outbound.lend(unsafe mayForward(bytes) ? 0 : settings.packetCredit, buffers)
    }

    /// The handler's batch is over. What it queued is sent at once, while it is in the cache, out
    /// of the one shared block; only what the kernel refuses moves to a block of the session's own,
    /// and is settled in the output phase.
    @inline(__always)
    func endBatch() {
        guard outbound.isLent else { return }
        if !outbound.isEmpty && !hasEnded {
            do throws(SystemError) {
                // What was sent through may have met the kernel's limit already.
                if !outbound.isBlocked { try offer() }
                if outbound.isBlocked { flushLater() }
            } catch {
                fail(error)
            }
        }
        if !outbound.leavesShared(of: buffers) { takeBack() }
    }

    /// A function of its own, so that the pool is retained only for what happens seldom.
    @inline(never)
    private func takeBack() { outbound.takeBack(buffers) }

    /// Has the session flushed in this turn's output phase, or in the next turn's if that is over.
    @inline(__always)
    func flushLater() {
        if watch.asksForFlush() { registry.flushLater(self) }
    }

    /// The output phase: writes once, then settles what follows. Once a turn at most.
    func flush() {
        watch.noteFlush()
        outbound.endCredit()
        guard !hasEnded else { return }
        if !outbound.isEmpty && !outbound.isBlocked {
            do throws(SystemError) {
                try offer()
            } catch {
                return fail(error)
            }
        }
        settle()
    }

    /// Offers what waits to the kernel, in one call.
    @inline(__always)
    func offer() throws(SystemError) {
        let (bytes, isAll) = unsafe outbound.firstPart
        let count =
            try unsafe isAll
            ? registry.sockets.send(bytes, to: descriptor) ?? 0 : offerBothParts()
        outbound.noteOffered(taken: count, now: registry.now)
    }

    @inline(never)
    private func offerBothParts() throws(SystemError) -> Int {
        let (first, second) = unsafe outbound.parts
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        return try unsafe registry.sockets.send(
            first, then: second, then: none, to: descriptor) ?? 0
    }
}

// MARK: - What follows

extension Session {
    /// Handlers are told last, when nothing is left to be done: they may do anything.
    private func settle() {
        if outbound.isEmpty {
            outbound.release(to: buffers)
            if outbound.writing == .ending { finishWriting() }
        }
        if outbound.count <= settings.lowWatermark {
            goOnReading(.watermark)
        } else if isAboveHighWatermark {
            inbound.pause(by: .watermark)
        }
        if rareState != nil { goOnOwing() }
        updateInterest()
        tellWritability()
    }

    /// Brings epoll in line with what the session waits for. Only here, once a turn, so that what
    /// is turned off and on again within a turn costs nothing.
    private func updateInterest() {
        guard !hasEnded else { return }
        let wanted = inbound.interest.union(outbound.interest)
        if watch.isInterested(in: wanted) { return }
        do throws(SystemError) {
            try watch.change(to: wanted, of: descriptor, key, registry.epoll)
        } catch {
            fail(error)
        }
    }

    /// The owner comes first: what it has kept waiting goes before what the user asks for now.
    private func tellWritability() {
        if let rare = rareState, rare.tellsOwnerWhenWritable, outbound.writing == .open,
            outbound.count <= settings.highWatermark
        {
            rare.tellsOwnerWhenWritable = false
            host.owner?.sessionIsWritable(self)
        }
        rare.face?.flushed()
        let isWritable = outbound.writabilityToTell(
            low: settings.lowWatermark, high: settings.highWatermark)
        guard let isWritable, let rareState, let handler = rareState.writabilityHandler else {
            return
        }
        rareState.isBeingFilled = true
        handler(self, isWritable)
        rareState.isBeingFilled = false
    }

    /// Has the owner told once when there is room below the high watermark. Not the low one: a user
    /// who keeps the session filled would keep the owner waiting.
    func tellOwnerWhenWritable() {
        rare.tellsOwnerWhenWritable = true
        if !outbound.isBlocked { flushLater() }
    }
}
