// What a session calls: its handlers, and how they are installed.

extension Session {
    /// Calls `handler` for every packet, in order. It replaces an earlier handler, of packets or of
    /// bytes, from the next packet on. The packet is valid while the handler runs. A session with
    /// no handler checks, counts and drops what it receives.
    public func onPacket(_ handler: @escaping (Session, borrowing Packet) -> Void) {
        registry.requireLoop("Session.onPacket")
        guard state == .open else { return }
        packetHandler = handler
        rareState?.bytes = nil
        handlerChanged()
    }

    /// Has every packet go to `handler` first. Those for which it returns true go no further.
    func onEveryPacket(_ handler: @escaping (borrowing Packet) -> Bool) {
        rare.everyPacket = handler
    }

    /// Hands over the received bytes as they are, for other protocols. The handler returns how many
    /// bytes from the front it consumed; the rest is kept and comes again with more behind it. It
    /// is called again at once while it consumes some and some are left. When it leaves more than
    /// `SessionLimits.maximumDataLength` unconsumed, the session ends with
    /// `tooManyUnconsumedBytes`.
    public func onBytes(_ handler: @escaping (Session, RawSpan) -> Int) {
        registry.requireLoop("Session.onBytes")
        guard state == .open else { return }
        packetHandler = nil
        rare.bytes = handler
        handlerChanged()
    }

    /// What the handler before left behind is not to wait for further bytes.
    private func handlerChanged() {
        flags.insert(.interrupted)
        if !decoder.kept.isEmpty { registry.wake(self) }
    }

    /// Calls `handler` once, when the session has ended, with the reason. No other handler is
    /// called after it, and all handlers are dropped then.
    public func onClose(_ handler: @escaping (Session, CloseReason) -> Void) {
        registry.requireLoop("Session.onClose")
        if state != .closed { closeHandler = handler }
    }

    /// Calls `handler` with false when a turn ends with more output waiting than the high
    /// watermark, and with true when it has sunk to the low one.
    public func onWritabilityChange(_ handler: @escaping (Session, Bool) -> Void) {
        registry.requireLoop("Session.onWritabilityChange")
        if state != .closed { rare.writability = handler }
    }

    /// Calls `handler` when the peer has ended its stream and `SessionOptions.allowsHalfClose`
    /// keeps the session open for sending.
    public func onPeerFinished(_ handler: @escaping (Session) -> Void) {
        registry.requireLoop("Session.onPeerFinished")
        if state != .closed { rare.peerFinished = handler }
    }

    var rare: RareState {
        if let rareState { return rareState }
        let made = RareState()
        rareState = made
        return made
    }
}
