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

    /// Each trap's message, as the pieces by which it can be told.
    private static func messages() throws -> [[String]] {
        try (literals(of: "demand") + literals(of: "trap")).map { $0.filter { $0.count > 8 } }
    }

    @Test func `every trap of the library has its row`() throws {
        let messages = try Self.messages()
        #expect(messages.count > 40)
        let known = Misuse.all.map(\.message) + Misuse.unreachable
        for pieces in messages {
            let isKnown = pieces.contains { piece in known.contains { $0.contains(piece) } }
            #expect(isKnown, "no row for \(pieces)")
        }
    }

    @Test func `no row is left of a trap that is gone`() throws {
        let pieces = try Self.messages().joined()
        for message in Misuse.all.map(\.message) + Misuse.unreachable {
            #expect(pieces.contains { message.contains($0) }, "no trap says \"\(message)\"")
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
