// A session's deadlines: idleness, slow packets, slow ends. One wheel timer serves them all.

extension Session {
    /// Makes sure that the timer rings no later than the next deadline. It may ring earlier: moving
    /// bytes only notes the time, and the timer is set anew when it rings.
    func rearm() {
        let deadline = nextDeadline
        guard deadline < timerDeadline else { return }
        registry.wheel.cancel(timer)
        timer = registry.arm(key, at: deadline)
        timerDeadline = deadline
    }

    func endIfOverdue() {
        timer = Self.noTimer
        timerDeadline = .max
        guard state != .closed else { return }
        if let reason = exceeded { return end(reason) }
        sendHeartbeatIfDue()
        rearm()
    }

    private var isReading: Bool {
        state == .open && flags.isDisjoint(with: [.paused, .peerFinished])
    }

    private var nextDeadline: Int64 {
        var next = rareState?.closeDeadline ?? .max
        guard state == .open else { return next }
        if isReading {
            next = min(next, later(lastReceive, settings.idleRead))
            next = min(next, later(lastReceive, settings.silence))
            if packetStart != 0 { next = min(next, later(packetStart, settings.packetTime)) }
        }
        next = min(next, later(lastSend, settings.idleWrite))
        next = min(next, later(lastSignOfLife, settings.heartbeatInterval))
        return min(next, later(max(lastReceive, lastSend), settings.idleEither))
    }

    /// The deadline that is over, if one is. Where a closing session's output has all left, `end`
    /// keeps the reason that it was closed for.
    private var exceeded: CloseReason? {
        let now = registry.now
        if let rareState, rareState.closeDeadline <= now {
            return .deadlineExceeded(state == .open ? .halfClose : .close)
        }
        guard state == .open else { return nil }
        if isReading {
            if packetStart != 0, later(packetStart, settings.packetTime) <= now {
                return .deadlineExceeded(.packet)
            }
            if later(lastReceive, settings.idleRead) <= now { return .idle(.read) }
            if later(lastReceive, settings.silence) <= now { return .dead }
        }
        if later(lastSend, settings.idleWrite) <= now { return .idle(.write) }
        if later(max(lastReceive, lastSend), settings.idleEither) <= now { return .idle(.either) }
        return nil
    }

    private func later(_ time: Int64, _ span: Int64) -> Int64 {
        span == SessionSettings.never ? .max : time &+ span
    }
}
