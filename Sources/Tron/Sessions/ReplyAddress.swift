// Answering later: what names a request while its packet is gone.

/// Where the answer to a request goes: a small value to keep, and to carry to other threads, while
/// the answer is being made. Names a session that may end meanwhile; it never names another.
public struct ReplyAddress: Hashable, Sendable {
    /// The session that the request came through.
    public let session: SessionID

    /// The request's sequence.
    public let sequence: Int32

    /// The request's category.
    public let category: UInt8
}

extension Session {
    /// What the answer to a packet of this session needs, for `Reactor.reply(to:data:)`.
    public func replyAddress(of packet: borrowing Packet) -> ReplyAddress {
        ReplyAddress(session: id, sequence: packet.sequence, category: packet.category)
    }
}

extension Reactor {
    /// Answers a request later: from another callback, or from another thread by
    /// `remote.submit { reactor in … }`. `.closed` when its session has ended. On the loop's
    /// thread.
    @discardableResult
    public func reply(to address: ReplyAddress, data: RawSpan) -> SendOutcome {
        guard let session = session(address.session) else { return .closed }
        return session.send(sequence: address.sequence, category: address.category, data: data)
    }

    /// The same with bytes of the caller's own.
    @discardableResult
    public func reply(to address: ReplyAddress, data: [UInt8]) -> SendOutcome {
        unsafe reply(to: address, data: data.span.bytes)
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func reply(to address: ReplyAddress, data: String) -> SendOutcome {
        unsafe reply(to: address, data: data.utf8Span.span.bytes)
    }
}
