// The library's framings: what they find, however the stream is cut, and what they refuse.
import Testing

@testable import Tron

@Suite struct FramingTests {
    private func texts(_ stream: FramedStream) -> [String] {
        stream.contents.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("a\nb\r\n", ["a", "b"], 0), ("\n\r\n", ["", ""], 0), ("a\rb\n", ["a\rb"], 0),
        ("a\r\r\n", ["a\r"], 0), ("\rx\ny", ["\rx"], 1), ("a\r", [], 2), ("", [], 0),
    ])
    func `a line ends with LF or CR LF, and a CR elsewhere is part of it`(
        stream: String, lines: [String], left: Int
    ) {
        let read = LineFraming().read(Array(stream.utf8))
        #expect(texts(read) == lines && read.left == left && read.fault == nil)
    }

    @Test(arguments: [
        ("--", "a--b----c-", ["a", "b", ""], 2), ("aab", "aaabxaabaab", ["a", "x", ""], 0),
        ("abab", "abaabab!", ["aba"], 1), (";", "a;;b", ["a", ""], 1),
        ("\r\n.\r\n", "x\r\n.\r\r\n.\r\ny", ["x\r\n.\r"], 1),
    ])
    func `a frame ends where its delimiter first is, whatever resembles it before`(
        delimiter: String, stream: String, frames: [String], left: Int
    ) {
        let framing = DelimiterFraming(Array(delimiter.utf8), maximumLength: 100)
        let read = framing.read(Array(stream.utf8))
        #expect(texts(read) == frames && read.left == left && read.fault == nil)
    }

    @Test func `a length is read in its width and order, from where it stands`() {
        let content: [UInt8] = [7, 8, 9]
        for width in LengthPrefixFraming.Width.allCases {
            for offset in [0, 1, 5] {
                let zeros = [UInt8](repeating: 0, count: width.rawValue - 1)
                let before = [UInt8](repeating: 0xff, count: offset)
                for (order, length) in [
                    (ByteOrder.bigEndian, zeros + [3]),
                    (.littleEndian, [3] + zeros),
                ] {
                    let frame = before + length + content
                    let framing = LengthPrefixFraming(
                        width, order, at: offset, maximumLength: 3)
                    let read = framing.read(frame + frame + before)
                    #expect(read.contents == [content, content] && read.left == offset)
                }
            }
        }
    }

    @Test(arguments: [
        (LengthPrefixFraming.Counting.content, UInt8(2)), (.lengthAndContent, 4), (.frame, 7),
    ])
    func `a length may count itself, or the whole frame`(
        counting: LengthPrefixFraming.Counting, length: UInt8
    ) {
        let framing = LengthPrefixFraming(.two, counting: counting, at: 3, maximumLength: 2)
        let read = framing.read([1, 2, 3, 0, length, 8, 9, 1])
        #expect(read == FramedStream(contents: [[8, 9]], left: 1))
        // What it must count at least is an empty content; less is no length.
        let least = length - 2
        #expect(framing.read([1, 2, 3, 0, least]).contents == [[]])
        let fault = least == 0 ? nil : ProtocolFault.malformedFrame(code: Int(least) - 1)
        if let fault { #expect(framing.read([1, 2, 3, 0, least - 1]).fault == fault) }
    }

    @Test func `frames of a fixed length follow one another`() {
        let read = FixedLengthFraming(3).read([1, 2, 3, 4, 5, 6, 7])
        #expect(read == FramedStream(contents: [[1, 2, 3], [4, 5, 6]], left: 1))
    }
}

// MARK: - Cuts

extension FramingTests {
    private static let samples: [(NaiveFraming, [UInt8])] = [
        (.lines(maximum: 6), Array("one\r\n\n\rtwo\r\r\nsixsix\r\nx\nsixsix\n12".utf8)),
        (.lines(maximum: 4), Array("one\nfours\n".utf8)),
        (.lines(maximum: 4), Array("one\nfour\r\rfive\n".utf8)),
        (
            .delimited([1, 1, 2], maximum: 5),
            [1, 1, 1, 2, 5, 1, 1, 2, 1, 1, 2, 9, 1, 2, 1, 1, 1, 2]
        ),
        (.delimited([1, 1, 2], maximum: 3), [1, 1, 1, 1, 1, 1, 2]),
        (
            .prefixed(width: 2, isBig: true, .frame, offset: 1, maximum: 9),
            [5, 0, 3, 5, 0, 7, 1, 2, 3, 4, 5, 0, 4, 8, 5, 0, 12, 1, 2, 3]
        ),
        (
            .prefixed(width: 4, isBig: false, .content, offset: 0, maximum: 2),
            [1, 0, 0, 0, 7, 0, 0, 0, 0, 3, 0, 0, 0, 1]
        ),
        (
            .prefixed(width: 1, isBig: true, .lengthAndContent, offset: 0, maximum: 2),
            [2, 9, 1, 3, 9, 9, 0, 1]
        ),
        (.fixed(4), Array(1...14)),
    ]

    @Test(arguments: samples.indices)
    func `every stream is the same frames at every one and every two cuts`(sample: Int) {
        let (framing, stream) = Self.samples[sample]
        let expected = framing.naive(stream)
        #expect(!expected.contents.isEmpty || expected.fault != nil)
        for first in 0...stream.count {
            for second in first...stream.count {
                let read = framing.framed(stream, cuts: [first, second])
                #expect(read == expected, "cut at \(first) and \(second)")
            }
        }
        #expect(framing.framed(stream, cuts: Array(stream.indices)) == expected)
    }

    @Test func `random streams, cut at random, agree with a naive reader`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for stream in 0..<max(300, RandomRun.operations / 50) {
            let framing = Self.framing(using: &generator)
            let bytes = Self.stream(of: framing, using: &generator)
            var cuts: [Int] = []
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                cuts.append(Int.random(in: 0...bytes.count - Self.padding, using: &generator))
            }
            guard framing.framed(bytes, cuts: cuts.sorted()) == framing.naive(bytes) else {
                Issue.record("TRON_SEED=\(RandomRun.seed), stream \(stream): \(framing)")
                return
            }
        }
    }

    /// Bytes at the end of each stream that are not cut, more than a delimiter has.
    private static let padding = 8

    private static func framing(using generator: inout SeededGenerator) -> NaiveFraming {
        let maximum = Int.random(in: 0...40, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return .lines(maximum: maximum)
        case 1:
            let count = Int.random(in: 1...6, using: &generator)
            return .delimited(
                (0..<count).map { _ in .random(in: 0...1, using: &generator) }, maximum: maximum)
        case 2:
            return .prefixed(
                width: [1, 2, 4, 8].randomElement(using: &generator)!,
                isBig: Bool.random(using: &generator),
                LengthPrefixFraming.Counting.allCases.randomElement(using: &generator)!,
                offset: Int.random(in: 0...3, using: &generator), maximum: maximum)
        default: return .fixed(maximum + 1)
        }
    }

    /// Bytes of which the framing's marks, or short lengths, are likely.
    private static func stream(
        of framing: NaiveFraming, using generator: inout SeededGenerator
    ) -> [UInt8] {
        let alphabet: [UInt8] =
            switch framing {
            case .lines: [10, 13, 65, 66, 67, 68, 69, 70]
            case .delimited: [0, 0, 0, 1, 1, 2]
            case .prefixed: [0, 0, 0, 0, 0, 0, 3, 12]
            case .fixed: [1, 2, 3]
            }
        // A framing need not judge what has fewer bytes than it asked for: it gets some more.
        return (0..<Int.random(in: 0...200, using: &generator)).map { _ in
            alphabet.randomElement(using: &generator)!
        } + [UInt8](repeating: 200, count: padding)
    }
}

// MARK: - Work

extension FramingTests {
    /// A frame of 1 MiB that arrives a byte at a time; the bytes that were seen before have become
    /// ends of frames, which would be found if they were looked at again.
    private func readsOnce(_ framing: some Framing, end: [UInt8], endingByte: UInt8) -> Bool {
        var framing = framing
        let length = 1 << 20
        var bytes = [UInt8](repeating: 65, count: length) + end
        for count in 1...bytes.count {
            let step = framing.nextFrame(in: bytes.span.bytes.extracting(0..<count))
            bytes[count - 1] = endingByte
            if case .needs = step { continue }
            guard case .frame(_, let found) = step else { return false }
            return found == bytes.count && count == bytes.count
        }
        return false
    }

    @Test func `no byte of a line or a delimited frame is looked at twice`() {
        let maximum = 1 << 20
        #expect(readsOnce(LineFraming(maximumLength: maximum), end: [10], endingByte: 10))
        let framing = DelimiterFraming([1, 1], maximumLength: maximum)
        #expect(readsOnce(framing, end: [1, 1], endingByte: 1))
    }

    @Test(arguments: [0, 1, 7, 8, 9, 31, 32, 33, 40, 63, 64, 71])
    func `a byte is found at every place, in ranges of every length`(length: Int) {
        for start in 0...length {
            for place in 0..<length {
                var bytes = [UInt8](repeating: 0xf0, count: length)
                bytes[place] = 0x71
                // Behind it a neighbour in value, and itself again, which comes too late.
                if place + 1 < length { bytes[place + 1] = 0x70 }
                if place + 2 < length { bytes[place + 2] = 0x71 }
                let expected = start <= place ? place : bytes[start...].firstIndex(of: 0x71)
                let span = bytes.span.bytes
                let isRight =
                    span.firstOffset(of: 0x71, in: start..<length) == expected
                    && span.firstOffset(of: 0x72, in: start..<length) == nil
                #expect(isRight, "at \(place), from \(start)")
            }
        }
    }
}
