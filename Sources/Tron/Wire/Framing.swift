// How a stream of bytes is cut into frames: what every framing promises.

/// Cuts a stream of bytes into frames: lines, records behind a length, or whatever a protocol has.
/// Does no I/O. `Session.onFrames(of:_:)` drives it; `LineFraming`, `DelimiterFraming`,
/// `LengthPrefixFraming` and `FixedLengthFraming` are the ones that most protocols need.
///
/// A session has its own copy of its framing, which remembers how far it has looked, so that no
/// byte is looked at twice. What a framing says is checked: one that a peer's bytes mislead ends
/// its session with a `ProtocolFault`, not the process.
public protocol Framing {
    /// Where the parts of a frame are, as places in its bytes: a value, such as one range or
    /// several. Of simple framings it is the range of the frame's content.
    associatedtype Layout = Range<Int>

    /// The bytes of the longest frame, with all that belongs to it: at least 1. Does not change. A
    /// longer frame ends the session with `ProtocolFault.frameTooLong`.
    var maximumFrameLength: Int { get }

    /// Looks for the frame that begins with the first of `bytes`, of which there is at least one.
    ///
    /// After a frame, the next call has the bytes behind it. After `needs`, it has the same bytes
    /// and more behind them, at least as many as were asked for. After a fault there is none.
    mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Layout>
}

/// What a framing makes of the bytes it has.
public enum FramingStep<Layout> {
    /// The first `length` bytes are a frame: at least one, and no more than there are.
    case frame(Layout, length: Int)
    /// No whole frame is there before there are this many bytes: more than there are, counted from
    /// the frame's beginning. To be said as soon as a header tells it, so that too long a frame is
    /// refused before it has arrived, and the bytes are received to where they stay.
    case needs(atLeast: Int)
    /// The bytes are no frame. The session ends; earlier frames were delivered.
    case fault(ProtocolFault)
}

extension FramingStep: Equatable where Layout: Equatable {}

extension FramingStep: Sendable where Layout: Sendable {}

/// A received frame whose bytes still lie in the receive buffer.
///
/// It is valid while the handler runs that was given it, and the compiler refuses to let it
/// escape. `copy()` makes an array to keep.
public struct Frame<Layout>: ~Escapable {
    /// All bytes of the frame, with its header or its delimiter.
    public let bytes: RawSpan

    /// Where the frame's parts are in `bytes`.
    public let layout: Layout

    @inlinable
    @_lifetime(copy bytes)
    init(bytes: RawSpan, layout: Layout) {
        self.bytes = bytes
        self.layout = layout
    }
}

extension Frame where Layout == Range<Int> {
    /// What the frame carries: its bytes without header or delimiter. They may be any bytes.
    public var content: RawSpan {
        // The range was checked before a handler was given the frame.
        @_lifetime(copy self) get { unsafe bytes.extracting(unchecked: layout) }
    }

    /// A copy of the content that may be kept and sent to other threads. Allocates.
    public func copy() -> [UInt8] { content.copy() }

    /// The content as text; bytes that are not UTF-8 appear as U+FFFD.
    public var text: String { content.text }
}

/// The bounds of the library's own framings.
enum FramingLimits {
    /// Bytes of the longest frame that a framing may be made for: as with packets, 1 GiB, so that
    /// sums of lengths do not overflow.
    static let largestFrame = 1 << 30

    /// Traps on a framing whose longest frame would be longer.
    static func validate(maximumLength: Int, overhead: Int) {
        demand(
            (0...largestFrame).contains(maximumLength)
                && (0...largestFrame - maximumLength).contains(overhead),
            "a framing: frames of 0 bytes to 1 GiB, header or delimiter included")
    }
}
