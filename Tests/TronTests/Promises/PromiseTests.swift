// Every promise of the documentation has its number and its test; nothing else is in the table.
import Glibc
import Testing

@testable import Tron

@Suite struct PromiseTests {
    private let sources = PromiseSources.current

    @Test func `each sentence that promises something has its row`() {
        var missing: [String] = []
        let everywhere = PromisedPlace.all.filter { $0.path == PromisedPlace.everywhere }
        for (path, sentences) in sources.sentences {
            let promises = (PromisedPlace.all.filter { $0.path == path } + everywhere)
                .flatMap(\.promises)
            for sentence in sentences where sentence.isNormative {
                if promises.contains(where: { $0.covers(sentence) }) { continue }
                missing.append("\(path):\(sentence.line): \(sentence.text)")
            }
        }
        let list = missing.sorted().joined(separator: "\n")
        #expect(missing.isEmpty, "promises that nothing is said to check:\n\(list)")
    }

    @Test func `each row quotes a sentence that still stands there`() {
        for place in PromisedPlace.all {
            let texts = sources.sentences(at: place).map(\.text)
            for promise in place.promises {
                for phrase in promise.phrases where !texts.contains(where: { $0.contains(phrase) })
                {
                    Issue.record("\(promise.number): \(place.path) does not say \"\(phrase)\"")
                }
            }
        }
    }

    @Test func `each row names tests that there are`() {
        for promise in PromisedPlace.all.flatMap(\.promises) {
            #expect(!promise.checks.isEmpty, "\(promise.number) has no check")
            for check in promise.checks where sources.name(ofCheck: check) == nil {
                Issue.record("\(promise.number): no test, or several, for \"\(check)\"")
            }
            if let rule = promise.simulation {
                #expect(sources.simulation.contains(rule), "\(promise.number): \(rule)")
            }
        }
    }

    @Test func `each promise has a number of its own`() {
        let numbers = PromisedPlace.all.flatMap { $0.promises.map(\.number) }
        let again = Dictionary(grouping: numbers) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
        #expect(again.isEmpty)
    }

    @Test func `the document shows the table`() throws {
        let path = Package.root + "Tests/PROMISES.md"
        let text = PromiseDocument.text(PromisedPlace.all, sources)
        if getenv("TRON_REWRITE") != nil {
            let file = try #require(fopen(path, "w"))
            fputs(text, file)
            fclose(file)
        }
        let committed = String(decoding: Package.read("Tests/PROMISES.md") ?? [], as: UTF8.self)
        let lines = Set(committed.split(separator: "\n"))
        let news = text.split(separator: "\n").filter { !lines.contains($0) }
        #expect(text == committed, "TRON_REWRITE=1 writes it anew: \(news)")
    }
}

@Suite struct SentenceTests {
    @Test(arguments: [
        (text: "It never blocks.", isNormative: true),
        (text: "Default 64: enough.", isNormative: true),
        (text: "From any thread.", isNormative: true),
        (text: "The session's name.", isNormative: false),
        (text: "See `drain(within:)`.", isNormative: false),
        (text: "It blocks nevertheless, at most.", isNormative: true),
        (text: "The most, at last.", isNormative: false),
    ])
    func `a sentence with a word that can be false is a promise`(text: String, isNormative: Bool) {
        #expect(Sentence(path: "", line: 1, text: text).isNormative == isNormative)
    }

    @Test func `a new sentence of a public comment is found, and of no other`() {
        let source = """
            /// Hidden, never.
            struct Hidden {
                /// Public, but within what is not.
                case one
            }
            /// The first
            /// part. `a` is once.
            ///
            ///     code, never
            ///
            /// | a | table |
            /// - An item that
            ///   goes on.
            @discardableResult
            public enum Shown {
                /// A case.
                case one
                /// A helper.
                func help()
            }
            public protocol Asked {
                /// A requirement.
                var bound: Int { get }
            }
            """
        let lines = source.split(separator: "\n").map(String.init)
        let found = DocumentedText.sentences(ofSource: lines, path: "a").map(\.text)
        #expect(
            found == [
                "The first part.", "`a` is once.", "An item that goes on.", "A case.", "A helper.",
                "A requirement.",
            ])
    }

    @Test func `prose of Markdown is found, and no code`() {
        let lines = [
            "# Never", "It is", "so. 2 more.", "", "    code", "```swift", "only", "```",
            "- An item",
            "  of it", "| never |",
        ]
        let found = DocumentedText.sentences(ofMarkdown: lines, path: "a").map(\.text)
        #expect(found == ["It is so.", "2 more.", "An item of it"])
    }

    @Test func `tests are found by their suites, however they are named`() {
        var index = TestIndex()
        index.add([
            "@Suite struct ATests {", "    @Test func `one holds`() {", "    @Test(\"two holds\")",
            "    @Test(", "        \"three holds\",", "}", "extension BTests {",
            "    func `four`() {",
        ])
        #expect(
            index.names == [
                "ATests": ["one holds", "two holds", "three holds"], "BTests": ["four"],
            ])
        #expect(index.tests(of: "ATests: three") == ["three holds"])
        #expect(index.tests(of: "ATests: holds").count == 3)
        #expect(index.tests(of: "CTests: one").isEmpty)
    }
}
