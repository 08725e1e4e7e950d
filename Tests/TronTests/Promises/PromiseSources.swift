// What the promises are compared with: the documentation, and the names of the tests.
@testable import Tron

struct PromiseSources {
    /// All sentences of the documentation, by file.
    let sentences: [String: [Sentence]]
    let tests: TestIndex
    /// What simulated runs say.
    let simulation: String

    static let current = PromiseSources()

    private init() {
        var sentences: [String: [Sentence]] = [:]
        for path in ["Sources/Tron", "Sources/TronMetrics"].flatMap(Package.filePaths) {
            sentences[path] = DocumentedText.sentences(ofSource: Self.lines(path), path: path)
        }
        let readme = "README.md"
        sentences[readme] = DocumentedText.sentences(ofMarkdown: Self.lines(readme), path: readme)
        self.sentences = sentences
        var tests = TestIndex()
        let folders = [
            "Tests/TronTests", "Tests/TronMetricsTests", "Tests/SimulationTests",
            "Tests/BenchmarkTests", "Tests/TronTestKitTests",
        ]
        for path in folders.flatMap(Package.filePaths) where path.hasSuffix(".swift") {
            tests.add(Self.lines(path))
        }
        self.tests = tests
        let simulated = ["Tests/SimulationTests", "Sources/TronTestKit"]
        simulation = simulated.flatMap(Package.filePaths).map {
            String(decoding: Package.read($0) ?? [], as: UTF8.self)
        }.joined()
    }

    private static func lines(_ path: String) -> [String] {
        (Package.read(path) ?? []).split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The sentences that a place may speak of: those of its file, or of all.
    func sentences(at place: PromisedPlace) -> [Sentence] {
        guard place.path == PromisedPlace.everywhere else { return sentences[place.path] ?? [] }
        return sentences.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    /// What a check means: a test, or the path of what CI runs; nil when there is no such thing.
    func name(ofCheck check: String) -> String? {
        if !check.contains(": ") { return Package.read(check) == nil ? nil : "`\(check)`" }
        let found = tests.tests(of: check)
        let suite = check.prefix { $0 != ":" }
        return found.count == 1 ? "\(suite): \(found[0])" : nil
    }
}
