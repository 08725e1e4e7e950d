// The names of all tests, by their suites, as the sources have them.
@testable import Tron

struct TestIndex {
    private(set) var names: [String: [String]] = [:]

    /// Adds the tests of one source file. A suite is a type at the margin, or its extension.
    mutating func add(_ lines: [String]) {
        var suite = ""
        for (index, line) in lines.enumerated() {
            if let name = Self.type(in: line) { suite = name }
            guard let name = Self.testName(in: line, before: lines[(index + 1)...].first) else {
                continue
            }
            names[suite, default: []].append(name)
        }
    }

    private static func type(in line: String) -> String? {
        guard let first = line.first, first != " ", line.hasSuffix("{") else { return nil }
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        let kind = words.firstIndex { $0 == "struct" || $0 == "extension" || $0 == "class" }
        return kind.flatMap { words[($0 + 1)...].first.map(String.init) }
    }

    /// The name in `func \`name\``, or the text that `@Test` begins with, on its line or the next.
    private static func testName(in line: String, before next: String?) -> String? {
        let words = line.drop { $0 == " " }
        if let start = words.firstRange(of: "func `") {
            return String(words[start.upperBound...].prefix { $0 != "`" })
        }
        guard words.hasPrefix("@Test(") else { return nil }
        let argument = words == "@Test(" ? (next ?? "").drop { $0 == " " } : words.dropFirst(6)
        guard argument.hasPrefix("\"") else { return nil }
        return String(argument.dropFirst().prefix { $0 != "\"" })
    }

    /// The tests that a check of the form `Suite: part of a name` means: one, or it is wrong.
    func tests(of check: String) -> [String] {
        guard let colon = check.firstRange(of: ": ") else { return [] }
        let part = check[colon.upperBound...]
        let names = names[String(check[..<colon.lowerBound])] ?? []
        return names.contains(String(part)) ? [String(part)] : names.filter { $0.contains(part) }
    }
}
