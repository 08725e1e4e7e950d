// How a session keeps to a rate of packets: out of tokens, it does not read until there are some.

/// What a session with `SessionLimits.maximumPacketRate` remembers.
struct Pace {
    fileprivate var bucket: TokenBucket
    /// When reading goes on; nil while this does not keep the session from it.
    fileprivate(set) var resumesAt: Int64?
    /// How often it has kept it from it.
    fileprivate(set) var pauses = 0

    /// Takes a token. Whether it was the last one, so that reading has to wait from now on.
    fileprivate mutating func spend(now: Int64) -> Bool {
        _ = bucket.take(now: now)
        guard bucket.isEmpty(now: now), resumesAt == nil else { return false }
        resumesAt = bucket.refilled(now: now)
        pauses += 1
        return true
    }
}

extension Session {
    /// The session begins, with a full bucket.
    func beginPacing() {
        guard let limit = settings.options.limits.maximumPacketRate else { return }
        unsafe rare.pace = Pace(bucket: TokenBucket(limit, now: registry.now))
    }

    var isPaced: Bool { unsafe rareState?.pace != nil }

    /// A packet or frame is being handed over. With the last token the batch ends: what is left of
    /// it is kept, and the kernel's buffer fills.
    func spendToken() {
        guard let rareState, unsafe rareState.pace?.spend(now: registry.now) == true else { return }
        inbound.pause(by: .rate)
        flushLater()
        rearm()
    }

    /// There are tokens again.
    func resumePaced() {
        unsafe rareState?.pace?.resumesAt = nil
        if goOnReading(.rate) { flushLater() }
    }
}
