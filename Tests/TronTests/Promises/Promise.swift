// A promise: what the documentation says for certain, its number, and what would fail without it.

/// Normative sentences of one place, all of which the same checks judge.
struct Promise: Sendable {
    /// Stays with the promise for good: a new one takes a new number.
    let number: Int
    /// A part of each sentence, word for word.
    let phrases: [String]
    /// `Suite: a part of the test's name` that no other test of the suite has, or the path of a
    /// script or program that CI runs.
    let checks: [String]
    /// A part of what a simulated run says when the promise is broken; nil where none judges it.
    let simulation: String?

    init(_ number: Int, _ phrases: String..., by checks: String..., simulation: String? = nil) {
        self.number = number
        self.phrases = phrases
        self.checks = checks
        self.simulation = simulation
    }

    func covers(_ sentence: Sentence) -> Bool { phrases.contains { sentence.text.contains($0) } }
}

/// The promises of one file.
struct PromisedPlace: Sendable {
    let path: String
    let promises: [Promise]

    init(_ path: String, _ promises: [Promise]) {
        self.path = path
        self.promises = promises
    }

    /// The path of promises that stand in many files, always in the same words.
    static let everywhere = "everywhere"

    static let all: [PromisedPlace] = [
        general, system, storage, wire, loop, signals, sessions, sending, sessionLimits, clients,
        drains, servers, service, groups, proxies, rates, metrics, readme,
    ].flatMap { $0 }
}
