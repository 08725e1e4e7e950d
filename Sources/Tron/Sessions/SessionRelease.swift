// The release of a session that has ended: everything is given back, and its user is told.

extension Session {
    /// Gives everything back and reports. The only place that closes the descriptor of a session
    /// that has begun.
    func release() {
        deadlines.cancel(registry)
        if rareState?.resets == true { try? registry.sockets.resetOnClose(descriptor) }
        closeDescriptor(isInEpoll: watch.isInEpoll)
        if inbound.hasBlock { releaseInbound() }
        outbound.release(to: buffers)
        let reason = endReason
        let (handler, packetHandler) = (closeHandler.take(), packetHandler.take())
        host.remove(self, reason)
        if let rareState {
            leaveGroups()
            rareState.face?.sessionEnded(reason)
            dropRareState()
            handler?(self, reason)
            withExtendedLifetime(rareState) {}
        } else {
            handler?(self, reason)
        }
        // What the handlers held may call back when it goes: nothing is left to be done.
        _ = packetHandler
    }

    /// A function of its own, so that the pool is retained only where there is something to give.
    @inline(never)
    private func releaseInbound() { inbound.release(to: buffers) }

    func reactorStops() { end(.reactorStopped) }
}
