// As much of JSON (RFC 8259) as a server's INFO needs: bounded in depth; no input makes it trap.

/// Why a text is no JSON, or not the JSON that was asked for.
enum JSONFault: Error, Equatable {
    /// Not what the grammar has at this place.
    case unexpected(at: Int)
    /// The text ends within a value.
    case endsTooSoon
    /// More values within values than `JSONReader.maximumDepth`.
    case tooDeep
}

/// Reads values from the front of a text. What is of no interest is skipped, and stored nowhere.
struct JSONReader {
    /// Values within values: an INFO has two levels, and each level is a call here.
    static let maximumDepth = 16

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Calls `member` with each name of an object; it reads or skips the value.
    mutating func readObject(
        _ member: (inout JSONReader, String) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try readList(from: "{", to: "}") { reader throws(JSONFault) in
            let name = try reader.readText()
            try reader.expect(":")
            try member(&reader, name)
        }
    }

    /// Calls `element` for each element of an array; it reads or skips the value.
    mutating func readArray(
        _ element: (inout JSONReader) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try readList(from: "[", to: "]", element)
    }

    /// Reads a string. Half a surrogate pair, and what is not UTF-8, becomes U+FFFD.
    mutating func readText() throws(JSONFault) -> String {
        try expect("\"")
        var text: [UInt16] = []
        var plain: [UInt8] = []
        while true {
            switch try next() {
            case UInt8(ascii: "\""):
                text += String(decoding: plain, as: UTF8.self).utf16
                return String(decoding: text, as: UTF16.self)
            case UInt8(ascii: "\\"):
                text += String(decoding: plain, as: UTF8.self).utf16
                plain = []
                text.append(try readEscape())
            case let byte where byte >= 0x20: plain.append(byte)
            default: throw .unexpected(at: position - 1)
            }
        }
    }

    /// Reads a number that has no fraction.
    mutating func readInteger() throws(JSONFault) -> Int {
        skipSpace()
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        while let byte = peek, digits.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let number = Int(text) else { throw fault(at: start) }
        return number
    }

    /// Reads `true` or `false`.
    mutating func readFlag() throws(JSONFault) -> Bool {
        skipSpace()
        let isTrue = peek == UInt8(ascii: "t")
        try expectWord(isTrue ? "true" : "false")
        return isTrue
    }

    /// Whether nothing but white space is left.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == bytes.count
    }

    /// Passes over a value of any kind.
    mutating func skipValue(depth: Int = 0) throws(JSONFault) {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"):
            try readObject { reader, _ throws(JSONFault) in
                try reader.skipValue(depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try readArray { reader throws(JSONFault) in try reader.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try readText()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try readFlag()
        case UInt8(ascii: "n"): try expectWord("null")
        default: try skipNumber()
        }
    }
}

// MARK: - Parts of values

extension JSONReader {
    private var digits: ClosedRange<UInt8> { UInt8(ascii: "0")...UInt8(ascii: "9") }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func fault(at place: Int) -> JSONFault {
        place < bytes.count ? .unexpected(at: place) : .endsTooSoon
    }

    private mutating func next() throws(JSONFault) -> UInt8 {
        guard let byte = peek else { throw .endsTooSoon }
        position += 1
        return byte
    }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONFault) {
        skipSpace()
        guard peek == UInt8(ascii: character) else { throw fault(at: position) }
        position += 1
    }

    private mutating func expectWord(_ word: String) throws(JSONFault) {
        for byte in word.utf8 {
            guard peek == byte else { throw fault(at: position) }
            position += 1
        }
    }

    /// What stands between the two, and commas between them.
    private mutating func readList(
        from start: Unicode.Scalar, to end: Unicode.Scalar,
        _ element: (inout JSONReader) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try expect(start)
        skipSpace()
        if peek == UInt8(ascii: end) {
            position += 1
            return
        }
        while true {
            try element(&self)
            skipSpace()
            let byte = try next()
            if byte == UInt8(ascii: end) { return }
            guard byte == UInt8(ascii: ",") else { throw .unexpected(at: position - 1) }
        }
    }

    /// What follows a backslash, as a unit of UTF-16.
    private mutating func readEscape() throws(JSONFault) -> UInt16 {
        switch try next() {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            guard position + 4 <= bytes.count else { throw .endsTooSoon }
            let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
            guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
                let unit = UInt16(digits, radix: 16)
            else { throw .unexpected(at: position) }
            position += 4
            return unit
        case let byte where "\"\\/".utf8.contains(byte): return UInt16(byte)
        default: throw .unexpected(at: position - 1)
        }
    }

    /// Its digits are not judged: nobody uses them.
    private mutating func skipNumber() throws(JSONFault) {
        let start = position
        while let byte = peek, digits.contains(byte) || "+-.eE".utf8.contains(byte) {
            position += 1
        }
        if position == start { throw fault(at: start) }
    }
}
