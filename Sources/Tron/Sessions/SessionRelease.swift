// The release of a session that has ended: everything is given back, and its user is told.

extension Session {
    /// Gives everything back and reports. The only place that closes the descriptor.
    func release() {
        deadlines.cancel(registry)
        if rareState?.resets == true { try? descriptor.resetOnClose() }
        registry.close(&descriptor, isInEpoll: watch.isInEpoll)
        inbound.release(to: buffers)
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

    func reactorStops() { end(.reactorStopped) }
}
