// What stands between a framing and the handler of its frames: nothing that it says is believed.

/// Has a handler take the frames that a framing finds.
///
/// It is made, and specialised, where its framing is known, which is in the module of the user: for
/// a framing that it knew nothing of, a frame would cost ten times as much.
@usableFromInline
final class FrameReader<F: Framing> {
    /// A framing cannot reach this reader, and is called by nobody else: no two accesses overlap,
    /// and the run-time check for that, on every frame, is left out.
    @usableFromInline @exclusivity(unchecked) var framing: F
    @usableFromInline let maximumLength: Int
    @usableFromInline let handler: (Session, borrowing Frame<F.Layout>) -> Void

    @inlinable
    init(
        _ framing: F, _ handler: @escaping (Session, borrowing Frame<F.Layout>) -> Void
    ) {
        unsafe self.framing = framing
        maximumLength = framing.maximumFrameLength
        self.handler = handler
    }

    /// Looks for one frame, judges what the framing says, and has the frame handled.
    @inlinable
    func take(_ session: Session, _ bytes: RawSpan) -> StreamStep {
        let count = bytes.byteCount
        switch unsafe framing.nextFrame(in: bytes) {
        case .frame(let layout, let length):
            if let fault = fault(in: layout, length, of: count) { return .fault(fault) }
            session.countFrame()
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
    @inlinable
    func fault(in layout: F.Layout, _ length: Int, of count: Int) -> ProtocolFault? {
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

extension Session {
    @usableFromInline
    func countFrame() { inbound.countPacket() }
}
