// Frames that are lines of text.

/// Lines that end with LF or CR LF, which are not part of the content. A CR elsewhere is.
public struct LineFraming: Framing, Sendable {
    private static let lineFeed: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d

    private let maximumLength: Int
    /// So many bytes of the line at hand are known to hold no LF.
    private var scanned = 0

    /// Lines of at most `maximumLength` bytes without their end: 0 to 1 GiB, by default 64 KiB,
    /// which is more than people write and protocols send. A longer one is
    /// `ProtocolFault.frameTooLong`.
    public init(maximumLength: Int = 64 << 10) {
        FramingLimits.validate(maximumLength: maximumLength, overhead: 2)
        self.maximumLength = maximumLength
    }

    /// The longest line with CR LF.
    public var maximumFrameLength: Int { maximumLength + 2 }

    /// Looks for the line's end.
    public mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        let limit = min(bytes.byteCount, maximumFrameLength)
        guard let end = bytes.firstOffset(of: Self.lineFeed, in: scanned..<limit) else {
            scanned = limit
            return lineGoesOn(bytes)
        }
        scanned = 0
        let endsWithReturn = end > 0 && bytes.byte(at: end &- 1) == Self.carriageReturn
        let length = endsWithReturn ? end &- 1 : end
        guard length <= maximumLength else {
            return .fault(.frameTooLong(maximum: maximumLength))
        }
        return .frame(0..<length, length: end &+ 1)
    }

    /// Behind as many bytes as a line may have, only its end may follow.
    private func lineGoesOn(_ bytes: RawSpan) -> FramingStep<Range<Int>> {
        let count = bytes.byteCount
        if count > maximumLength {
            let mayEnd = bytes.byte(at: maximumLength) == Self.carriageReturn
            if count >= maximumFrameLength || !mayEnd {
                return .fault(.frameTooLong(maximum: maximumLength))
            }
        }
        return .needs(atLeast: count + 1)
    }
}

extension Framing where Self == LineFraming {
    /// Lines that end with LF or CR LF: see `LineFraming`.
    public static func lines(maximumLength: Int = 64 << 10) -> LineFraming {
        LineFraming(maximumLength: maximumLength)
    }
}
