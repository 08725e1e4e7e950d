// What a session does at the end of its batch or turn: write once, and settle what follows.

extension Session {
    /// Writes once, then settles what follows from how much is left.
    @inline(__always)
    func sendQueued() {
        flags.remove(.dirty)
        credit = 0
        guard state != .closed else { return }
        if !outbound.isEmpty && !flags.contains(.writeBlocked) {
            do throws(SystemError) {
                try write()
            } catch {
                return fail(error)
            }
        }
        if outbound.isEmpty {
            outbound.release(to: buffers)
            if rareState != nil { tellSent() }
        }
        if !flags.isEmpty || interest != .readable || outbound.count > settings.highWatermark {
            settle()
        }
    }

    @inline(__always)
    private func write() throws(SystemError) {
        largestQueue = max(largestQueue, Int32(truncatingIfNeeded: outbound.count))
        let (bytes, isAll) = unsafe outbound.firstPart
        let count = try unsafe isAll ? descriptor.send(bytes) ?? 0 : writeBothParts()
        if count > 0 {
            outbound.consume(count)
            bytesSent &+= count
            lastSend = registry.now
        }
        if !outbound.isEmpty { flags.insert(.writeBlocked) }
    }

    @inline(never)
    private func writeBothParts() throws(SystemError) -> Int {
        let (first, second) = unsafe outbound.parts
        return try unsafe descriptor.send(first, then: second) ?? 0
    }

    @inline(never)
    private func tellSent() {
        guard let call = rareState?.whenSent else { return }
        rareState?.whenSent = nil
        call()
    }

    /// What follows for a session that is not simply open with all its output sent.
    @inline(never)
    private func settle() {
        settleWatermarks()
        if outbound.isEmpty && flags.contains(.writingEnds) { finishWriting() }
        updateInterest()
    }

    /// Above the high mark the user is told; at the low mark reading goes on and the user is told.
    private func settleWatermarks() {
        if outbound.count <= settings.lowWatermark {
            if flags.contains(.pausedByWatermark) {
                flags.remove(.pausedByWatermark)
                continueReading()
            }
            tellWritability(true)
        } else if outbound.count > settings.highWatermark {
            tellWritability(false)
        }
    }

    private func tellWritability(_ isWritable: Bool) {
        guard state == .open, flags.contains(.toldUnwritable) == isWritable else { return }
        if isWritable { flags.remove(.toldUnwritable) } else { flags.insert(.toldUnwritable) }
        rareState?.writability?(self, isWritable)
    }

    /// Brings epoll in line with what the session waits for. Only here, once a turn, so that what
    /// is turned off and on again within a turn costs nothing.
    private func updateInterest() {
        let wanted = wantedInterest
        if wanted != interest || flags.contains(.parked) { changeInterest(to: wanted) }
    }

    private var wantedInterest: Readiness {
        var wanted: Readiness = []
        switch state {
        case .open: if flags.isDisjoint(with: [.paused, .peerFinished]) { wanted = .readable }
        case .draining, .lingering:
            if !flags.contains(.peerFinished) && canDiscard { wanted = .readable }
        case .closed: break
        }
        if flags.contains(.writeBlocked) { wanted.insert(.writable) }
        return wanted
    }

    private func changeInterest(to wanted: Readiness) {
        guard state != .closed else { return }
        do throws(SystemError) {
            if !flags.contains(.parked) {
                try registry.epoll.modify(descriptor.number, wanted, token: key.rawValue)
            } else if !wanted.isEmpty {
                try registry.epoll.add(descriptor.number, wanted, token: key.rawValue)
                flags.remove(.parked)
            }
            interest = wanted
        } catch {
            fail(error)
        }
    }
}
