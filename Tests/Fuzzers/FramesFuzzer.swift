// Fuzzes the framings: any stream, cut anywhere, found as their descriptions say.

/// An input is the framing's parameters, the number of pieces, their lengths, a byte each, and then
/// the stream.
enum FramesFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        var choices = Choices(input)
        let kind = choices.number(below: 4)
        let maximum = choices.number(below: 256)
        let detail = Int(choices.byte())
        let pieces = (0..<choices.number(below: 16)).map { _ in Int(choices.byte()) + 1 }
        var stream: [UInt8] = []
        while !choices.isEmpty { stream.append(choices.byte()) }
        switch kind {
        case 0:
            check(LineFraming(maximumLength: maximum), stream, pieces) {
                FrameOracle.line($0, maximum)
            }
        case 1:
            let delimiter = (0...detail % 5).map { UInt8(detail >> ($0 + 3) & 1) }
            check(DelimiterFraming(delimiter, maximumLength: maximum), stream, pieces) {
                FrameOracle.delimited($0, delimiter, maximum)
            }
        case 2: checkPrefixed(detail, maximum, stream, pieces)
        default:
            check(FixedLengthFraming(maximum + 1), stream, pieces) {
                $0.count > maximum ? .content(0, maximum + 1) : .begun
            }
        }
    }

    private static func checkPrefixed(
        _ detail: Int, _ maximum: Int, _ stream: [UInt8], _ pieces: [Int]
    ) {
        let width = LengthPrefixFraming.Width.allCases[detail & 3]
        let isBig = detail & 4 == 0
        let counting = LengthPrefixFraming.Counting.allCases[(detail >> 3) % 3]
        let offset = detail >> 5
        let counted =
            switch counting {
            case .content: 0
            case .lengthAndContent: width.rawValue
            case .frame: width.rawValue + offset
            }
        let framing = LengthPrefixFraming(
            width, isBig ? .bigEndian : .littleEndian, counting: counting, at: offset,
            maximumLength: maximum)
        check(framing, stream, pieces) {
            FrameOracle.prefixed($0, width.rawValue, isBig, counted, offset, maximum)
        }
    }

    /// Reads the stream in pieces, and compares each step's end with the oracle's.
    private static func check<F: Framing>(
        _ framing: F, _ stream: [UInt8], _ pieces: [Int],
        by judge: ([UInt8]) -> FrameOracle
    ) where F.Layout == Range<Int> {
        var framing = framing
        var (start, end, needed) = (0, 0, 1)
        for piece in pieces + [stream.count] {
            end = min(stream.count, end + piece)
            while end - start >= needed {
                let count = end - start
                let (step, expected) = (
                    step(&framing, stream[start..<end]), firstEnd(stream[start..<end], judge)
                )
                switch (step, expected) {
                case (.frame(let content, let length), (.content(let from, let to), let whole)):
                    require(content == from..<to && length == whole, "another frame")
                    start += length
                    needed = 1
                case (.needs(let most), (.begun, _)):
                    require(most > count && most <= framing.maximumFrameLength, "needs \(most)")
                    let before = stream[start...].prefix(most - 1)
                    if case .content = firstEnd(before, judge).0 {
                        require(false, "a frame before what was needed")
                    }
                    needed = most
                case (.fault, (.fault, _)): return
                default: require(false, "\(step) in place of \(expected)")
                }
            }
        }
    }

    /// The first frame or fault, a byte at a time, and how many bytes it took.
    private static func firstEnd(
        _ bytes: ArraySlice<UInt8>, _ judge: ([UInt8]) -> FrameOracle
    ) -> (FrameOracle, Int) {
        var front: [UInt8] = []
        for byte in bytes {
            front.append(byte)
            let judged = judge(front)
            if judged != .begun { return (judged, front.count) }
        }
        return (.begun, front.count)
    }

    /// From a copy of just its size, so that the address sanitizer sees what is beyond it.
    private static func step<F: Framing>(
        _ framing: inout F, _ bytes: ArraySlice<UInt8>
    ) -> FramingStep<F.Layout> {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        return framing.nextFrame(in: UnsafeRawBufferPointer(copy).bytes)
    }
}

/// What the bytes of one frame are, as the framings' descriptions say, with no regard for cost.
private enum FrameOracle: Equatable {
    /// A whole frame, the content of which is from the first place to before the second.
    case content(Int, Int)
    case begun
    case fault

    static func line(_ bytes: [UInt8], _ maximum: Int) -> FrameOracle {
        var length = bytes.count
        guard bytes.last == 10 else {
            if bytes.count == maximum + 1 && bytes.last == 13 { return .begun }
            return bytes.count > maximum ? .fault : .begun
        }
        length -= 1
        if length > 0 && bytes[length - 1] == 13 { length -= 1 }
        return length > maximum ? .fault : .content(0, length)
    }

    static func delimited(
        _ bytes: [UInt8], _ delimiter: [UInt8], _ maximum: Int
    ) -> FrameOracle {
        var matched = min(delimiter.count, bytes.count)
        while !bytes.suffix(matched).elementsEqual(delimiter.prefix(matched)) { matched -= 1 }
        let length = bytes.count - matched
        if length > maximum { return .fault }
        return matched == delimiter.count ? .content(0, length) : .begun
    }

    static func prefixed(
        _ bytes: [UInt8], _ width: Int, _ isBig: Bool, _ counted: Int, _ offset: Int, _ maximum: Int
    ) -> FrameOracle {
        let header = offset + width
        if bytes.count < header { return .begun }
        // In floating point no length overflows, and those that are allowed are exact.
        var announced = 0.0
        for place in 0..<width {
            let digit = bytes[offset + (isBig ? place : width - 1 - place)]
            announced = announced * 256 + Double(digit)
        }
        let length = announced - Double(counted)
        if length < 0 || length > Double(maximum) { return .fault }
        return bytes.count < header + Int(length) ? .begun : .content(header, header + Int(length))
    }
}
