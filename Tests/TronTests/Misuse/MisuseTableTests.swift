// The table of misuses is complete: it has a row for every trap in the library's sources.
import Testing

@testable import Tron

@Suite struct MisuseTableTests {
    /// The literals that stand in calls of `function` in the library, each as its pieces between
    /// interpolations.
    private static func literals(of function: String) throws -> [[String]] {
        let files = try Package.sourceFiles().filter {
            $0.isUnder("Sources/Tron") && $0.path != "Sources/Tron/System/Trap.swift"
        }
        return files.flatMap { file in
            let text = String(decoding: file.bytes, as: UTF8.self)
            return calls(of: function, in: text).compactMap(firstLiteral)
        }
    }

    /// What follows each call of the function in a text, its declaration left out.
    private static func calls(of function: String, in text: String) -> [Substring] {
        var rest = text[...]
        var found: [Substring] = []
        while let range = rest.firstRange(of: function + "(") {
            let before = rest[..<range.lowerBound]
            rest = rest[range.upperBound...]
            let isPartOfName = before.last?.isLetter == true
            if !isPartOfName && !before.hasSuffix("func ") { found.append(rest) }
        }
        return found
    }

    private static func firstLiteral(in call: Substring) -> [String]? {
        guard let start = call.firstIndex(of: "\"") else { return nil }
        var pieces = [""]
        var depth = 0
        for character in call[call.index(after: start)...] {
            if depth == 0 && character == "\"" { return pieces }
            if depth == 0 && pieces[pieces.count - 1].last == "\\" && character == "(" {
                pieces[pieces.count - 1].removeLast()
                depth = 1
            } else if depth > 0 {
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
                if depth == 0 { pieces.append("") }
            } else {
                pieces[pieces.count - 1].append(character)
            }
        }
        return nil
    }

    /// Each trap's message, as the pieces between what it interpolates.
    private static func messages() throws -> [[String]] {
        try literals(of: "demand") + literals(of: "trap")
    }

    /// Whether a row says the whole of it: what is interpolated may be anything.
    private static func says(_ row: String, _ pieces: [String]) -> Bool {
        guard pieces.count > 1 else { return row == pieces[0] }
        var rest = row[...]
        for piece in pieces where !piece.isEmpty {
            guard let range = rest.firstRange(of: piece) else { return false }
            rest = rest[range.upperBound...]
        }
        return row.hasPrefix(pieces[0]) && row.hasSuffix(pieces[pieces.count - 1])
    }

    private static let rows = Misuse.all.map(\.message) + Misuse.unreachable

    @Test func `every trap of the library has its row, with the whole message`() throws {
        let messages = try Self.messages()
        #expect(messages.count > 40)
        for pieces in messages {
            let isKnown = Self.rows.contains { Self.says($0, pieces) }
            #expect(isKnown, "no row for \(pieces)")
        }
    }

    @Test func `no row is left of a trap that is gone`() throws {
        let messages = try Self.messages()
        for row in Self.rows {
            #expect(messages.contains { Self.says(row, $0) }, "no trap says \"\(row)\"")
        }
    }

    @Test func `every call that belongs to the loop has its row`() throws {
        let literals = try Self.literals(of: "requireLoop")
        #expect(literals.count > 30)
        let known = Set(Misuse.offLoop.map(\.message))
        #expect(Set(literals.map { $0.joined() }) == known)
    }

    @Test func `the names of the rows are different`() {
        for table in [Misuse.all, Misuse.offLoop] {
            #expect(Set(table.map(\.name)).count == table.count)
        }
    }

    @Test func `a literal is found behind its condition, without what it interpolates`() {
        let text = "func demand(a) { ondemand(a) } x.demand(\n b(c), \"d \\(e(f)) g\")"
        let calls = Self.calls(of: "demand", in: text)
        #expect(calls.count == 1)
        #expect(calls.first.flatMap(Self.firstLiteral) == ["d ", " g"])
    }
}
