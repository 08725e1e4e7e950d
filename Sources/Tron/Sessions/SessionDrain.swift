// How a session ends that still owes: a drain's goodbye, then the replies, then its close.

extension Session {
    /// Calls `handler` when a drain of the server reaches this session, or of its reactor one that
    /// no server has, once, before anything else is done to it: it may say goodbye in its protocol,
    /// close or abort. On the loop's thread.
    ///
    /// From then on nothing more is delivered, so that what is owed can only become less: requests
    /// that no handler has seen are not answered. The session closes as by `close()` with the last
    /// reply that it owes, or right after the handler if it owes none and its task is at no packet.
    public func onDrain(_ handler: @escaping (Session) -> Void) {
        registry.requireLoop("Session.onDrain")
        if !hasEnded { rare.drainHandler = handler }
    }

    /// Ends the session as by `close()`, but not while it owes.
    func drain() {
        guard !isClosing, !rare.isDrained else { return }
        rare.isDrained = true
        // The handler may say goodbye, also after the last reply.
        rare.reasonOnceAnswered = nil
        inbound.pause(by: .drain)
        flushLater()
        let handler = rare.drainHandler
        rare.drainHandler = nil
        handler?(self)
        closeOnceAnswered(.requested)
    }

    /// Whether somebody is still to be answered: a request whose reply address was asked for, or
    /// one that the session's task has taken.
    var owes: Bool {
        guard let rareState else { return false }
        return rareState.debts.count > 0 || rareState.face?.owes == true
    }

    /// Ends the session as soon as it owes nothing.
    func closeOnceAnswered(_ reason: CloseReason) {
        guard !isClosing else { return }
        rare.reasonOnceAnswered = reason
        closeIfAnswered()
    }

    /// The session may owe less than before.
    func closeIfAnswered() {
        guard let reason = rareState?.reasonOnceAnswered, !owes else { return }
        beginClose(reason)
    }
}
