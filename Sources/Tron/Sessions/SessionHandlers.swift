// What a session calls: its handlers, and how they are installed.

extension Session {
    /// Calls `handler` for every packet, in order. It replaces an earlier handler, of packets,
    /// frames or bytes, from the next packet on. The packet is valid while the handler runs. A
    /// session with no handler checks, counts and drops what it receives.
    public func onPacket(_ handler: @escaping (Session, borrowing Packet) -> Void) {
        registry.requireLoop("Session.onPacket")
        guard !isClosing else { return }
        let former = packetHandler.take()
        packetHandler = handler
        if rareState?.streamHandler != nil {
            rareState?.streamHandler = nil
            // Heartbeats are due again.
            rearm()
        }
        handlerChanged()
        // What it held may call back when it goes.
        withExtendedLifetime(former) {}
    }

    /// Has every packet go to `filter` first. Those for which it returns true go no further.
    func filterPackets(_ filter: @escaping (borrowing Packet) -> Bool) { rare.filter = filter }

    /// Hands over the received bytes as they are, for protocols that have no frames: for others see
    /// `onFrames(of:_:)`. No heartbeats are sent meanwhile. The handler returns how many
    /// bytes from the front it consumed; the rest is kept and comes again with more behind it. It
    /// is called again at once while it consumes some and some are left. One that installs another
    /// handler and consumes nothing leaves the bytes to that one, in the next turn. With a
    /// `ByteReader` over the bytes, what was consumed is its position.
    ///
    /// When it leaves more than `SessionLimits.maximumDataLength` bytes unconsumed, the session
    /// ends with `ProtocolFault.tooManyUnconsumedBytes`; when it returns a number that is negative
    /// or more than there are, with `.consumedTooMuch`. Bytes that are left to another handler, or
    /// until `resumeReading()`, may be more, but no more are read until they are fewer.
    public func onBytes(_ handler: @escaping (Session, RawSpan) -> Int) {
        registry.requireLoop("Session.onBytes")
        guard !isClosing else { return }
        handleStream(StreamHandler(takingBytes: handler))
    }

    /// Cuts what is received into frames, for other protocols, and calls `handler` for every frame,
    /// in order. It replaces an earlier handler, of packets, frames or bytes, from the next packet
    /// or frame on; what that one did not take goes to this one. The frame is valid while the
    /// handler runs.
    ///
    /// All that holds for packets holds for frames: they are what `Traffic.packetsReceived` counts,
    /// `SessionLimits.packetTimeout` is the time for each, a stream that ends within one ends the
    /// session with `ProtocolFault.truncatedPacket`, and one that was delivered proves a client's
    /// connection. What the library itself puts into packets does not: heartbeats are neither sent
    /// nor known, and a client's requests find no answer.
    ///
    /// A framing that takes more than there is, or makes no progress, ends its session with a
    /// `ProtocolFault`. One whose longest frame has no bytes, or more than
    /// `SessionLimits.maximumDataLength`, is a mistake in the program, and traps: a length that a
    /// peer has sent is to be looked at before. Frames owe no replies: whoever answers them later
    /// loses its session to a drain, or to its peer's end of stream, unless that is half-closed. On
    /// the loop's thread.
    @inlinable
    public func onFrames<F: Framing>(
        of framing: F, _ handler: @escaping (Session, borrowing Frame<F.Layout>) -> Void
    ) {
        let reader = FrameReader(framing, handler)
        handleFrames(longest: reader.maximumLength, taking: reader.take)
    }

    /// The part of `onFrames` that is the same for all framings.
    @usableFromInline
    func handleFrames(longest: Int, taking take: @escaping (Session, RawSpan) -> StreamStep) {
        registry.requireLoop("Session.onFrames")
        guard !isClosing else { return }
        demand(
            longest >= 1 && longest <= settings.maximumDataLength,
            "Session.onFrames: frames of 1 byte to SessionLimits.maximumDataLength")
        handleStream(StreamHandler(takingFrames: take))
    }

    private func handleStream(_ handler: StreamHandler) {
        let former = packetHandler.take()
        rare.streamHandler = isPaced ? handler.spendingTokens() : handler
        handlerChanged()
        withExtendedLifetime(former) {}
    }

    /// What the handler before left behind is not to wait for further bytes.
    private func handlerChanged() {
        inbound.interrupt()
        if inbound.hasKept { wake() }
    }

    /// Calls `handler` once, when what came breaks the protocol (a packet's, a framing's, or what
    /// `onBytes` asks for), before the session closes for it: it may send what tells the peer so.
    /// Nothing is delivered any more. On the loop's thread.
    public func onProtocolFault(_ handler: @escaping (Session, ProtocolFault) -> Void) {
        registry.requireLoop("Session.onProtocolFault")
        if !isClosing { rare.faultHandler = handler }
    }

    /// Calls `handler` once, when the session has ended, with the reason: at the end of the turn,
    /// also when it has ended in this turn already. No other handler is called after it, and all
    /// handlers are dropped then. It is not called for a session whose end has been told.
    public func onClose(_ handler: @escaping (Session, CloseReason) -> Void) {
        registry.requireLoop("Session.onClose")
        guard !isReleased else { return }
        let former = closeHandler.take()
        closeHandler = handler
        withExtendedLifetime(former) {}
    }

    /// Calls `handler` with false when a turn ends with more output waiting than the high
    /// watermark, and with true, once, when there is room again after that, or after `isWritable`
    /// answered false: no more waits than the low watermark, in the output phase of a turn. It is
    /// never called within `send`.
    public func onWritabilityChange(_ handler: @escaping (Session, Bool) -> Void) {
        registry.requireLoop("Session.onWritabilityChange")
        if !hasEnded { rare.writabilityHandler = handler }
    }

    /// Calls `handler` when the peer has ended its stream and the session stays open for sending:
    /// by `SessionOptions.allowsHalfClose`, or because it owes a reply (`replyAddress(of:)`). Who
    /// asked and is gone has ended its stream, too; a handler that closes the session gives up what
    /// it owes. The end is found by reading: a session that is paused, or owes as many replies as
    /// it may, is told of it later.
    public func onPeerFinished(_ handler: @escaping (Session) -> Void) {
        registry.requireLoop("Session.onPeerFinished")
        if !hasEnded { rare.peerFinishedHandler = handler }
    }
}
