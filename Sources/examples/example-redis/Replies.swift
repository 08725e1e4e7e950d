// Replies in RESP: what the server writes, and how a client cuts a stream of bytes into them.
import Tron

/// What a server answers.
enum Reply {
    case status(String)
    case error(String)
    case integer(Int)
    /// A value; nil when there is none.
    case bulk([UInt8]?)
    case array([Reply])

    static let ok = status("OK")

    /// At least as many bytes as it is written in: 32 for a type, a number and two line ends.
    var capacity: Int {
        switch self {
        case .status(let text), .error(let text): text.utf8.count + 32
        case .integer: 32
        case .bulk(let value): (value?.count ?? 0) + 32
        case .array(let replies): replies.reduce(32) { $0 + $1.capacity }
        }
    }

    func write(to output: inout ByteWriter) {
        switch self {
        case .status(let text): output.writeLine("+", text)
        case .error(let text): output.writeLine("-", text)
        case .integer(let number): output.writeHeader(":", number)
        case .bulk(nil): output.writeHeader("$", -1)
        case .bulk(let value?): output.writeBulk(value)
        case .array(let replies):
            output.writeHeader("*", replies.count)
            for reply in replies { reply.write(to: &output) }
        }
    }
}

extension Session {
    /// Written straight to where it is sent from.
    func send(_ reply: Reply) {
        send(bytesCapacity: reply.capacity) { output in reply.write(to: &output) }
    }
}

extension ByteWriter {
    mutating func writeLine(_ type: String, _ text: String) {
        write(type)
        write(text)
        write("\r\n")
    }

    mutating func writeHeader(_ type: String, _ number: Int) {
        write(type)
        writeDecimal(number)
        write("\r\n")
    }

    mutating func writeBulk(_ bytes: [UInt8]) {
        writeHeader("$", bytes.count)
        write(bytes)
        write("\r\n")
    }
}

/// Finds replies, but for arrays: `+OK\r\n`, `-ERR why\r\n`, `:1\r\n`, `$-1\r\n`,
/// `$1\r\nv\r\n`. The content is a bulk's bytes, or what stands behind the first byte.
struct ReplyFraming: Framing {
    let maximumFrameLength = Limits.line + Limits.argument
    private var lines = LineFraming(maximumLength: Limits.line)

    mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        let step = lines.nextFrame(in: bytes)
        guard case .frame(let line, let headLength) = step else { return step }
        switch bytes.extracting(first: 1) {
        case "+", "-", ":", "$": break
        default: return .fault(.malformedFrame(code: 1))
        }
        let content = 1..<line.upperBound
        guard bytes.starts(with: "$"), !bytes.extracting(content).equals("-1") else {
            return .frame(content, length: headLength)
        }
        guard let count = try? Int(decimal: bytes.extracting(content)),
            (0...Limits.argument).contains(count)
        else { return .fault(.malformedFrame(code: 2)) }
        let end = headLength + count
        // Then all is there: the header is read twice at the most.
        guard bytes.byteCount >= end + 2 else { return .needs(atLeast: end + 2) }
        guard bytes.extracting(end..<end + 2).equals("\r\n") else {
            return .fault(.malformedFrame(code: 3))
        }
        return .frame(headLength..<end, length: end + 2)
    }
}
