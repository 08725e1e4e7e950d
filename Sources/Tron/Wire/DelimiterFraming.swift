// Frames that end with a delimiter.

/// Frames that end with a delimiter of one byte or several, which is not part of the content.
///
/// The first place where the delimiter is ends the frame. Every byte is looked at once, whatever
/// the delimiter: one that repeats itself does not make it more.
public struct DelimiterFraming: Framing, Sendable {
    private let delimiter: [UInt8]
    /// When so many bytes of the delimiter (the index, plus one) match and the next does not: how
    /// many of the last bytes are still a beginning of it.
    private let fallbacks: [Int]
    private let maximumLength: Int
    private var scanned = 0
    /// How many of the last scanned bytes are a beginning of the delimiter.
    private var matched = 0

    /// Frames of at most `maximumLength` bytes without the delimiter, which has at least one byte:
    /// together up to 1 GiB. A longer frame is `ProtocolFault.frameTooLong`.
    public init(_ delimiter: [UInt8], maximumLength: Int) {
        demand(!delimiter.isEmpty, "a delimiter has at least one byte")
        FramingLimits.validate(maximumLength: maximumLength, overhead: delimiter.count)
        self.delimiter = delimiter
        self.maximumLength = maximumLength
        fallbacks = Self.fallbacks(of: delimiter)
    }

    /// The longest content and the delimiter.
    public var maximumFrameLength: Int { maximumLength + delimiter.count }

    /// Looks for the delimiter.
    public mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        let limit = min(bytes.byteCount, maximumFrameLength)
        while scanned < limit {
            if matched == 0 {
                guard let start = bytes.firstOffset(of: delimiter[0], in: scanned..<limit) else {
                    scanned = limit
                    break
                }
                matched = 1
                scanned = start + 1
            } else {
                match(bytes.byte(at: scanned))
                scanned += 1
            }
            if matched == delimiter.count { return delimited() }
        }
        // What is no beginning of the delimiter is content.
        guard scanned - matched <= maximumLength else {
            return .fault(.frameTooLong(maximum: maximumLength))
        }
        return .needs(atLeast: bytes.byteCount + delimiter.count - matched)
    }

    private mutating func match(_ byte: UInt8) {
        while matched > 0 && delimiter[matched] != byte { matched = fallbacks[matched - 1] }
        if delimiter[matched] == byte { matched += 1 }
    }

    private mutating func delimited() -> FramingStep<Range<Int>> {
        let length = scanned
        (scanned, matched) = (0, 0)
        return .frame(0..<length - delimiter.count, length: length)
    }

    /// Of each beginning of the delimiter, the longest proper end that is a beginning as well
    /// (Knuth, Morris and Pratt).
    private static func fallbacks(of delimiter: [UInt8]) -> [Int] {
        var fallbacks = [0]
        for byte in delimiter.dropFirst() {
            var matched = fallbacks[fallbacks.count - 1]
            while matched > 0 && delimiter[matched] != byte { matched = fallbacks[matched - 1] }
            fallbacks.append(delimiter[matched] == byte ? matched + 1 : 0)
        }
        return fallbacks
    }
}

extension Framing where Self == DelimiterFraming {
    /// Frames that end with a delimiter: see `DelimiterFraming`.
    public static func delimited(by delimiter: [UInt8], maximumLength: Int) -> DelimiterFraming {
        DelimiterFraming(delimiter, maximumLength: maximumLength)
    }
}
