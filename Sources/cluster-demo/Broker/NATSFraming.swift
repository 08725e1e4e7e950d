// What a NATS server sends, cut out of a stream of bytes: no I/O, and bounded.
//
// The protocol: docs.nats.io/reference/reference-protocols/nats-protocol.
import Tron

/// The bounds of what the broker sends.
enum BrokerLimits {
    /// Bytes of a line: 64 KiB. An INFO grows with the servers that it names; other lines are
    /// within the server's own 4 KiB (max_control_line).
    static let line = 64 << 10

    /// Bytes of a message's payload: 1 MiB, the server's default (max_payload).
    static let payload = 1 << 20

    /// Servers that an INFO may name; further ones are not tried.
    static let servers = 64

    /// Bytes of the longest frame: a message with its line and both line ends.
    static let frame = line + payload + 4
}

/// What the broker sends, as places in the frame's bytes.
enum BrokerFrame: Equatable {
    /// The JSON of what the server tells of itself.
    case info(Range<Int>)
    /// A message, by the number of the subscription that it is for.
    case message(subscription: Int, payload: Range<Int>)
    case ping
    case pong
    case ok
    /// The server's words, without the quotation marks.
    case error(Range<Int>)
}

/// Finds the broker's frames. It remembers a message's line once it has been read, so that no byte
/// is read twice, however finely the stream is cut.
struct NATSFraming: Framing {
    /// The codes of `ProtocolFault.malformedFrame`.
    enum Malformed: Int {
        /// A line that begins with none of the words above.
        case operation = 1
        /// A message's line without subject, subscription and length.
        case message = 2
        /// A length that is negative or above `BrokerLimits.payload`.
        case length = 3
        /// No line end behind a payload.
        case end = 4

        var step: FramingStep<BrokerFrame> { .fault(.malformedFrame(code: rawValue)) }
    }

    let maximumFrameLength = BrokerLimits.frame
    private var lines = LineFraming(maximumLength: BrokerLimits.line)
    /// The message whose payload has not all come.
    private var head: (subscription: Int, payload: Range<Int>)?

    mutating func nextFrame(in bytes: RawSpan) -> FramingStep<BrokerFrame> {
        if head != nil { return message(in: bytes) }
        switch lines.nextFrame(in: bytes) {
        case .needs(let count): return .needs(atLeast: count)
        case .fault(let fault): return .fault(fault)
        case .frame(let line, let length): return step(bytes.extracting(line), length, in: bytes)
        }
    }

    private mutating func step(
        _ line: RawSpan, _ length: Int, in bytes: RawSpan
    ) -> FramingStep<BrokerFrame> {
        if line.starts(with: "MSG ") {
            switch Self.readMessage(line, length) {
            case .success(let found): head = found
            case .failure(let fault): return fault.step
            }
            return message(in: bytes)
        }
        if line.starts(with: "INFO ") {
            return .frame(.info(5..<line.byteCount), length: length)
        }
        if line.starts(with: "-ERR") {
            return .frame(.error(Self.withoutQuotes(line)), length: length)
        }
        switch line {
        case "PING": return .frame(.ping, length: length)
        case "PONG": return .frame(.pong, length: length)
        case "+OK": return .frame(.ok, length: length)
        default: return Malformed.operation.step
        }
    }

    private enum Reading {
        case success((subscription: Int, payload: Range<Int>))
        case failure(Malformed)
    }

    /// `MSG subject subscription [reply] length`.
    private static func readMessage(_ line: RawSpan, _ lineLength: Int) -> Reading {
        let space = UInt8(ascii: " ")
        var input = ByteReader(line)
        guard (try? input.skip(4)) != nil,
            let subject = input.readBytes(upTo: space), subject.byteCount > 0,
            let digits = input.readBytes(upTo: space), let subscription = try? Int(decimal: digits)
        else { return .failure(.message) }
        _ = input.readBytes(upTo: space)
        guard let length = try? Int(decimal: input.remaining) else { return .failure(.message) }
        guard (0...BrokerLimits.payload).contains(length) else { return .failure(.length) }
        return .success((subscription, lineLength..<lineLength + length))
    }

    private mutating func message(in bytes: RawSpan) -> FramingStep<BrokerFrame> {
        guard let head else { return Malformed.message.step }
        let end = head.payload.upperBound
        guard bytes.byteCount >= end + 2 else { return .needs(atLeast: end + 2) }
        self.head = nil
        guard bytes.extracting(end..<end + 2).equals("\r\n") else { return Malformed.end.step }
        let frame = BrokerFrame.message(subscription: head.subscription, payload: head.payload)
        return .frame(frame, length: end + 2)
    }

    /// `-ERR 'Slow Consumer'`.
    private static func withoutQuotes(_ line: RawSpan) -> Range<Int> {
        let quote = UInt8(ascii: "'")
        guard let start = line.firstIndex(of: quote) else {
            return min(5, line.byteCount)..<line.byteCount
        }
        let rest = line.extracting(droppingFirst: start + 1)
        return start + 1..<start + 1 + (rest.firstIndex(of: quote) ?? rest.byteCount)
    }
}
