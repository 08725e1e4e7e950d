// A source file as the style rules see it: bytes, code without comments and strings, and tokens.

/// A word or a mark of the code, with the line it stands on.
struct Token: Equatable {
    var text: String
    var line: Int
}

/// One file of the package.
struct SourceFile {
    let path: String
    let bytes: [UInt8]
    let tokens: [Token]

    init(_ path: String, _ text: [UInt8]) {
        self.path = path
        bytes = text
        tokens = path.hasSuffix(".swift") ? Tokenizer.tokens(of: CodeMask.code(of: text)) : []
    }

    init(_ path: String, _ text: String) { self.init(path, [UInt8](text.utf8)) }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The lines' bytes, without the newlines.
    var lines: [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    func isUnder(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }
}

/// Blanks comments, strings and quoted identifiers out of Swift code; newlines and the code within
/// an interpolation stay.
struct CodeMask {
    private var bytes: [UInt8]
    private var index = 0

    static func code(of text: [UInt8]) -> [UInt8] {
        var mask = CodeMask(bytes: text)
        mask.scanCode(isInterpolation: false)
        return mask.bytes
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func scanCode(isInterpolation: Bool) {
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "/") where sees("//"): blankLine()
            case UInt8(ascii: "/") where sees("/*"): blankComment()
            case UInt8(ascii: "`"): blankQuotedName()
            case UInt8(ascii: "\""): blankString(hashes: 0)
            case UInt8(ascii: "#"): scanHashes()
            case UInt8(ascii: "("):
                depth += 1
                index += 1
            case UInt8(ascii: ")"):
                if isInterpolation && depth == 0 { return }
                depth -= 1
                index += 1
            default: index += 1
            }
        }
    }

    private func sees(_ text: StaticString, at offset: Int = 0) -> Bool {
        let start = index + offset
        guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[start + $0] == text.utf8Start[$0] }
    }

    private func seesHashes(_ count: Int, at offset: Int) -> Bool {
        (0..<count).allSatisfy {
            index + offset + $0 < bytes.count && bytes[index + offset + $0] == UInt8(ascii: "#")
        }
    }

    private mutating func blank(_ count: Int) {
        let end = min(index + count, bytes.count)
        while index < end {
            if bytes[index] != UInt8(ascii: "\n") { bytes[index] = UInt8(ascii: " ") }
            index += 1
        }
    }

    private mutating func blankLine() {
        while index < bytes.count && bytes[index] != UInt8(ascii: "\n") { blank(1) }
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if sees("/*") {
                depth += 1
                blank(2)
            } else if sees("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && index < bytes.count
    }

    private mutating func blankQuotedName() {
        blank(1)
        while index < bytes.count && bytes[index] != UInt8(ascii: "`") { blank(1) }
        blank(1)
    }

    private mutating func scanHashes() {
        var hashes = 0
        while seesHashes(1, at: hashes) { hashes += 1 }
        if sees("\"", at: hashes) { blankString(hashes: hashes) } else { index += hashes }
    }

    private mutating func blankString(hashes: Int) {
        let isMultiline = sees("\"\"\"", at: hashes)
        let quotes = isMultiline ? 3 : 1
        blank(hashes + quotes)
        while index < bytes.count {
            if sees(isMultiline ? "\"\"\"" : "\""), seesHashes(hashes, at: quotes) {
                return blank(quotes + hashes)
            }
            if !isMultiline && sees("\n") { return }
            if sees("\\"), seesHashes(hashes, at: 1) {
                blankEscape(length: 1 + hashes)
            } else {
                blank(1)
            }
        }
    }

    private mutating func blankEscape(length: Int) {
        let isInterpolation = sees("(", at: length)
        blank(length + 1)
        guard isInterpolation else { return }
        scanCode(isInterpolation: true)
        blank(1)
    }
}

/// Cuts code into words and single marks.
enum Tokenizer {
    static func tokens(of code: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var line = 1
        var index = 0
        while index < code.count {
            let start = index
            while index < code.count && isWordByte(code[index]) { index += 1 }
            if index == start { index += 1 }
            switch code[start] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: " "): break
            default:
                let text = String(decoding: code[start..<index], as: UTF8.self)
                tokens.append(Token(text: text, line: line))
            }
        }
        return tokens
    }

    static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xff:
            true
        default: false
        }
    }
}
