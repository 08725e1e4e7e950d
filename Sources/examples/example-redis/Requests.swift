// Requests in RESP, the protocol of Redis: how they are cut out of a stream of bytes.
import Tron

/// The bounds of what is received, judged as soon as a header announces it.
enum Limits {
    /// Bytes of a key or a value: 512 KiB. A session queues eight such replies by default, and
    /// stops reading at the first, so that no answer is ever refused.
    static let argument = 512 << 10

    /// Bytes of a whole request: 1 MiB, for which a key and a value fit, or many keys. It is also
    /// the longest frame that a session takes by default.
    static let request = 1 << 20

    /// Arguments of a request: 1,024, since each takes 16 bytes beside its own.
    static let arguments = 1024

    /// Bytes of a line, which is an inline request or announces a length: 64 KiB, as with Redis.
    static let line = 64 << 10
}

/// What a client sends.
enum Request {
    /// Where the arguments are in the frame's bytes; the command's name is the first.
    case arguments([Range<Int>])
    /// What is no request is a frame too, so that the handler can say why before it closes.
    case malformed(String)
}

/// Finds requests: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`, or inline `GET k\r\n`. It remembers what it
/// has read, so that no byte is read again, however finely the stream is cut.
struct RequestFraming: Framing {
    let maximumFrameLength = Limits.request
    private var lines = LineFraming(maximumLength: Limits.line)
    private var arguments: [Range<Int>] = []
    /// Arguments that have not been read.
    private var missing = 0
    /// The length of the next one, once its header has been read.
    private var announced: Int?
    /// Bytes of the request that have been read.
    private var position = 0

    private enum Stop: Error {
        case needs(Int)
        case malformed(String)
    }

    mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Request> {
        do throws(Stop) {
            if position == 0 { try readHead(bytes) }
            while missing > 0 { try readArgument(bytes) }
        } catch {
            switch error {
            case .needs(let count): return .needs(atLeast: count)
            case .malformed(let reason): return .frame(.malformed(reason), length: 1)
            }
        }
        defer { (arguments, position) = ([], 0) }
        return .frame(.arguments(arguments), length: position)
    }

    private mutating func readHead(_ bytes: RawSpan) throws(Stop) {
        let line = try readLine(bytes, tooLong: "too big inline request")
        guard bytes.starts(with: "*") else {
            return try readWords(bytes.extracting(line))
        }
        guard let count = length(bytes.extracting(line)), count <= Limits.arguments else {
            throw .malformed("invalid multibulk length")
        }
        // None at all, or fewer, is a request that has no answer.
        missing = max(0, count)
        arguments.reserveCapacity(missing)
    }

    private mutating func readArgument(_ bytes: RawSpan) throws(Stop) {
        let length: Int
        if let announced { length = announced } else { length = try readBulkLength(bytes) }
        announced = length
        let end = position + length
        try require(end + 2, in: bytes)
        guard bytes.extracting(end..<end + 2).equals("\r\n") else {
            throw .malformed("expected CRLF behind a bulk")
        }
        arguments.append(position..<end)
        (position, announced, missing) = (end + 2, nil, missing - 1)
    }

    private mutating func readBulkLength(_ bytes: RawSpan) throws(Stop) -> Int {
        let line = try bytes.extracting(readLine(bytes, tooLong: "too big bulk count string"))
        guard line.starts(with: "$") else {
            throw .malformed("expected '$'")
        }
        guard let length = length(line), (0...Limits.argument).contains(length) else {
            throw .malformed("invalid bulk length")
        }
        return length
    }

    /// An inline request's arguments are its words, without quotes.
    private mutating func readWords(_ line: RawSpan) throws(Stop) {
        var start = 0
        while start < line.byteCount {
            let rest = line.extracting(droppingFirst: start)
            let end = start + (rest.firstIndex(of: UInt8(ascii: " ")) ?? rest.byteCount)
            if end > start { arguments.append(start..<end) }
            if arguments.count > Limits.arguments { throw .malformed("too many arguments") }
            start = end + 1
        }
    }

    private mutating func readLine(
        _ bytes: RawSpan, tooLong reason: String
    ) throws(Stop) -> Range<Int> {
        try require(position + 1, in: bytes)
        switch lines.nextFrame(in: bytes.extracting(droppingFirst: position)) {
        case .frame(let line, let length):
            defer { position += length }
            return position..<position + line.upperBound
        case .needs(let count):
            try require(position + count, in: bytes)
            throw .needs(position + count)
        case .fault: throw .malformed(reason)
        }
    }

    private func require(_ count: Int, in bytes: RawSpan) throws(Stop) {
        if count > maximumFrameLength { throw .malformed("too big request") }
        if count > bytes.byteCount { throw .needs(count) }
    }

    /// What stands behind a header's first byte.
    private func length(_ header: RawSpan) -> Int? {
        try? Int(decimal: header.extracting(droppingFirst: 1))
    }
}
