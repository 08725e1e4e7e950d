// What other threads, and other reactors, ask of a group: to send to a session, or to all.

extension ReactorGroup {
    /// The index of the session's reactor; nil for a session of none of the group's. From any
    /// thread.
    public func index(of session: SessionID) -> Int? { run.reactor(of: session)?.index }

    /// Calls `work` with the session of this name on its reactor's loop, as by
    /// `RemoteReactor.submit`; `work` is dropped where the session has ended. From any thread.
    /// - Returns: what became of it; `.stopped` also where the session is none of the group's.
    @discardableResult
    public func submit(
        to session: SessionID, _ work: @escaping @Sendable (Session) -> Void
    ) -> Submission {
        submit(onReactorOf: session) { remote in
            remote.submit { reactor in
                if let session = reactor.session(session) { work(session) }
            }
        }
    }

    /// Has a call made for the reactor of this session, if it is one of the group's.
    private func submit(
        onReactorOf session: SessionID, _ call: (RemoteReactor) -> Submission
    ) -> Submission {
        run.reactor(of: session).map { call($0.remote) } ?? .stopped
    }

    /// Sends a packet through the session of this name, on whichever reactor it is: see
    /// `RemoteReactor.send(to:sequence:category:data:)`. From any thread.
    @discardableResult
    public func send(
        to session: SessionID, sequence: Int32 = -1, category: UInt8, data: [UInt8]
    ) -> Submission {
        submit(onReactorOf: session) {
            $0.send(to: session, sequence: sequence, category: category, data: data)
        }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func send(
        to session: SessionID, sequence: Int32 = -1, category: UInt8, data: String
    ) -> Submission {
        send(to: session, sequence: sequence, category: category, data: [UInt8](data.utf8))
    }

    /// Answers a request of whichever reactor: see `RemoteReactor.reply(to:data:)`. From any
    /// thread.
    @discardableResult
    public func reply(to address: ReplyAddress, data: [UInt8]) -> Submission {
        submit(onReactorOf: address.session) { $0.reply(to: address, data: data) }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func reply(to address: ReplyAddress, data: String) -> Submission {
        reply(to: address, data: [UInt8](data.utf8))
    }

    /// Says that a request gets no reply: see `RemoteReactor.refuse(_:)`. From any thread.
    @discardableResult
    public func refuse(_ address: ReplyAddress) -> Submission {
        submit(onReactorOf: address.session) { $0.refuse(address) }
    }

    /// Has `work` run on every reactor's loop, as by `RemoteReactor.submit`. From any thread.
    /// - Returns: for each of `remotes` what became of it.
    @discardableResult
    public func submitToAll(_ work: @escaping @Sendable (Reactor) -> Void) -> [Submission] {
        remotes.map { $0.submit(work) }
    }

    /// Sends a packet through every session of packets of every server: once to each reactor, which
    /// encodes it once for all its sessions (`Reactor.broadcast`). From any thread.
    /// - Returns: for each of `remotes` what became of it.
    @discardableResult
    public func broadcast(category: UInt8, data: [UInt8]) -> [Submission] {
        remotes.map { $0.broadcast(category: category, data: data) }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func broadcast(category: UInt8, data: String) -> [Submission] {
        broadcast(category: category, data: [UInt8](data.utf8))
    }
}
