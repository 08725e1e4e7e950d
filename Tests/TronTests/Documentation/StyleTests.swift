// Keeps the style: reads the package's own sources, and shows each rule failing on a bad sample.
import Glibc
import Testing

@Suite struct StyleTests {
    @Test func `the sources keep every rule`() throws {
        let files = try Package.sourceFiles()
        #expect(files.contains { $0.path == "Tests/TronTests/Documentation/StyleTests.swift" })
        let breaches = StyleRules.breaches(in: files)
        #expect(breaches.isEmpty, "\n\(breaches.map(\.description).joined(separator: "\n"))")
    }

    @Test func `the top level holds only what belongs there`() {
        #expect(StyleRules.strayEntries(Package.entries(of: "")) == [])
        #expect(
            StyleRules.strayEntries([".git", "Sources", "notes.txt"]).map(\.path) == ["notes.txt"])
    }
}

@Suite struct StyleRuleTests {
    private let sample = "Sources/Tron/Loop/Sample.swift"

    @Test func `a line over 100 columns is found, counted in characters`() {
        let fits = String(repeating: "\u{e9}", count: 100)
        let breaches = StyleRules.longLines(SourceFile(sample, "\(fits)\n\(fits)x\n"))
        #expect(breaches.map(\.description) == ["\(sample):2: 101 columns, over 100"])
    }

    @Test(arguments: StyleRules.doubtWords)
    func `a parked doubt is found in comments, strings and every kind of file`(word: String) {
        for path in [sample, "CEpollShim/shim.h", "Benchmarks/run.sh"] {
            let breaches = StyleRules.parkedDoubts(
                SourceFile(path, "a\n// \(word): later\n\"\(word)\""))
            #expect(breaches.map(\.line) == [2, 3])
        }
        #expect(StyleRules.parkedDoubts(SourceFile(sample, "/tmp/\(word)\(word) my_\(word)")) == [])
    }

    @Test func `a file that does not say its purpose is found`() {
        #expect(StyleRules.missingPurpose(SourceFile(sample, "import Tron\n")).count == 1)
        #expect(StyleRules.missingPurpose(SourceFile(sample, "")).count == 1)
        #expect(StyleRules.missingPurpose(SourceFile(sample, "// The loop.\n")) == [])
    }

    @Test func `a test of several threads lies where the thread sanitizer looks`() {
        let text = "let loop = try ReactorThread()"
        let unseen = SourceFile("Tests/TronTests/Endpoints/A.swift", text)
        #expect(StyleRules.unseenThreads(unseen).map(\.line) == [1])
        let seen = SourceFile("Tests/TronTests/Endpoints/Threads/A.swift", text)
        #expect(StyleRules.unseenThreads(seen) == [])
    }

    @Test func `the thread sanitizer is given those folders`() throws {
        let manifest = String(decoding: try #require(Package.read("Package.swift")), as: UTF8.self)
        let folders = StyleRules.foldersOfThreads.map { "\"\($0)\"" }.joined(separator: ", ")
        #expect(manifest.contains("sources = [\n            \(folders),\n        ]"))
    }

    @Test(arguments: [
        (path: "Sources/Tron/System/A.swift", text: "import Foundation", isBreach: true),
        (path: "Sources/Tron/System/A.swift", text: "internal import Glibc", isBreach: true),
        (path: "Sources/Tron/Wire/A.swift", text: "import struct Dispatch.X", isBreach: true),
        (path: "Sources/Tron/Wire/A.swift", text: "import FoundationEssentials", isBreach: true),
        (path: "Sources/Tron/Wire/A.swift", text: "import Musl", isBreach: true),
        (path: "Sources/Tron/Wire/A.swift", text: "// import Musl", isBreach: false),
        (path: "Sources/Tron/Wire/A.swift", text: "import Synchronization", isBreach: false),
        (path: "Sources/echo-demo/main.swift", text: "import Foundation", isBreach: true),
        (path: "Sources/echo-demo/main.swift", text: "import Tron", isBreach: false),
        (path: "Sources/cluster-demo/main.swift", text: "import Foundation", isBreach: true),
        (path: "Tests/TronTests/A.swift", text: "import Foundation", isBreach: false),
        (path: "Tests/TronTests/A.swift", text: "import CEpollShim", isBreach: true),
        (path: "Sources/Tron/Loop/A.swift", text: "internal import CEpollShim", isBreach: true),
        (path: "Sources/Tron/System/A.swift", text: "internal import CEpollShim", isBreach: false),
    ])
    func `a forbidden import is found`(path: String, text: String, isBreach: Bool) {
        #expect(
            StyleRules.imports(SourceFile(path, "\n" + text)).map(\.line) == (isBreach ? [2] : []))
    }

    @Test(arguments: [
        (text: "import Tron", isBreach: false),
        (text: "/// @testable import Tron", isBreach: false),
        (text: "@testable import Tron", isBreach: true),
        (text: "@_spi(Loop) import Tron", isBreach: true),
        (text: "package import Tron", isBreach: true),
        (text: "import class Tron.Reactor", isBreach: true),
        (text: "import Tron; import Tron", isBreach: true),
        (text: "import Synchronization\nimport Tron", isBreach: false),
        (text: "import Synchronization", isBreach: true),
        (text: "import Glibc", isBreach: true),
        (text: "struct A {}; import Tron", isBreach: true),
    ])
    func `metrics that import more than the public API are found`(text: String, isBreach: Bool) {
        let lines = StyleRules.importsBesidesTron(
            SourceFile("Sources/TronMetrics/A.swift", "\n" + text)
        ).map(\.line)
        #expect(lines == (isBreach ? [2] : []))
        #expect(StyleRules.importsBesidesTron(SourceFile(sample, text)) == [])
    }

    @Test(arguments: [
        "func f() {", "init?(a: Int) throws(E) {", "deinit {", "subscript(i: Int) -> Int {",
        "var x: [Int] {", "var x = 1 { didSet {", "var x: Int { get async throws {",
        "var x: Int { set(new) {", "func get<T>(_ g: (T) -> Int = { $0.x }) -> Int where T: P {",
        "protocol P { func a()\n init() }; extension P { func `a {`() {",
    ])
    func `a function over 60 lines is found, whatever its kind`(head: String) {
        let closing = String(repeating: "}", count: head.count { $0 == "{" })
        for (lines, count) in [(58, 0), (59, 1)] {
            let body = String(repeating: "x += 1\n", count: lines)
            let file = SourceFile(sample, "// A sample.\n\(head)\n\(body)\(closing)\n")
            #expect(StyleRules.longFunctions(file).count >= count)
            #expect(count > 0 || StyleRules.longFunctions(file) == [])
        }
    }

    @Test func `requirements without a body do not borrow the next one`() {
        let long = String(repeating: "x\n", count: 70)
        let text =
            "protocol P {\nfunc a()\ninit()\nvar x: Int { get set }\n}\nstruct S {\n\(long)}\n"
        #expect(StyleRules.longFunctions(SourceFile(sample, text)) == [])
    }

    @Test(arguments: [
        "// }", "/* } /* } */ } */", #""}""#, #""\"}""#, ##"#"\"}"#"##, "\"\\(f(\"}\") + \"}\")\"",
        "\"\"\"\n} \" \"\" \\\"\"\" }\n\"\"\"", "#\"\"\"\n\"\"\" } \\(\n\"\"\"#", "`}`", "\"\\\\\"",
        "#if x", "f(#\"\"#, \"\", \"}\")",
    ])
    func `a brace in a comment or a string closes nothing`(line: String) {
        let code = CodeMask.code(of: [UInt8]("func f() {\n\(line)\n}".utf8))
        let text = String(decoding: code, as: UTF8.self)
        #expect(text.count { $0 == "}" } == 1)
        #expect(!text.contains("\""))
        #expect(text.count { $0 == "\n" } == line.count { $0 == "\n" } + 2)
    }

    @Test func `code within an interpolation stays code`() {
        let code = CodeMask.code(of: [UInt8](#""a \(Reactor.name("b")) c""#.utf8))
        #expect(Tokenizer.tokens(of: code).map(\.text) == ["Reactor", ".", "name", "(", ")"])
    }

    @Test func `a name from a higher layer is found`() {
        let high = SourceFile("Sources/Tron/Loop/Reactor.swift", "public final class Reactor {}")
        let low = SourceFile("Sources/Tron/Wire/A.swift", "// Reactor\nlet a: Reactor?\n")
        let breach = Breach(
            path: low.path, line: 2, message: "names Reactor of the higher layer Loop")
        #expect(StyleRules.layers([high, low]) == [breach])
    }

    @Test func `a name of the same or a lower layer, a private or an ambiguous one is allowed`() {
        let storage = SourceFile("Sources/Tron/Storage/A.swift", "struct Slab { enum State {} }")
        let loop = SourceFile("Sources/Tron/Loop/A.swift", "struct Reactor { var a: Slab }")
        let session = SourceFile(
            "Sources/Tron/Sessions/A.swift",
            "private final class Hidden {}\nenum State { case on(Reactor, Hidden) }")
        let wire = SourceFile("Sources/Tron/Wire/A.swift", "let a: State, b: Slab, c: Hidden")
        #expect(StyleRules.layers([storage, loop, session, wire]) == [])
    }

    @Test(arguments: ["Sources/Tron/A.swift", "Sources/Tron/Other/A.swift"])
    func `a file of the library outside the layers is found`(path: String) {
        #expect(StyleRules.layers([SourceFile(path, "")]).map(\.message) == ["is in no layer"])
    }
}

/// The package on disk.
enum Package {
    static let folders = ["Sources", "Tests", "Benchmarks", "CEpollShim"]

    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(4)
        return "/" + parts.joined(separator: "/") + "/"
    }()

    /// Package.swift and every text file under the folders.
    static func sourceFiles() throws -> [SourceFile] {
        let paths = ["Package.swift"] + folders.flatMap(filePaths)
        return try paths.compactMap { path in
            let bytes = try #require(read(path), "cannot read \(path)")
            return bytes.contains(0) ? nil : SourceFile(path, bytes)
        }
    }

    static func filePaths(under folder: String) -> [String] {
        let paths = entries(of: folder).filter { !$0.hasPrefix(".") }.map { folder + "/" + $0 }
        // What a link leads to is read where it lies.
        return paths.filter { !isLink($0) }.flatMap { path in
            isFolder(path) ? filePaths(under: path) : [path]
        }
    }

    static func entries(of folder: String) -> [String] {
        guard let stream = opendir(root + folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.sorted()
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(root + path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(root + path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(root + path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes
    }
}
