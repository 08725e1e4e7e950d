// What a reader of the documentation has to be told, wherever in the library it stands.
import Foundation
import Testing

@Suite struct DocumentationTests {
    /// The documentation right above a line that the library documents once.
    private func documentation(of declaration: String) throws -> String {
        let root = (1...4).reduce(URL(filePath: #filePath)) { path, _ in
            path.deletingLastPathComponent()
        }
        let folder = root.appending(path: "Sources/Tron")
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap {
            $0 as? String
        }
        var found: [String] = []
        for name in try #require(names) where name.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            let lines = text.components(separatedBy: "\n").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            for (index, line) in lines.enumerated() where line == declaration {
                let above = lines[..<index].reversed().prefix { $0.hasPrefix("///") }
                let text = above.reversed().map { $0.dropFirst(3) }.joined()
                if !text.isEmpty { found.append(text) }
            }
        }
        try #require(found.count == 1, "\(declaration) stands \(found.count) times")
        return found[0]
    }

    @Test(arguments: [
        "case idle(IdleKind)", "case dead", "case aborted", "case unanswered(requests: Int)",
        "case overflow(bytes: Int)", "case deadlineExceeded(Deadline)", "case reactorStopped",
        "case system(SystemError)",
    ])
    func `a reason that drops queued output says so`(reason: String) throws {
        let text = try documentation(of: reason)
        #expect(text.contains("queued") && text.contains("drop"), "\(reason): \(text)")
    }
}
