// Drives a framing as a session does, and reads the same frames a byte at a time.
import Testing

@testable import Tron

/// What a stream of bytes is made of, by whoever cut it.
struct FramedStream: Equatable {
    var contents: [[UInt8]] = []
    var fault: ProtocolFault?
    /// Bytes that wait for more; 0 after a fault.
    var left = 0
}

extension Framing where Layout == Range<Int> {
    /// Reads a stream that arrives in the pieces that `cuts` make of it.
    func read(_ stream: [UInt8], cuts: [Int] = []) -> FramedStream {
        var framing = self
        var result = FramedStream()
        var (start, needed) = (0, 1)
        for end in cuts + [stream.count] {
            while end - start >= needed {
                switch framing.nextFrame(in: stream.span.bytes.extracting(start..<end)) {
                case .frame(let content, let length):
                    guard (1...end - start).contains(length) && content.upperBound <= length else {
                        Issue.record("a frame of \(length) bytes, \(content), of \(end - start)")
                        return result
                    }
                    result.contents.append(
                        Array(stream[start + content.lowerBound..<start + content.upperBound]))
                    start += length
                    needed = 1
                case .needs(let count):
                    guard count > end - start && count <= maximumFrameLength else {
                        Issue.record("needs \(count), has \(end - start)")
                        return result
                    }
                    needed = count
                case .fault(let fault):
                    result.fault = fault
                    return result
                }
            }
        }
        result.left = stream.count - start
        return result
    }
}

/// A framing of the library, and a reader of the same frames that takes a byte at a time and has
/// no regard for cost.
enum NaiveFraming {
    case lines(maximum: Int)
    case delimited([UInt8], maximum: Int)
    case prefixed(
        width: Int, isBig: Bool, LengthPrefixFraming.Counting, offset: Int, maximum: Int)
    case fixed(Int)

    /// What the library's framing makes of a stream.
    func framed(_ stream: [UInt8], cuts: [Int] = []) -> FramedStream {
        switch self {
        case .lines(let maximum): LineFraming(maximumLength: maximum).read(stream, cuts: cuts)
        case .delimited(let delimiter, let maximum):
            DelimiterFraming(delimiter, maximumLength: maximum).read(stream, cuts: cuts)
        case .prefixed(let width, let isBig, let counting, let offset, let maximum):
            LengthPrefixFraming(
                .init(rawValue: width)!, isBig ? .bigEndian : .littleEndian, counting: counting,
                at: offset, maximumLength: maximum
            ).read(stream, cuts: cuts)
        case .fixed(let length): FixedLengthFraming(length).read(stream, cuts: cuts)
        }
    }

    /// What the stream is by the framing's description.
    func naive(_ stream: [UInt8]) -> FramedStream {
        var result = FramedStream()
        var waiting: [UInt8] = []
        for byte in stream {
            waiting.append(byte)
            switch judge(waiting) {
            case .frame(let content, _):
                result.contents.append(Array(waiting[content]))
                waiting = []
            case .needs: break
            case .fault(let fault):
                result.fault = fault
                return result
            }
        }
        result.left = waiting.count
        return result
    }

    /// Judges a frame that was no frame without its last byte.
    private func judge(_ bytes: [UInt8]) -> FramingStep<Range<Int>> {
        switch self {
        case .lines(let maximum): Self.judgeLine(bytes, maximum)
        case .delimited(let delimiter, let maximum):
            Self.judgeDelimited(bytes, delimiter, maximum)
        case .prefixed(let width, let isBig, let counting, let offset, let maximum):
            Self.judgePrefixed(
                bytes,
                isBig
                    ? bytes.dropFirst(offset).prefix(width)
                    : ArraySlice(bytes.dropFirst(offset).prefix(width).reversed()),
                header: offset + width,
                counted: counting == .content ? 0 : counting == .frame ? offset + width : width,
                maximum)
        case .fixed(let length):
            bytes.count == length
                ? .frame(0..<length, length: length) : .needs(atLeast: length)
        }
    }

    private static func judgeLine(_ bytes: [UInt8], _ maximum: Int) -> FramingStep<Range<Int>> {
        var content = bytes
        if bytes.last == 10 {
            content.removeLast()
            if content.last == 13 { content.removeLast() }
            if content.count <= maximum {
                return .frame(0..<content.count, length: bytes.count)
            }
        } else if content.count <= maximum || (content.count == maximum + 1 && content.last == 13) {
            return .needs(atLeast: bytes.count + 1)
        }
        return .fault(.frameTooLong(maximum: maximum))
    }

    private static func judgeDelimited(
        _ bytes: [UInt8], _ delimiter: [UInt8], _ maximum: Int
    ) -> FramingStep<Range<Int>> {
        let begun = (0...delimiter.count).last { bytes.suffix($0) == delimiter.prefix($0) }!
        let content = bytes.count - begun
        if content > maximum { return .fault(.frameTooLong(maximum: maximum)) }
        return begun == delimiter.count
            ? .frame(0..<content, length: bytes.count) : .needs(atLeast: bytes.count + 1)
    }

    private static func judgePrefixed(
        _ bytes: [UInt8], _ digits: ArraySlice<UInt8>, header: Int, counted: Int, _ maximum: Int
    ) -> FramingStep<Range<Int>> {
        if bytes.count < header { return .needs(atLeast: header) }
        let announced = digits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if announced < UInt64(counted) { return .fault(.malformedFrame(code: Int(announced))) }
        let length = announced - UInt64(counted)
        if length > UInt64(maximum) {
            return .fault(.dataTooLong(announced: Int(clamping: length)))
        }
        return bytes.count == header + Int(length)
            ? .frame(header..<bytes.count, length: bytes.count)
            : .needs(atLeast: header + Int(length))
    }
}
