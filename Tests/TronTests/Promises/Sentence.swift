// The sentences of the documentation, and which of them count as promises.
@testable import Tron

/// One sentence of a public declaration's documentation, or of the README.
struct Sentence: Hashable {
    let path: String
    /// Where the paragraph begins.
    let line: Int
    let text: String

    /// What makes a sentence a promise: whoever writes one of these has something in mind that can
    /// be false. A sentence with none of them describes, and needs no row.
    static let words: Set<String> = [
        "after", "always", "before", "cannot", "default", "every", "exactly", "must", "never",
        "nothing", "once", "only", "refuses", "trap", "traps", "until", "whatever", "within",
    ]
    static let pairs: Set<String> = [
        "any thread", "at least", "at most", "in order", "no longer", "no more", "up to",
    ]

    /// What stands between marks of code is no word.
    var isNormative: Bool {
        let prose = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: " ")
        let words = prose.lowercased().split { !$0.isLetter }.map(String.init)
        return words.contains { Self.words.contains($0) }
            || zip(words, words.dropFirst()).contains { Self.pairs.contains("\($0) \($1)") }
    }

    /// The sentences of a paragraph: each ends with a full stop, a question mark or an exclamation
    /// mark before a capital, a digit or a mark of code.
    static func sentences(of paragraph: String, at line: Int, in path: String) -> [Sentence] {
        var sentences: [Sentence] = []
        var start = paragraph.startIndex
        var index = start
        func add(upTo end: String.Index) {
            let text = String(paragraph[start..<end])
            if !text.isEmpty { sentences.append(Sentence(path: path, line: line, text: text)) }
        }
        while let space = paragraph[index...].firstIndex(of: " ") {
            let next = paragraph.index(after: space)
            let ends = space > start && ".?!".contains(paragraph[paragraph.index(before: space)])
            if ends, next < paragraph.endIndex, beginsSentence(paragraph[next]) {
                add(upTo: space)
                start = next
            }
            index = next
        }
        add(upTo: paragraph.endIndex)
        return sentences
    }

    private static func beginsSentence(_ character: Character) -> Bool {
        character.isUppercase || character.isNumber || "`*\"-".contains(character)
    }
}
