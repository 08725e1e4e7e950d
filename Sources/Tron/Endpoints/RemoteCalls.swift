// What other threads and tasks ask of a reactor: to send, to reply, to count, to drain.

extension RemoteReactor {
    /// Sends a packet through the session of this name; nothing happens if it has ended. What the
    /// session says to it is not told: who needs to know uses `submit`. From any thread.
    @discardableResult
    public func send(
        to session: SessionID, sequence: Int32 = -1, category: UInt8, data: [UInt8]
    ) -> Submission {
        submit { $0.session(session)?.send(sequence: sequence, category: category, data: data) }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func send(
        to session: SessionID, sequence: Int32 = -1, category: UInt8, data: String
    ) -> Submission {
        send(to: session, sequence: sequence, category: category, data: [UInt8](data.utf8))
    }

    /// Sends a packet through every session of packets of every server. From any thread.
    @discardableResult
    public func broadcast(category: UInt8, data: [UInt8]) -> Submission {
        submit { $0.broadcast(category: category, data: data) }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func broadcast(category: UInt8, data: String) -> Submission {
        broadcast(category: category, data: [UInt8](data.utf8))
    }

    /// Answers a request (`Reactor.reply(to:data:)`), from any thread. It is never refused because
    /// too much waits for the loop. A reply that is too large, or for which there is no room, is
    /// lost, since nobody would give another: it is not owed any more, counts as unanswered in the
    /// report of a drain, and is told as `ReactorEvent.replyLost`. Who needs to know uses `submit`.
    @discardableResult
    public func reply(to address: ReplyAddress, data: [UInt8]) -> Submission {
        submitOwed { $0.replyOrLose(address, data) }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func reply(to address: ReplyAddress, data: String) -> Submission {
        reply(to: address, data: [UInt8](data.utf8))
    }

    /// Says that a request gets no reply (`Reactor.refuse(_:)`), from any thread.
    @discardableResult
    public func refuse(_ address: ReplyAddress) -> Submission {
        submitOwed { $0.refuse(address) }
    }

    private func submitOwed(_ work: @escaping @Sendable (Reactor) -> Void) -> Submission {
        submitAlways(work) ? .accepted : .stopped
    }

    /// What the reactor has done so far; nil once it has stopped. From any task; one that is
    /// cancelled waits for the numbers all the same, which takes a turn.
    public func snapshot() async -> ReactorSnapshot? {
        await result { reactor, give in give(reactor.snapshot()) }
    }

    /// Drains all servers and then stops the reactor: see
    /// `Reactor.drain(within:spread:notice:completion:)`. Returns when they are drained, before the
    /// farewell: the end is that of `run()`. Of a reactor that has stopped the report is all zero:
    /// it has no sessions. From any task; cancelling it changes nothing, and `stop()` ends a drain
    /// at once.
    @discardableResult
    public func drain(
        within deadline: Duration, spread: Duration = .zero, notice: Duration = .zero
    ) async -> DrainReport {
        await result { reactor, give in
            reactor.drain(within: deadline, spread: spread, notice: notice, completion: give)
        } ?? DrainReport()
    }

    /// What `work` gives, once, on the loop; nil once the reactor has stopped. Each caller waits
    /// for its own, so that what waits is bounded by the tasks that there are.
    private func result<Value: Sendable>(
        _ work: @escaping @Sendable (Reactor, @escaping (Value) -> Void) -> Void
    ) async -> Value? {
        await unsafe withUnsafeContinuation { continuation in
            let isAccepted = submitAlways { reactor in
                work(reactor) { unsafe continuation.resume(returning: $0) }
            }
            if !isAccepted { unsafe continuation.resume(returning: nil) }
        }
    }
}

extension Reactor {
    fileprivate func replyOrLose(_ address: ReplyAddress, _ data: [UInt8]) {
        let (outcome, isLost) = replyOnce(to: address, data: data)
        if isLost { registry.endpoints.report(.replyLost(address.session, outcome)) }
    }
}
