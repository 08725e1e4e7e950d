// Answering later: what names a request while its packet is gone, and the reply that is owed to it.

/// Where the answer to a request goes: a small value to keep, and to carry to other threads, while
/// the answer is being made. Names a session that may end meanwhile; it never names another.
///
/// From `Session.replyAddress(of:)` on the session owes one reply, whatever becomes of the value
/// and its copies, until `Reactor.reply(to:data:)` has given it or `Reactor.refuse(_:)` has said
/// that there will be none.
public struct ReplyAddress: Hashable, Sendable {
    /// The session that the request came through.
    public let session: SessionID

    /// The request's sequence.
    public let sequence: Int32

    /// The reply's category: the request's, unless it is set to another.
    public var category: UInt8

    /// Tells the request from others of its session, since peers may repeat sequences.
    let debt: SlabKey
}

/// What became of a reply.
public enum ReplyOutcome: Hashable, Sendable {
    /// Taken, as by `SendOutcome.queued`, and no longer owed.
    case queued
    /// Refused: it was given or refused before. The session is unharmed.
    case notOwed
    /// Refused: the session is closing or closed, and owes nothing.
    case closed
    /// Refused, as by `SendOutcome.tooLarge`, and still owed.
    case tooLarge
    /// Refused, as by `SendOutcome.overflow`, and still owed unless the session ends for it.
    case overflow
    /// Refused, as by `SendOutcome.overCapacity`, and still owed.
    case overCapacity
    /// Refused, as by `SendOutcome.interrupted`, and still owed.
    case interrupted

    /// Whether it was taken.
    public var isQueued: Bool { self == .queued }

    fileprivate init(_ outcome: SendOutcome) {
        self =
            switch outcome {
            case .queued: .queued
            case .closed: .closed
            case .tooLarge: .tooLarge
            case .overflow: .overflow
            case .overCapacity: .overCapacity
            case .interrupted: .interrupted
            }
    }
}

extension Session {
    /// What the answer to a packet of this session needs, for `Reactor.reply(to:data:)`. To be
    /// asked for while the packet's handler runs; asked for again, it is the same.
    ///
    /// The session then owes a reply: a drain waits for it. Whoever has asked for the address
    /// answers by it, also at once, or refuses. While the session owes
    /// `SessionLimits.maximumOwedReplies`, it does not read. When the peer ends its stream, the
    /// session stays until what it owes is given or refused, for at most
    /// `SessionLimits.halfCloseTimeout`: whether the peer still waits, an end of stream does not
    /// tell. `onPeerFinished` tells of it, for who does not want to answer then, and a `heartbeat`
    /// asks whether somebody is there. One that takes no packets any more owes nothing. On the
    /// loop's thread.
    public func replyAddress(of packet: borrowing Packet) -> ReplyAddress {
        registry.requireLoop("Session.replyAddress(of:)")
        return ReplyAddress(
            session: id, sequence: packet.sequence, category: packet.category, debt: owe())
    }

    /// Replies that were asked for with `replyAddress(of:)` and neither given nor refused.
    public var owedReplyCount: Int { rareState?.debts.count ?? 0 }

    /// Replies that were owed and never given, of a session that is closing or has ended.
    var lostReplyCount: Int { rareState?.debts.lost ?? 0 }

    private func owe() -> SlabKey {
        guard outbound.writing == .open else { return .none }
        let debt = rare.debts.owe(
            packet: inbound.packetsReceived, atMost: settings.options.limits.maximumOwedReplies)
        pauseUnlessItMayOweMore()
        return debt
    }

    private var mayOweMore: Bool {
        rare.debts.count < settings.options.limits.maximumOwedReplies
            && outbound.count <= settings.outboundCapacity
    }

    private func pauseUnlessItMayOweMore() {
        if mayOweMore { return }
        inbound.pause(by: .debts)
        flushLater()
    }

    /// Reading goes on if it was for its debts that the session did not read.
    func goOnOwing() {
        if mayOweMore, goOnReading(.debts) { flushLater() }
    }

    /// Has `send` queue the reply, if one is owed, in the room that there is for it.
    fileprivate func give<Failure>(
        _ address: ReplyAddress, by send: () throws(Failure) -> SendOutcome
    ) throws(Failure) -> ReplyOutcome {
        guard outbound.writing == .open else { return ReplyOutcome(try send()) }
        guard let rareState, rareState.debts.owes(address.debt) else { return .notOwed }
        rareState.debts.beginGiving()
        defer { rareState.debts.endGiving() }
        let outcome = ReplyOutcome(try send())
        if outcome == .queued {
            settle(address.debt)
            pauseUnlessItMayOweMore()
        }
        return outcome
    }

    /// The reply is given or refused: reading may go on, and a drain too.
    @discardableResult
    fileprivate func settle(_ debt: SlabKey) -> Bool {
        guard let rareState, rareState.debts.settle(debt) else { return false }
        goOnOwing()
        closeIfAnswered()
        return true
    }

    /// The reply can never be given: whoever waits for it need not any more.
    fileprivate func lose(_ debt: SlabKey) -> Bool {
        guard let rareState, rareState.debts.lose(debt) else { return false }
        goOnOwing()
        closeIfAnswered()
        return true
    }

    /// Whether what is queued now is an owed reply that has room of its own.
    func hasRoomForOwed(_ length: Int) -> Bool {
        guard let rareState, rareState.debts.isGiving else { return false }
        let limits = settings.options.limits
        return length <= limits.reservedReply
            && outbound.count + length <= limits.outboundCapacityWithReplies
    }

    /// What is owed can never be given any more.
    func abandonDebts() {
        guard let rareState, rareState.debts.count > 0 else { return }
        rareState.debts.abandon()
        if goOnReading(.debts) { flushLater() }
        closeIfAnswered()
    }
}

extension Reactor {
    /// Answers a request later: from another callback, or from another thread by
    /// `RemoteReactor.reply(to:data:)`. On the loop's thread.
    @discardableResult
    public func reply(to address: ReplyAddress, data: RawSpan) -> ReplyOutcome {
        guard let session = session(address.session) else { return .closed }
        return session.give(address) {
            session.send(sequence: address.sequence, category: address.category, data: data)
        }
    }

    /// The same with bytes of the caller's own.
    @discardableResult
    public func reply(to address: ReplyAddress, data: [UInt8]) -> ReplyOutcome {
        unsafe reply(to: address, data: data.span.bytes)
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func reply(to address: ReplyAddress, data: String) -> ReplyOutcome {
        unsafe reply(to: address, data: data.utf8Span.span.bytes)
    }

    /// Answers a request later with a packet whose data `encode` writes, whole or not at all: see
    /// `Session.send(sequence:category:capacity:_:)`. The closure is not called when no reply is
    /// owed or the request's session has ended. On the loop's thread.
    @discardableResult
    public func reply<Failure>(
        to address: ReplyAddress, capacity: Int,
        _ encode: (inout ByteWriter) throws(Failure) -> Void
    ) throws(Failure) -> ReplyOutcome {
        guard let session = session(address.session) else { return .closed }
        return try session.give(address) { () throws(Failure) in
            try session.send(
                sequence: address.sequence, category: address.category, capacity: capacity
            ) { output throws(Failure) in
                // Room is made: what the closure itself queues is not owed.
                session.rareState?.debts.endGiving()
                try encode(&output)
            }
        }
    }

    /// Gives the reply, or gives it up. What became of it.
    func replyOnce(to address: ReplyAddress, data: [UInt8]) -> (ReplyOutcome, isLost: Bool) {
        let outcome = reply(to: address, data: data)
        if outcome.isQueued { return (outcome, false) }
        return (outcome, session(address.session)?.lose(address.debt) ?? false)
    }

    /// Says that a request gets no reply: nothing is sent, and nothing is owed any more. On the
    /// loop's thread.
    /// - Returns: false when no reply was owed.
    @discardableResult
    public func refuse(_ address: ReplyAddress) -> Bool {
        session(address.session)?.settle(address.debt) ?? false
    }
}
