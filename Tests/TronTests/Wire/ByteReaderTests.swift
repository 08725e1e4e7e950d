// Reading bytes: every kind of read beside an array, and what a failed one leaves as it was.
import Testing

@testable import Tron

@Suite struct ByteReaderTests {
    @Test func `random reads agree with an array, and failed ones move nothing`() {
        var run = ByteReaderRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations / 200 {
            run.perform()
            if let problem = run.problem {
                Issue.record("\(problem), TRON_SEED=\(RandomRun.seed), step \(step)")
                break
            }
        }
        #expect(run.reads > 1000 && run.failures > 100)
    }

    @Test func `integers of every width are read in either order`() throws {
        let bytes: [UInt8] = (1...16).map { UInt8($0) }
        func both<Integer: FixedWidthInteger & BitwiseCopyable>(
            _ type: Integer.Type
        ) throws -> [Integer] {
            var big = ByteReader(bytes)
            var little = ByteReader(bytes)
            return [try big.readInteger(), try little.readInteger(as: type, .littleEndian)]
        }
        #expect(try both(UInt8.self) == [1, 1])
        #expect(try both(Int16.self) == [0x0102, 0x0201])
        #expect(try both(UInt32.self) == [0x0102_0304, 0x0403_0201])
        #expect(try both(Int64.self) == [0x0102_0304_0506_0708, 0x0807_0605_0403_0201])
        let wide = UInt128(0x0102_0304_0506_0708) << 64 | 0x090a_0b0c_0d0e_0f10
        #expect(try both(UInt128.self) == [wide, wide.byteSwapped])
        var reader = ByteReader([0xff, 0xfe] as [UInt8])
        #expect(try reader.readInteger(as: Int16.self) == -2)
    }

    @Test func `a count of any type, from any peer, fails and does not trap`() {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes)
        #expect(throws: ByteReaderError.tooFewBytes(needed: .max, left: 3)) {
            try reader.skip(UInt64.max)
        }
        #expect(throws: ByteReaderError.tooFewBytes(needed: .max, left: 3)) {
            _ = try reader.readBytes(UInt128.max).byteCount
        }
        #expect(throws: ByteReaderError.negativeCount(.min)) { try reader.readText(Int128.min) }
        #expect(throws: ByteReaderError.negativeCount(-1)) {
            _ = try reader.readBytes(-1).byteCount
        }
        #expect(throws: ByteReaderError.tooFewBytes(needed: 4, left: 3)) {
            try reader.readText(UInt8(4))
        }
        #expect(throws: ByteReaderError.tooFewBytes(needed: 8, left: 3)) {
            try reader.readInteger(as: Int.self)
        }
        #expect(reader.position == 0 && reader.remainingCount == 3)
        #expect(reader.peekByte(at: -1) == nil && reader.peekByte(at: 3) == nil)
        #expect(reader.peekByte(at: .max) == nil && reader.peekByte(at: 2) == 3)
    }

    @Test func `a text that is not UTF-8 is refused and stays unread`() throws {
        let texts: [[UInt8]] = [[0xff], [0x61, 0xc3], [0xe2, 0x80], [0xed, 0xa0, 1], [0xc0, 1]]
        for bad in texts {
            var reader = ByteReader(bad)
            #expect(throws: ByteReaderError.notUTF8) { try reader.readText(bad.count) }
            #expect(reader.position == 0 && reader.remaining.validText == nil)
            #expect(reader.remaining.text == String(decoding: bad, as: UTF8.self))
        }
        let bytes = Array("grüß €".utf8)
        var reader = ByteReader(bytes)
        #expect(try reader.readText(6) == "grüß" && reader.remaining.validText == " €")
        #expect(try reader.readText(0) == "" && reader.position == 6)
    }

    @Test func `a delimiter is found only whole, and is read but not returned`() {
        let bytes = Array("a\r\r\nb\r".utf8)
        var reader = ByteReader(bytes)
        #expect(reader.readBytes(upTo: "\r\n")?.copy() == Array("a\r".utf8))
        #expect(reader.position == 4)
        #expect(reader.readBytes(upTo: "\r\n")?.copy() == nil)
        #expect(reader.readBytes(upTo: [13, 10])?.copy() == nil)
        #expect(reader.readBytes(upTo: 10)?.copy() == nil && reader.position == 4)
        #expect(reader.readBytes(upTo: "")?.copy() == [] && reader.position == 4)
        #expect(reader.readBytes(upTo: 13)?.copy() == [0x62] && reader.isAtEnd)
        #expect(reader.readBytes(upTo: [])?.copy() == [] && reader.readLine()?.copy() == nil)
    }

    @Test func `lines end with LF or CR LF`() {
        let bytes = Array("one\r\ntwo\n\n\r\n\rx\nrest\r".utf8)
        var reader = ByteReader(bytes)
        var lines: [String] = []
        while let line = reader.readLine() { lines.append(line.text) }
        #expect(lines == ["one", "two", "", "", "\rx"] && reader.remaining.text == "rest\r")
    }

    @Test func `a length and what it announces are read together or not at all`() throws {
        let bytes: [UInt8] = [0, 2, 7, 8, 0, 3, 9, 9]
        var reader = ByteReader(bytes)
        #expect(try reader.readLengthPrefixed(as: UInt16.self).copy() == [7, 8])
        #expect(throws: ByteReaderError.tooFewBytes(needed: 3, left: 2)) {
            _ = try reader.readLengthPrefixed(as: UInt16.self).byteCount
        }
        #expect(reader.position == 4)
        var negative = ByteReader([0xff, 1] as [UInt8])
        #expect(throws: ByteReaderError.negativeCount(-1)) {
            _ = try negative.readLengthPrefixed(as: Int8.self).byteCount
        }
        #expect(negative.position == 0)
        var little = ByteReader([1, 0, 5] as [UInt8])
        #expect(try little.readLengthPrefixed(as: UInt16.self, .littleEndian).copy() == [5])
    }

    @Test func `what is read lies where it was received`() throws {
        let bytes = [UInt8](repeating: 7, count: 100)
        func place(_ span: RawSpan) -> UInt {
            span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        }
        let start = place(bytes.span.bytes)
        var reader = ByteReader(bytes)
        try reader.skip(10)
        let piece = try reader.readBytes(20)
        let prefixed = try reader.readLengthPrefixed(as: UInt8.self)
        let places = [place(piece), place(prefixed), place(reader.remaining)].map { $0 - start }
        #expect(places == [10, 31, 38])
        guard let delimited = reader.readBytes(upTo: [7, 7]) else {
            Issue.record("the delimiter is not found")
            return
        }
        let last = place(delimited) - start
        #expect(last == 38)
    }

    @Test func `a copy reads ahead on its own`() throws {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes)
        try reader.skip(1)
        var ahead = reader
        #expect(try ahead.readByte() == 2 && ahead.position == 2)
        #expect(reader.position == 1 && reader.remaining.copy() == [2, 3])
    }
}

// MARK: - A protocol

extension ByteReaderTests {
    /// The words of a Redis command, an array of bulk strings; nil while it is not whole.
    private func command(_ input: inout ByteReader) throws(ByteReaderError) -> [String]? {
        var ahead = input
        guard ahead.peekByte() == UInt8(ascii: "*") else { return nil }
        try ahead.skip(1)
        guard let count = try ahead.readDecimal(upTo: "\r\n", as: UInt8.self) else { return nil }
        var words: [String] = []
        for _ in 0..<count {
            guard ahead.peekByte() == UInt8(ascii: "$") else { return nil }
            try ahead.skip(1)
            guard let length = try ahead.readDecimal(upTo: "\r\n", as: UInt32.self) else {
                return nil
            }
            guard length < UInt32(ahead.remainingCount) else { return nil }
            words.append(try ahead.readText(length))
            try ahead.skip(2)
        }
        input = ahead
        return words
    }

    @Test func `a Redis command is read whole or not at all, wherever it is cut`() throws {
        let bytes = Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n".utf8)
        let first = bytes.count - 14
        for cut in 0...bytes.count {
            let piece = Array(bytes[..<cut])
            var input = ByteReader(piece)
            let words = try? command(&input)
            #expect(words == (cut < first ? nil : ["SET", "k", ""]), "cut at \(cut)")
            #expect(input.position == (cut < first ? 0 : first))
        }
    }
}

// MARK: - Decimal integers

extension ByteReaderTests {
    /// As the standard library reads texts, but for what it takes beside ASCII's digits.
    private func agrees<Integer: FixedWidthInteger>(
        _ text: String, as type: Integer.Type
    ) -> Bool {
        let bytes = Array((text + "\r\nrest").utf8)
        var reader = ByteReader(bytes)
        do {
            let value = try reader.readDecimal(upTo: "\r\n", as: type)
            return value == Integer(text) && value != nil
                && reader.position == text.utf8.count + 2
        } catch {
            let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
            let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return Integer(text) == nil && reader.position == 0
                && error == (isNumber ? .integerOverflow : .notDecimal)
        }
    }

    @Test func `decimal integers agree with the standard library's, whatever the text`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let characters = Array("0123456789012345678901234567890123456789-+ x")
        var texts = ["", "-", "+", "0", "-0", "00000000000000000000000012", "/", ":", "+-1", "١"]
        for edge in [Int128(Int8.max), 255, 65535, Int128(Int64.max), Int128(UInt64.max)] {
            texts += [edge - 1, edge, edge + 1].flatMap { ["\($0)", "-\($0)", "+\($0)"] }
        }
        texts += ["\(Int128.min)", "\(UInt128.max)", "\(UInt128.max)0"]
        texts += (0..<2000).map { _ in
            let count = Int.random(in: 0...21, using: &generator)
            return String((0..<count).map { _ in characters.randomElement(using: &generator)! })
        }
        for text in texts {
            let all = [
                agrees(text, as: Int8.self), agrees(text, as: UInt8.self),
                agrees(text, as: UInt16.self), agrees(text, as: Int64.self),
                agrees(text, as: UInt64.self), agrees(text, as: UInt128.self),
            ]
            #expect(all.allSatisfy { $0 }, "\(text): \(all), TRON_SEED=\(RandomRun.seed)")
        }
    }

    @Test func `a decimal integer without its delimiter is read when that has arrived`() throws {
        var reader = ByteReader(Array("12\r".utf8))
        #expect(try reader.readDecimal(upTo: "\r\n", as: Int.self) == nil)
        #expect(reader.position == 0)
    }

    @Test func `errors tell in words what was wrong`() {
        let errors: [ByteReaderError] = [
            .tooFewBytes(needed: 4, left: 3), .negativeCount(-1), .notUTF8, .notDecimal,
            .integerOverflow,
        ]
        #expect(
            errors.map(\.description) == [
                "4 bytes needed, 3 left", "a count of -1 bytes", "not UTF-8",
                "not a decimal integer", "an integer out of its type's range",
            ])
    }
}
