// What a session calls: its handlers, and how they are installed.

extension Session {
    /// Calls `handler` for every packet, in order. It replaces an earlier handler, of packets or of
    /// bytes, from the next packet on. The packet is valid while the handler runs. A session with
    /// no handler checks, counts and drops what it receives.
    public func onPacket(_ handler: @escaping (Session, borrowing Packet) -> Void) {
        registry.requireLoop("Session.onPacket")
        guard !isClosing else { return }
        packetHandler = handler
        rareState?.bytesHandler = nil
        handlerChanged()
    }

    /// Has every packet go to `filter` first. Those for which it returns true go no further.
    func filterPackets(_ filter: @escaping (borrowing Packet) -> Bool) { rare.filter = filter }

    /// Hands over the received bytes as they are, for other protocols. The handler returns how many
    /// bytes from the front it consumed; the rest is kept and comes again with more behind it. It
    /// is called again at once while it consumes some and some are left. One that installs another
    /// handler and consumes nothing leaves the bytes to that one, in the next turn. With a
    /// `ByteReader` over the bytes, what was consumed is its position.
    ///
    /// When it leaves more than `SessionLimits.maximumDataLength` bytes unconsumed, the session
    /// ends with `ProtocolFault.tooManyUnconsumedBytes`; when it returns a number that is negative
    /// or more than there are, with `.consumedTooMuch`.
    public func onBytes(_ handler: @escaping (Session, RawSpan) -> Int) {
        registry.requireLoop("Session.onBytes")
        guard !isClosing else { return }
        packetHandler = nil
        rare.bytesHandler = handler
        handlerChanged()
    }

    /// What the handler before left behind is not to wait for further bytes.
    private func handlerChanged() {
        inbound.interrupt()
        if inbound.hasKept { wake() }
    }

    /// Calls `handler` once, when the session has ended, with the reason. No other handler is
    /// called after it, and all handlers are dropped then.
    public func onClose(_ handler: @escaping (Session, CloseReason) -> Void) {
        registry.requireLoop("Session.onClose")
        if !hasEnded { closeHandler = handler }
    }

    /// Calls `handler` with false when a turn ends with more output waiting than the high
    /// watermark, and with true, once, when there is room again after that, or after `isWritable`
    /// answered false: no more waits than the low watermark, in the output phase of a turn. It is
    /// never called within `send`.
    public func onWritabilityChange(_ handler: @escaping (Session, Bool) -> Void) {
        registry.requireLoop("Session.onWritabilityChange")
        if !hasEnded { rare.writabilityHandler = handler }
    }

    /// Calls `handler` when the peer has ended its stream and `SessionOptions.allowsHalfClose`
    /// keeps the session open for sending.
    public func onPeerFinished(_ handler: @escaping (Session) -> Void) {
        registry.requireLoop("Session.onPeerFinished")
        if !hasEnded { rare.peerFinishedHandler = handler }
    }
}
