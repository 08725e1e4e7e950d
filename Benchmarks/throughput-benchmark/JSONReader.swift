// Reads JSON: all of RFC 8259, nested to a bounded depth.

extension JSON {
    /// Reads a whole text.
    init(parsing text: String) throws(Failure) {
        var reader = JSONReader(bytes: Array(text.utf8))
        self = try reader.value(depth: 0)
        try reader.requireEnd()
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    var place = 0

    static let deepest = 64

    func failure(_ what: String) -> Failure { Failure("not JSON: \(what) at byte \(place)") }

    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    mutating func skipSpace() {
        while let byte = next, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { place += 1 }
    }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: mark) else { return false }
        place += 1
        return true
    }

    mutating func requireEnd() throws(Failure) {
        skipSpace()
        if place < bytes.count { throw failure("more than one value") }
    }

    mutating func value(depth: Int) throws(Failure) -> JSON {
        if depth > Self.deepest { throw failure("nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(Failure) -> JSON {
        let end = place + word.utf8CodeUnitCount
        guard bytes[place...].starts(with: word.description.utf8) else {
            throw failure("an unknown word")
        }
        place = end
        return value
    }

    private mutating func object(_ depth: Int) throws(Failure) -> JSON {
        place += 1
        var members: [JSON.Member] = []
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("no key") }
            let key = try string()
            guard take(":") else { throw failure("no colon") }
            members.append(JSON.Member(key, try value(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw failure("an open object") }
        return .object(members)
    }

    private mutating func array(_ depth: Int) throws(Failure) -> JSON {
        place += 1
        var items: [JSON] = []
        if take("]") { return .array([]) }
        repeat { items.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw failure("an open array") }
        return .array(items)
    }

    private mutating func number() throws(Failure) -> JSON {
        let rest = bytes[place...].prefix {
            (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0)
        }
        let text = String(decoding: rest, as: UTF8.self)
        // Swift's own reader also takes ".5" and "+5", which JSON does not.
        guard let first = text.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "."),
            let number = Double(text), number.isFinite
        else { throw failure("no value") }
        place += rest.count
        return .number(number)
    }

    private mutating func string() throws(Failure) -> String {
        place += 1
        var content: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("a control character") }
            place += 1
            if byte == UInt8(ascii: "\\") {
                content += try escape()
            } else {
                content.append(byte)
            }
        }
        guard next != nil else { throw failure("an open string") }
        place += 1
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func escape() throws(Failure) -> [UInt8] {
        guard let byte = next else { throw failure("an open string") }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicode()
        default: throw failure("an unknown escape")
        }
    }

    /// One code point, which may be written as a pair of surrogates.
    private mutating func unicode() throws(Failure) -> [UInt8] {
        var value = try fourDigits()
        if (0xd800..<0xdc00).contains(value), bytes[place...].starts(with: #"\u"#.utf8) {
            place += 2
            let low = try fourDigits()
            guard (0xdc00..<0xe000).contains(low) else { throw failure("half a character") }
            value = 0x1_0000 + (value - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw failure("half a character") }
        return Array(String(scalar).utf8)
    }

    private mutating func fourDigits() throws(Failure) -> UInt32 {
        let digits = String(decoding: bytes[place...].prefix(4), as: UTF8.self)
        guard digits.utf8.count == 4, digits.utf8.first != UInt8(ascii: "+"),
            let value = UInt32(digits, radix: 16)
        else { throw failure("no code point") }
        place += 4
        return value
    }
}
