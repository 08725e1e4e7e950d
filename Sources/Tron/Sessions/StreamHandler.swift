// Handlers of bytes that are not packets: what they take from the front of a stream.

/// What was made of the bytes at the front of a session's stream.
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
    private let wantsEverything: Bool
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
            if count > session.settings.maximumDataLength, !session.inbound.isInterrupted {
                return .fault(.tooManyUnconsumedBytes(count))
            }
            // It may have something to say to the same bytes, another time.
            return .needs(0)
        }
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

/// Has a handler take the frames that a framing finds.
final class FrameReader<F: Framing> {
    /// A framing cannot reach this reader, and is called by nobody else: no two accesses overlap,
    /// and the run-time check for that, on every frame, is left out.
    @exclusivity(unchecked) private var framing: F
    private let maximumLength: Int
    private let handler: (Session, borrowing Frame<F.Layout>) -> Void

    init(
        _ framing: F, _ handler: @escaping (Session, borrowing Frame<F.Layout>) -> Void
    ) {
        unsafe self.framing = framing
        maximumLength = framing.maximumFrameLength
        self.handler = handler
    }

    /// Looks for one frame, judges what the framing says, and has the frame handled.
    func take(_ session: Session, _ bytes: RawSpan) -> StreamStep {
        let count = bytes.byteCount
        switch unsafe framing.nextFrame(in: bytes) {
        case .frame(let layout, let length):
            if let fault = fault(in: layout, length, of: count) { return .fault(fault) }
            session.inbound.countPacket()
            let frame = unsafe bytes.extracting(unchecked: 0..<length)
            handler(session, Frame(bytes: frame, layout: layout))
            return .took(length)
        case .needs(let needed):
            if needed <= count { return .fault(.framingMadeNoProgress(bytes: count)) }
            if needed > maximumLength { return .fault(.frameTooLong(maximum: maximumLength)) }
            return .needs(needed)
        case .fault(let fault): return .fault(fault)
        }
    }

    /// What is wrong with a frame of `length` bytes, of `count` that there are.
    private func fault(in layout: F.Layout, _ length: Int, of count: Int) -> ProtocolFault? {
        if length == 0 { return .framingMadeNoProgress(bytes: count) }
        guard (0...count).contains(length) else {
            return .consumedTooMuch(consumed: length, of: count)
        }
        if length > maximumLength { return .frameTooLong(maximum: maximumLength) }
        // A content that is not within its frame must not be read; where the parts of another
        // layout are, only its handler knows, and `RawSpan` checks that.
        guard F.Layout.self == Range<Int>.self else { return nil }
        let content = unsafe unsafeBitCast(layout, to: Range<Int>.self)
        if content.lowerBound >= 0 && content.upperBound <= length { return nil }
        let place = content.lowerBound < 0 ? content.lowerBound : content.upperBound
        return .consumedTooMuch(consumed: place, of: length)
    }
}
