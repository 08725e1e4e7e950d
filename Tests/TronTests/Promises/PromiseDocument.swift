// The promises as a document: each sentence, its number, and what checks it.
@testable import Tron

enum PromiseDocument {
    static func text(_ places: [PromisedPlace], _ sources: PromiseSources) -> String {
        let count = places.reduce(0) { $0 + $1.promises.count }
        let judged = places.joined(\.promises).filter { $0.simulation != nil }.count
        let introduction = """
            # What the documentation promises, and what checks it

            Each sentence of a public declaration's documentation and of the README that says what
            always, never, at most, only or by default is so (all the words: `Sentence.words`) has a
            number here, and at least one test that fails when it is false. \(count) promises;
            \(judged) of them are judged in every simulated run as well, by the rule that the last
            column quotes. Sentences that say the same share a number.

            This file is written by the test that compares it, from the tables in
            `Tests/TronTests/Promises`: `TRON_REWRITE=1 swift test --filter PromiseTests`.

            """
        return introduction + places.map { section($0, sources) }.joined()
    }

    private static func section(_ place: PromisedPlace, _ sources: PromiseSources) -> String {
        let rows = place.promises.map { promise in
            let sentences = sources.sentences(at: place).filter(promise.covers).map(\.text)
            let said = sentences.reduce(into: [String]()) { texts, text in
                if !texts.contains(text) { texts.append(text) }
            }
            let checks = promise.checks.map { sources.name(ofCheck: $0) ?? $0 }
            let cells = [said, checks, [promise.simulation ?? ""]].map {
                $0.joined(separator: "<br>").replacing("|", with: "\\|")
            }
            return "| \(promise.number) | \(cells.joined(separator: " | ")) |\n"
        }
        return
            "\n## \(place.path)\n\n| | promise | tests | simulation |\n| --- | --- | --- | --- |\n"
            + rows.joined()
    }
}

extension [PromisedPlace] {
    fileprivate func joined(_ promises: KeyPath<PromisedPlace, [Promise]>) -> [Promise] {
        flatMap { $0[keyPath: promises] }
    }
}
