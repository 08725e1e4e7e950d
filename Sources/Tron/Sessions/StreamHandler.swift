// Handlers of bytes that are not packets: what they take from the front of a stream.

/// What was made of the bytes at the front of a session's stream.
@usableFromInline
enum StreamStep {
    /// So many were taken, at least one.
    case took(Int)
    /// None, and none will be before there are so many.
    case needs(Int)
    case fault(ProtocolFault)
}

/// A handler of bytes or of frames, whatever the framing is.
final class StreamHandler {
    /// How few bytes are not worth a call of their own: when a frame lacks less, as many are copied
    /// behind its beginning, if they have come. Those that it does not take are read where they
    /// were received.
    private static let leastJoined = 1024

    /// Has the handler take what it will from the front of what it is given.
    let take: (Session, RawSpan) -> StreamStep
    /// Whether it is to see everything that there is in one piece.
    let wantsEverything: Bool
    /// It is not called before so many bytes are there, counted from the first that was not taken.
    private(set) var needed = 0

    /// `take` is a `FrameReader`'s.
    init(takingFrames take: @escaping (Session, RawSpan) -> StreamStep) {
        self.take = take
        wantsEverything = false
    }

    /// Checks what a handler of bytes says that it consumed. A peer's bytes may have misled it, so
    /// that what cannot be ends the session and not the process.
    init(takingBytes handler: @escaping (Session, RawSpan) -> Int) {
        wantsEverything = true
        take = { session, bytes in
            let count = bytes.byteCount
            let consumed = handler(session, bytes)
            guard (0...count).contains(consumed) else {
                return .fault(.consumedTooMuch(consumed: consumed, of: count))
            }
            if consumed > 0 {
                session.inbound.countPacket()
                return .took(consumed)
            }
            // It may have something to say to the same bytes, another time.
            return .needs(0)
        }
    }

    private init(_ take: @escaping (Session, RawSpan) -> StreamStep, wantsEverything: Bool) {
        self.take = take
        self.wantsEverything = wantsEverything
    }

    /// The same for a session whose packets have a limit a second.
    func spendingTokens() -> StreamHandler {
        StreamHandler(
            { [take] session, bytes in
                let step = take(session, bytes)
                if case .took = step { session.spendToken() }
                return step
            }, wantsEverything: wantsEverything)
    }

    /// Remembers what the last step says of the bytes that come next.
    func note(_ step: StreamStep) {
        if case .needs(let count) = step { needed = count } else { needed = 0 }
    }

    /// How many bytes more may be received behind those that are kept.
    func lacks(beside kept: Int) -> Int { wantsEverything ? .max : max(0, needed - kept) }

    /// How many of the fresh bytes are to be copied behind the kept ones before it is called.
    func joins(_ fresh: Int, to kept: Int) -> Int {
        if wantsEverything { return fresh }
        return needed > kept ? min(fresh, max(needed - kept, Self.leastJoined)) : 0
    }
}
