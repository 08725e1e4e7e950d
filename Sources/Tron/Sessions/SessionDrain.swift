// How a drain ends a session: its goodbye, then the replies that it owes, then its close.

/// How far a drain has come with a session.
enum DrainStep {
    case notBegun
    /// The application is being told.
    case telling
    /// The session closes once it owes no reply.
    case waiting
}

extension Session {
    /// Calls `handler` when a drain of the server reaches this session, once, before anything else
    /// is done to it: it may say goodbye in its protocol, close or abort. On the loop's thread.
    ///
    /// From then on nothing more is delivered, so that what is owed can only become less: requests
    /// that no handler has seen are not answered. The session closes as by `close()` with the last
    /// reply that it owes, or right after the handler if it owes none.
    public func onDrain(_ handler: @escaping (Session) -> Void) {
        registry.requireLoop("Session.onDrain")
        if !hasEnded { rare.drainHandler = handler }
    }

    /// Ends the session as by `close()`, but not while it owes replies.
    func drain() {
        guard !isClosing, rare.drainStep == .notBegun else { return }
        rare.drainStep = .telling
        inbound.pause(by: .drain)
        flushLater()
        let handler = rare.drainHandler
        rare.drainHandler = nil
        handler?(self)
        rare.drainStep = .waiting
        closeIfAnswered()
    }

    /// A drained session that owes nothing any more closes.
    func closeIfAnswered() {
        guard let rareState, rareState.drainStep == .waiting, rareState.debts.count == 0 else {
            return
        }
        beginClose(.requested)
    }
}
