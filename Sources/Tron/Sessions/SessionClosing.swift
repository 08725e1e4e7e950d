// How a session ends: losslessly, at once, by its peer, or by a fault; and its one report.

extension Session {
    /// Ends the session without losing what is queued: no more packets are delivered or taken,
    /// output leaves, FIN is sent, and what the peer still sends is discarded until its own end of
    /// stream, within the bounds of `SessionLimits`. The reason is `.requested`, unless
    /// the output could not be sent. On the loop's thread; once is enough.
    public func close() {
        registry.requireLoop("Session.close()")
        beginClose(.requested)
    }

    /// Ends the session at once: what is queued is dropped, and the peer sees a reset (RST).
    public func abort() {
        registry.requireLoop("Session.abort()")
        abort(.aborted)
    }

    /// Ends this end's stream after what is queued, and goes on receiving until the peer's end.
    public func closeWriting() {
        registry.requireLoop("Session.closeWriting()")
        guard state == .open else { return }
        flags.insert(.writingEnds)
        credit = 0
        flushAtTurnsEnd()
    }

    /// Ends the session once its output has left. Later reasons do not count.
    func beginClose(_ reason: CloseReason) {
        guard state == .open else { return }
        closeReason = reason
        state = .draining
        flags.formUnion([.interrupted, .writingEnds])
        credit = 0
        rare.closeDeadline = registry.now + settings.options.limits.closeTimeout.clampedNanoseconds
        rearm()
        flushAtTurnsEnd()
    }

    func abort(_ reason: CloseReason) {
        guard state != .closed else { return }
        flags.insert(.resets)
        closeReason = nil
        end(reason)
    }

    /// The kernel refused a call.
    func fail(_ error: SystemError) { end(.system(error)) }

    /// Nothing more is done with the connection; it is released at the end of the turn. The first
    /// reason counts, but where output still waits it is the one that loses it.
    func end(_ reason: CloseReason) {
        guard state != .closed else { return }
        if closeReason == nil || !outbound.isEmpty { closeReason = reason }
        largestQueue = Int32(truncatingIfNeeded: largestQueuedBytes)
        state = .closed
        flags.formUnion([.interrupted, .writingEnds])
        credit = 0
        registry.releaseLater(self)
    }
}

// MARK: - The peer's end

extension Session {
    /// The peer's end of stream has been read.
    func peerFinished() {
        flags.insert(.peerFinished)
        if !decoder.kept.isEmpty {
            return beginClose(.protocolFault(.truncatedPacket(bytes: decoder.kept.count)))
        }
        guard settings.options.allowsHalfClose, !flags.contains(.writingEnds) else {
            return outbound.isEmpty ? end(.peerClosed) : beginClose(.peerClosed)
        }
        rare.closeDeadline =
            registry.now + settings.options.limits.halfCloseTimeout.clampedNanoseconds
        rearm()
        flushAtTurnsEnd()
        rareState?.peerFinished?(self)
    }

    /// A reset ends the session even while it does not read. A mere hang-up does when the end of
    /// stream was read; else what the peer sent before is still to be read, and since a hang-up
    /// cannot be masked, the descriptor leaves epoll until reading goes on.
    func hangUpWhileNotReading() {
        do throws(SystemError) {
            let error = try descriptor.takeError()
            if error != 0 { return fail(SystemError(.recv, code: error)) }
            if flags.contains(.peerFinished) {
                if outbound.isEmpty { return end(.peerClosed) }
                // What waits is lost, and to send it tells how.
                flags.remove(.writeBlocked)
                return flushAtTurnsEnd()
            }
            if !flags.contains(.parked) {
                try registry.epoll.remove(descriptor.number)
                flags.insert(.parked)
                interest = []
            }
        } catch {
            fail(error)
        }
    }
}

// MARK: - Draining and lingering

extension Session {
    /// All output has left: ends this end's stream, or the session if the peer's has ended too.
    func finishWriting() {
        if state == .draining && flags.contains(.peerFinished) { return end(.peerClosed) }
        if !flags.contains(.finSent) {
            do throws(SystemError) {
                try descriptor.shutdownWriting()
            } catch {
                return fail(error)
            }
            flags.insert(.finSent)
        }
        if state == .draining { state = .lingering }
    }

    /// Whether a closing session may still read what its peer sends.
    var canDiscard: Bool {
        rare.discardedBytes <= settings.options.limits.maximumDiscardedBytes
    }

    /// Reads what nobody wants, since the kernel would answer unread bytes with a reset.
    func discard() {
        do throws(SystemError) {
            let count = try unsafe descriptor.receive(into: registry.receiveBuffer)
            guard let count else { return }
            if count == 0 {
                flags.insert(.peerFinished)
                if state == .lingering { return end(.requested) }
                flushAtTurnsEnd()
                return
            }
            bytesReceived &+= count
            rare.discardedBytes += count
            guard !canDiscard else { return }
            if state == .lingering { end(.requested) } else { flushAtTurnsEnd() }
        } catch {
            fail(error)
        }
    }

    /// Gives everything back and reports. The only place that closes the descriptor.
    func giveBack() {
        registry.wheel.cancel(timer)
        timer = Self.noTimer
        if flags.contains(.resets) { try? descriptor.resetOnClose() }
        if flags.contains(.parked) { descriptor.close() } else { registry.close(&descriptor) }
        decoder.release(to: buffers)
        outbound.release(to: buffers)
        registry.descriptorFreed()
        let handler = closeHandler
        let reason = closeReason ?? .requested
        countAsClosed(in: registry.record.endedSessions, reason)
        packetHandler = nil
        closeHandler = nil
        let owner = owner
        self.owner = nil
        owner?.sessionEnded(self, reason)
        // Its handlers go; its count is still asked for.
        let refused = rareState?.packetsRefused ?? 0
        rareState = nil
        if refused > 0 { rare.packetsRefused = refused }
        handler?(self, reason)
    }

    /// Adds the session, which has ended, to what others like it did.
    func countAsClosed(in ledger: SessionLedger, _ reason: CloseReason) {
        ledger.add(counters, largestQueue: largestQueuedBytes, cause: reason.cause)
    }

    /// Adds the session, which has not ended.
    func countAsOpen(in totals: inout SessionTotals) {
        totals.traffic.add(counters)
        totals.open += 1
        totals.queuedBytes += queuedBytes
        totals.largestQueue = max(totals.largestQueue, largestQueuedBytes)
    }
}
