// Finds the sentences of the documentation: of what is public, and of the README's prose.

/// Collects lines into paragraphs, and those into sentences.
private struct Paragraphs {
    let path: String
    private var text = ""
    private var line = 0
    private(set) var sentences: [Sentence] = []

    var isEmpty: Bool { text.isEmpty }

    init(path: String) { self.path = path }

    mutating func add(_ words: String, at line: Int) {
        if text.isEmpty { self.line = line }
        text += text.isEmpty ? words : " " + words
    }

    mutating func end() {
        sentences += Sentence.sentences(of: text, at: line, in: path)
        text = ""
    }
}

enum DocumentedText {
    /// The sentences above public declarations, the cases of public enums and the requirements of
    /// public protocols. Code and tables in them are left out.
    static func sentences(ofSource lines: [String], path: String) -> [Sentence] {
        var found: [Sentence] = []
        var index = 0
        while index < lines.count {
            guard isDocumentation(lines[index]) else {
                index += 1
                continue
            }
            let end = lines[index...].firstIndex { !isDocumentation($0) } ?? lines.count
            if isPublic(declarationAt: end, in: lines) {
                found += comment(lines[index..<end], path: path)
            }
            index = end
        }
        return found
    }

    private static func isDocumentation(_ line: String) -> Bool {
        line.drop { $0 == " " }.hasPrefix("///")
    }

    private static func comment(_ lines: ArraySlice<String>, path: String) -> [Sentence] {
        var paragraphs = Paragraphs(path: path)
        for index in lines.indices {
            let text = lines[index].drop { $0 == " " }.dropFirst(3)
            addLine(text.dropFirst(text.hasPrefix(" ") ? 1 : 0), at: index + 1, to: &paragraphs)
        }
        paragraphs.end()
        return paragraphs.sentences
    }

    private static func addLine(_ line: Substring, at number: Int, to paragraphs: inout Paragraphs)
    {
        let words = line.drop { $0 == " " }
        // Deep lines are code, but for those of an item that has begun.
        let isCode = line.hasPrefix("    ") && !words.hasPrefix("- ") && paragraphs.isEmpty
        if words.isEmpty || isCode || words.hasPrefix("|") { return paragraphs.end() }
        if words.hasPrefix("- ") {
            paragraphs.end()
            return paragraphs.add(String(words.dropFirst(2)), at: number)
        }
        paragraphs.add(String(words), at: number)
    }

    /// Whether the declaration on or below this line is public, by its own words or as a part of
    /// what is.
    private static func isPublic(declarationAt start: Int, in lines: [String]) -> Bool {
        guard
            let index = lines[start...].firstIndex(where: { !$0.contains("@") || $0.contains("{") })
        else { return false }
        let line = lines[index]
        if line.contains("public ") { return true }
        let depth = line.prefix { $0 == " " }.count
        let outer = lines[..<index].last {
            !$0.isEmpty && $0.prefix { $0 == " " }.count < depth && $0.hasSuffix("{")
        }
        return outer.map { $0.contains("public enum") || $0.contains("public protocol") } ?? false
    }

    /// The prose of a Markdown file: no code, no tables, no headings, no pictures.
    static func sentences(ofMarkdown lines: [String], path: String) -> [Sentence] {
        var paragraphs = Paragraphs(path: path)
        var isCode = false
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("```") { isCode.toggle() }
            let isProse =
                !isCode && !["```", "    ", "|", "#", "!["].contains { line.hasPrefix($0) }
            if line.isEmpty || !isProse {
                paragraphs.end()
            } else if line.hasPrefix("- ") {
                paragraphs.end()
                paragraphs.add(String(line.dropFirst(2)), at: index + 1)
            } else {
                paragraphs.add(String(line.drop { $0 == " " }), at: index + 1)
            }
        }
        paragraphs.end()
        return paragraphs.sentences
    }
}
