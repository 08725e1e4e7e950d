// How a session lives and ends: every change of its state, and its one report.

// The state is what reading and writing mean:
//
//     | reading    | writing open | ending           | FIN sent      | over   |
//     |------------|--------------|------------------|---------------|--------|
//     | reading,   | open         | open, its own    | half-closed   |        |
//     | paused     |              | end follows      | by this end   |        |
//     | finished   | half-closed  | draining: ends   |               |        |
//     |            | by the peer  | with its output  |               |        |
//     | discarding |              | draining         | lingering     |        |
//     | over       |              |                  |               | closed |
//
// What follows when the kernel tells of an end. TCP and Unix sockets differ only in what can
// happen: a Unix peer's close is FIN and hang-up in one, and output to it is lost then.
//
//     | told of      | reading      | paused           | finished           | discarding      |
//     |--------------|--------------|------------------|--------------------|-----------------|
//     | FIN          | `peerEnded`, | reading goes on, | (known)            | drained: ends;  |
//     |              | once it was  | or `halfClose`   |                    | else output     |
//     |              | read up to   | is over: ends    |                    | leaves first    |
//     | hang-up,     | as FIN; the  | ends: the write  | ends: the write    | as FIN; the     |
//     | output waits | write fails  | fails            | fails              | write fails     |
//     | hang-up,     | as FIN       | as FIN, out of   | ends: neither      | as FIN          |
//     | none waits   |              | epoll meanwhile; | direction is left  |                 |
//     |              |              | by a drain: ends |                    |                 |
//     | error        | reading      | ends with it     | ends with it       | ends with it    |
//     |              | tells it     |                  |                    |                 |

extension Session {
    /// Ends the session without losing what is queued: no more packets are delivered or taken,
    /// output leaves, FIN is sent, and what the peer still sends is discarded until its own end of
    /// stream, within the bounds of `SessionLimits`. The reason is `.requested`, unless
    /// the output could not be sent. On the loop's thread; once is enough.
    public func close() {
        registry.requireLoop("Session.close()")
        beginClose(.requested)
    }

    /// Ends the session at once: what is queued is dropped, and the peer sees a reset (RST). On the
    /// loop's thread.
    public func abort() {
        registry.requireLoop("Session.abort()")
        abort(.aborted)
    }

    /// Ends this end's stream after what is queued, and goes on receiving until the peer's end.
    /// Replies that are owed cannot be given any more. On the loop's thread.
    public func closeWriting() {
        registry.requireLoop("Session.closeWriting()")
        guard outbound.writing == .open, !isClosing else { return }
        outbound.endAfterQueue()
        flushLater()
        abandonDebts()
    }

    /// Whether something has begun to end it, or has.
    var isClosing: Bool { hasEnded || rareState?.closeReason != nil }

    var hasEnded: Bool { outbound.writing == .over }

    /// Whether its end has been told, or is being told.
    var isReleased: Bool { descriptor < 0 }

    /// The session stands: its deadlines run from now.
    func begin() {
        guard settings.hasDutiesAtOnce else { return }
        if settings.options.heartbeat != nil { filterPackets { _ in false } }
        if settings.options.limits.maximumPacketRate != nil { beginPacing() }
        rearm()
    }

    /// Ends the session once its output has left. Later reasons do not count.
    func beginClose(_ reason: CloseReason) {
        guard !isClosing else { return }
        rare.closeReason = reason
        inbound.discard()
        outbound.endAfterQueue()
        abandonDebts()
        // The handler that closes it may have taken long.
        limit(.close, to: settings.options.limits.closeTimeout, from: registry.kernel.now())
        flushLater()
    }

    /// What came breaks the protocol, and nothing behind it is delivered.
    func faulted(_ fault: ProtocolFault) {
        if let handler = rareState?.faultHandler.take() { handler(self, fault) }
        beginClose(.protocolFault(fault))
    }

    func abort(_ reason: CloseReason) {
        guard !hasEnded else { return }
        rare.resets = true
        rare.closeReason = nil
        end(reason)
    }

    /// The kernel refused a call.
    func fail(_ error: SystemError) { end(.system(error)) }

    /// Nothing more is done with the connection; it is released at the end of the turn. Keeps the
    /// first reason, unless output is still unsent: then the reason that lost it, and the peer sees
    /// a reset, since to it an end of stream would say that it has got everything.
    func end(_ reason: CloseReason) {
        guard !hasEnded else { return }
        if !outbound.isEmpty { rare.resets = true }
        if rareState?.closeReason == nil || !outbound.isEmpty { endReason = reason }
        inbound.end()
        outbound.end()
        if rareState != nil { abandonDebts() }
        registry.releaseLater(self)
    }

    /// Why it has ended. Most sessions need no memory for it.
    var endReason: CloseReason {
        get {
            if let reason = rareState?.closeReason { return reason }
            return switch lightReason {
            case .peerClosed: .peerClosed
            case .peerReset: .system(.reset)
            }
        }
        set {
            rareState?.closeReason = nil
            switch newValue {
            case .peerClosed: lightReason = .peerClosed
            case .system(let error) where error == .reset: lightReason = .peerReset
            default: rare.closeReason = newValue
            }
        }
    }

    /// Sets the time at which the session ends if it has not before.
    func limit(_ step: CloseReason.Deadline, to time: Duration, from start: Int64) {
        rare.limit = SessionDeadline(time: start + time.clampedNanoseconds, step: step)
        rearm()
    }
}

// MARK: - The peer's end

extension Session {
    /// The peer's end of stream has been read, and everything before it delivered.
    func peerEnded() {
        inbound.finish()
        if inbound.hasKept {
            return faulted(.truncatedPacket(bytes: inbound.keptCount))
        }
        guard settings.options.allowsHalfClose || owes, outbound.writing == .open else {
            return outbound.isEmpty ? end(.peerClosed) : beginClose(.peerClosed)
        }
        limit(.halfClose, to: settings.options.limits.halfCloseTimeout, from: registry.now)
        flushLater()
        rareState?.face?.peerFinished()
        if !settings.options.allowsHalfClose { closeOnceAnswered(.peerClosed) }
        rareState?.peerFinishedHandler?(self)
    }

    /// Reading is paused, and the peer's end waits behind what is not read.
    private func peerEndWaits() {
        guard inbound.peerHasEnded() else { return }
        limit(.halfClose, to: settings.options.limits.halfCloseTimeout, from: registry.now)
        flushLater()
    }

    /// What follows from an event for a session that does not read and deliver.
    func endTold(_ readiness: Readiness) {
        if !readiness.isDisjoint(with: [.error, .hangUp]) { return hungUp() }
        switch inbound.reading {
        case .paused: if readiness.contains(.peerEnd) { peerEndWaits() }
        case .discarding: if readiness.contains(.readable) { discard() }
        case .reading, .finished, .over: break
        }
    }

    /// The kernel tells of an error, or that nothing can be sent or received any more. Neither can
    /// be masked, so each case ends it, reads on, or takes the descriptor out of epoll.
    private func hungUp() {
        do throws(SystemError) {
            let error = try registry.sockets.takeError(of: descriptor)
            if error != 0 { return fail(SystemError(.recv, code: error)) }
            guard try offerLast() else { return fail(.brokenPipe) }
            switch inbound.reading {
            case .paused(let by, _) where by.contains(.drain): end(.peerClosed)
            case .paused:
                try watch.leaveEpoll(descriptor, registry.epoll)
                peerEndWaits()
                flushLater()
            case .finished: end(.peerClosed)
            case .discarding: discard()
            case .reading, .over: break
            }
        } catch {
            fail(error)
        }
    }

    /// What waits at a hang-up is lost, and sending it tells how. No kernel takes it; if one did,
    /// but not all, false.
    private func offerLast() throws(SystemError) -> Bool {
        outbound.unblock()
        if !outbound.isEmpty { try offer() }
        return outbound.isEmpty
    }
}

// MARK: - Draining and lingering

extension Session {
    /// All output has left: ends this end's stream, or the session if the peer's has ended too.
    func finishWriting() {
        if inbound.reading == .finished { return end(.peerClosed) }
        do throws(SystemError) {
            try registry.sockets.shutdownWriting(descriptor)
            outbound.finish()
        } catch {
            fail(error)
        }
    }

    /// Reads what nobody wants, since the kernel would answer unread bytes with a reset.
    private func discard() {
        do throws(SystemError) {
            let count = try unsafe registry.sockets.receive(
                from: descriptor, into: registry.receiveBuffer)
            guard let count else { return }
            inbound.noteDiscarded(count)
            rare.discardedBytes += count
            let limit = settings.options.limits.maximumDiscardedBytes
            if count == 0 || rare.discardedBytes > limit { discardedAll() }
        } catch {
            fail(error)
        }
    }

    private func discardedAll() {
        if outbound.writing == .finished { return end(.requested) }
        inbound.finish()
        flushLater()
    }
}
