// Frames whose length is known before their end comes: from a header, or once and for all.

/// Frames that begin with a header whose last bytes tell the length.
///
///     | offset bytes | length (1, 2, 4 or 8 bytes) | content ...                |
///     | header                                     |                            |
///
/// The content begins behind the length; what is before that is in the frame's `bytes`. The length
/// is judged as soon as the header is there. Of one that is too long nothing more is received
/// (`ProtocolFault.dataTooLong`), and one that counts itself must not be less than that
/// (`ProtocolFault.malformedFrame`, with the length as the code).
public struct LengthPrefixFraming: Framing, Sendable {
    /// How many bytes the length has.
    public enum Width: Int, Sendable, CaseIterable {
        /// 1 byte.
        case one = 1
        /// 2 bytes.
        case two = 2
        /// 4 bytes.
        case four = 4
        /// 8 bytes.
        case eight = 8
    }

    /// What the length counts.
    public enum Counting: Sendable, CaseIterable {
        /// The bytes behind the length.
        case content
        /// The length's own bytes and those behind it.
        case lengthAndContent
        /// The whole frame.
        case frame
    }

    private let offset: Int
    private let width: Width
    private let order: ByteOrder
    private let maximumLength: Int
    /// How much more than the content the length counts.
    private let counted: Int

    /// Frames with at most `maximumLength` bytes of content, which with the header makes up to
    /// 1 GiB. `offset` is how many bytes of the header come before the length.
    public init(
        _ width: Width, _ order: ByteOrder = .bigEndian, counting: Counting = .content,
        at offset: Int = 0, maximumLength: Int
    ) {
        demand(
            (0...FramingLimits.largestFrame).contains(offset),
            "a length prefix: 0 bytes to 1 GiB before it")
        FramingLimits.validate(maximumLength: maximumLength, overhead: offset + width.rawValue)
        self.offset = offset
        self.width = width
        self.order = order
        self.maximumLength = maximumLength
        counted =
            switch counting {
            case .content: 0
            case .lengthAndContent: width.rawValue
            case .frame: offset + width.rawValue
            }
    }

    private var headerLength: Int { offset &+ width.rawValue }

    /// The header and the longest content.
    public var maximumFrameLength: Int { headerLength + maximumLength }

    /// Judges the header, and waits for the content.
    public func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        guard bytes.byteCount >= headerLength else { return .needs(atLeast: headerLength) }
        let announced = length(in: bytes)
        guard announced >= UInt64(counted) else {
            return .fault(.malformedFrame(code: Int(announced)))
        }
        let contentLength = announced - UInt64(counted)
        guard contentLength <= UInt64(maximumLength) else {
            return .fault(.dataTooLong(announced: Int(clamping: contentLength)))
        }
        let length = headerLength &+ Int(contentLength)
        guard bytes.byteCount >= length else { return .needs(atLeast: length) }
        return .frame(headerLength..<length, length: length)
    }

    /// Of whatever width: the header was found to be whole.
    private func length(in bytes: RawSpan) -> UInt64 {
        func load<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> UInt64 {
            let value = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: Value.self)
            return UInt64(order.arrange(value))
        }
        return switch width {
        case .one: load(UInt8.self)
        case .two: load(UInt16.self)
        case .four: load(UInt32.self)
        case .eight: load(UInt64.self)
        }
    }
}

extension Framing where Self == LengthPrefixFraming {
    /// Frames behind their length: see `LengthPrefixFraming`.
    public static func lengthPrefixed(
        _ width: LengthPrefixFraming.Width, _ order: ByteOrder = .bigEndian,
        counting: LengthPrefixFraming.Counting = .content, at offset: Int = 0, maximumLength: Int
    ) -> LengthPrefixFraming {
        LengthPrefixFraming(
            width, order, counting: counting, at: offset, maximumLength: maximumLength)
    }
}

/// Frames that all have the same length.
public struct FixedLengthFraming: Framing, Sendable {
    private let length: Int

    /// Frames of `length` bytes: 1 to 1 GiB.
    public init(_ length: Int) {
        demand(length > 0, "a fixed length is at least one byte")
        FramingLimits.validate(maximumLength: length, overhead: 0)
        self.length = length
    }

    /// The length of every frame.
    public var maximumFrameLength: Int { length }

    /// Waits for as many bytes as a frame has.
    public func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        guard bytes.byteCount >= length else { return .needs(atLeast: length) }
        return .frame(0..<length, length: length)
    }
}

extension Framing where Self == FixedLengthFraming {
    /// Frames that all have the same length: see `FixedLengthFraming`.
    public static func fixedLength(_ length: Int) -> FixedLengthFraming {
        FixedLengthFraming(length)
    }
}
