// The limits of the library's framings: exact to the byte, and judged before the content.
import Testing

@testable import Tron

@Suite struct FramingLimitTests {
    @Test(arguments: [0, 1, 7, 8, 9, 1000])
    func `a line's limit is exact, with either end`(maximum: Int) {
        let framing = LineFraming(maximumLength: maximum)
        let line = [UInt8](repeating: 65, count: maximum)
        for end: [UInt8] in [[10], [13, 10]] {
            #expect(framing.read(line + end).contents == [line])
            let fault = ProtocolFault.frameTooLong(maximum: maximum)
            #expect(framing.read(line + [65] + end).fault == fault)
            #expect(framing.read(line + [65]).fault == fault)
            #expect(framing.read(line + [13]).fault == nil)
            #expect(framing.read(line + [13, 13]).fault == fault)
        }
    }

    @Test func `a delimited frame's limit is exact`() {
        let framing = DelimiterFraming([1, 2, 3], maximumLength: 4)
        #expect(framing.read([9, 9, 9, 9, 1, 2, 3]).contents == [[9, 9, 9, 9]])
        #expect(framing.read([9, 9, 9, 9, 1, 2]).fault == nil)
        for stream: [UInt8] in [
            [9, 9, 9, 9, 9], [9, 9, 9, 9, 1, 2, 9], [9, 9, 9, 9, 9, 1, 2, 3],
        ] {
            #expect(framing.read(stream).fault == .frameTooLong(maximum: 4))
        }
    }

    @Test(arguments: [LengthPrefixFraming.Counting.content, .lengthAndContent, .frame])
    func `a length that no number holds is refused like any other, with its last byte`(
        counting: LengthPrefixFraming.Counting
    ) {
        for first: UInt8 in [0xff, 0x80, 0x7f, 0x01] {
            let framing = LengthPrefixFraming(
                .eight, counting: counting, at: 2, maximumLength: 1 << 20)
            let header = [0, 0, first] + [UInt8](repeating: 0xff, count: 7)
            #expect(framing.read(Array(header.dropLast())).fault == nil)
            guard case .dataTooLong(let announced) = framing.read(header).fault else {
                Issue.record("\(first): no fault")
                continue
            }
            #expect(announced > 1 << 55)
        }
    }

    @Test func `the limit of a length is exact, and judged before the content`() {
        let framing = LengthPrefixFraming(.four, maximumLength: 300)
        #expect(framing.read([0, 0, 1, 44]) == FramedStream(left: 4))
        #expect(framing.read([0, 0, 1, 45]).fault == .dataTooLong(announced: 301))
    }
}
