// What became of a packet that was to be sent.

/// What became of what was to be sent. It is taken whole or not at all.
public enum SendOutcome: Hashable, Sendable {
    /// Taken: it leaves at the end of the turn, or as soon as the peer has room. It is lost only if
    /// the session ends before with a reason that says so.
    case queued
    /// Refused: the session is closing or closed.
    case closed
    /// Refused: more data than a packet may have (`SessionLimits.maximumDataLength`). The session
    /// is unharmed.
    case tooLarge
    /// Refused: more would wait than `SessionLimits.maximumQueuedBytes`. By
    /// `SessionOptions.overflow` the session is unharmed, or being ended for it.
    case overflow
    /// Refused, which only what a closure writes can be: it is more than the capacity that was
    /// asked for. The session is unharmed.
    case overCapacity
    /// Refused, which only what a closure writes can be: within the closure, something else was
    /// queued on the same session. The session is unharmed.
    case interrupted

    /// Whether it was taken.
    public var isQueued: Bool { self == .queued }
}

/// Why an awaited send took nothing.
public enum SendError: Error, Hashable, Sendable {
    /// The session is closing or has ended.
    case closed
    /// More data than a packet may have (`SessionLimits.maximumDataLength`), or more bytes than may
    /// ever wait. The session is unharmed.
    case tooLarge
    /// The task was cancelled, so that the session closes.
    case cancelled
}
