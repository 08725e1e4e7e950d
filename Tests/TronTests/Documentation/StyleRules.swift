// The style rules: each takes files and returns what breaks the rule, with file and line.

/// One breach of a rule.
struct Breach: Equatable, CustomStringConvertible {
    var path: String
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message)" }
}

enum StyleRules {
    /// Every rule on every file.
    static func breaches(in files: [SourceFile]) -> [Breach] {
        let single = [
            longLines, longFunctions, parkedDoubts, imports, importsBesidesTron, missingPurpose,
            unseenThreads,
        ]
        return files.flatMap { file in single.flatMap { $0(file) } } + layers(files)
    }

    static func longLines(_ file: SourceFile) -> [Breach] {
        guard file.isSwift else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            // Columns are Unicode scalars: continuation bytes do not count.
            let columns = line.count { $0 & 0xc0 != 0x80 }
            guard columns > 100 else { return nil }
            return Breach(path: file.path, line: index + 1, message: "\(columns) columns, over 100")
        }
    }

    // Built from pieces, so that this file does not break the rule.
    static let doubtWords = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]

    static func parkedDoubts(_ file: SourceFile) -> [Breach] {
        let words = Set(doubtWords)
        return file.lines.enumerated().flatMap { index, line in
            line.split { !Tokenizer.isWordByte($0) }
                .filter { 3...5 ~= $0.count }
                .map { String(decoding: $0, as: UTF8.self) }
                .filter(words.contains)
                .map {
                    Breach(path: file.path, line: index + 1, message: "\($0): do it or drop it")
                }
        }
    }

    static func missingPurpose(_ file: SourceFile) -> [Breach] {
        guard file.isSwift || file.path.hasSuffix(".h") else { return [] }
        if file.bytes.starts(with: "// ".utf8) { return [] }
        return [
            Breach(path: file.path, line: 1, message: "the first line does not say the purpose")
        ]
    }

    static let topLevel: Set = [
        "Package.swift", "README.md", "Sources", "Tests", "Benchmarks", "CEpollShim",
    ]

    static func strayEntries(_ names: [String]) -> [Breach] {
        names.filter { !$0.hasPrefix(".") && !topLevel.contains($0) }
            .map { Breach(path: $0, line: 1, message: "does not belong at the top level") }
    }
}

// MARK: - Threads

extension StyleRules {
    /// Where the thread sanitizer looks: the sources that Package.swift gives it.
    static let foldersOfThreads = [
        "Support", "System", "Loop", "Sessions/Threads", "Endpoints/Threads", "Service",
    ]

    private static let seenThreads = foldersOfThreads.map { "Tests/TronTests/" + $0 }

    /// Tests of several threads lie where the sanitizer of threads runs them.
    static func unseenThreads(_ file: SourceFile) -> [Breach] {
        guard file.isUnder("Tests/TronTests"), !seenThreads.contains(where: file.isUnder) else {
            return []
        }
        // `OtherThread.run` waits for its thread.
        let followers = file.tokens.dropFirst().map(\.text) + [""]
        return zip(file.tokens, followers).compactMap { token, follower in
            switch (token.text, follower) {
            case ("OtherThread", "."): nil
            case ("OtherThread", _), ("ReactorThread", _), ("pthread_create", _):
                Breach(
                    path: file.path, line: token.line,
                    message: "\(token.text) where the thread sanitizer does not look")
            default: nil
            }
        }
    }
}

// MARK: - Imports

extension StyleRules {
    private static let importKinds: Set = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]

    static func imports(_ file: SourceFile) -> [Breach] {
        let foundation: Set = ["Foundation", "FoundationEssentials"]
        var forbidden: Set<String> = []
        if file.isUnder("Sources/echo-demo") || file.isUnder("Sources/cluster-demo") {
            forbidden = foundation
        }
        if file.isUnder("Sources/Tron") {
            forbidden = foundation.union(["Dispatch", "Glibc", "Musl"])
        }
        if !file.isUnder("Sources/Tron/System") { forbidden.insert("CEpollShim") }
        return importedModules(file.tokens).filter { forbidden.contains($0.text) }.map {
            Breach(path: file.path, line: $0.line, message: "imports \($0.text)")
        }
    }

    /// TronMetrics stands on the public API of Tron alone: its files import that, plain and first,
    /// or behind what threads share values by.
    static func importsBesidesTron(_ file: SourceFile) -> [Breach] {
        guard file.isUnder("Sources/TronMetrics") else { return [] }
        let words = file.tokens.map(\.text)
        let plain = ["import", "Tron"]
        let shared = ["import", "Synchronization"]
        let first = words.starts(with: shared) ? shared.count : 0
        let count = words.dropFirst(first).starts(with: plain) ? first + plain.count : 0
        return file.tokens.enumerated().compactMap { index, token in
            guard token.text == "import", index >= count else { return nil }
            return Breach(
                path: file.path, line: token.line, message: "imports more than Tron's public API")
        }
    }

    private static func importedModules(_ tokens: [Token]) -> [Token] {
        tokens.indices.compactMap { index in
            guard tokens[index].text == "import" else { return nil }
            return tokens[(index + 1)...].first { !importKinds.contains($0.text) }
        }
    }
}

// MARK: - Layers

extension StyleRules {
    /// From the lowest up: a layer names itself and those before it.
    static let layerNames = [
        "System", "Storage", "Wire", "Loop", "Sessions", "Endpoints", "Service",
    ]

    static func layers(_ files: [SourceFile]) -> [Breach] {
        let library = files.filter { $0.isSwift && $0.isUnder("Sources/Tron") }
        let homes = layersOfTypes(library)
        return library.flatMap { file -> [Breach] in
            guard let own = layer(of: file) else {
                return [Breach(path: file.path, line: 1, message: "is in no layer")]
            }
            return file.tokens.compactMap { token in
                guard let home = homes[token.text], home > own else { return nil }
                let message = "names \(token.text) of the higher layer \(layerNames[home])"
                return Breach(path: file.path, line: token.line, message: message)
            }
        }
    }

    private static func layer(of file: SourceFile) -> Int? {
        let parts = file.path.split(separator: "/")
        return parts.count < 4 ? nil : layerNames.firstIndex(of: String(parts[2]))
    }

    /// The lowest layer that declares each name: one that also means something lower down, as
    /// nested names like `State` do, is no evidence of an arrow that points up.
    private static func layersOfTypes(_ files: [SourceFile]) -> [String: Int] {
        var homes: [String: Int] = [:]
        for file in files {
            guard let own = layer(of: file) else { continue }
            for name in declaredTypes(file.tokens) { homes[name] = min(own, homes[name] ?? own) }
        }
        return homes
    }

    private static let typeWords: Set = [
        "struct", "class", "enum", "protocol", "actor", "typealias",
    ]

    private static func declaredTypes(_ tokens: [Token]) -> [String] {
        tokens.indices.dropLast().compactMap { index in
            let name = tokens[index + 1].text
            guard typeWords.contains(tokens[index].text), name.first!.isUppercase else {
                return nil
            }
            let before = tokens[max(0, index - 3)..<index].reversed()
            let modifiers = before.prefix { $0.text.first!.isLowercase }
            let isPrivate = modifiers.contains { $0.text == "private" || $0.text == "fileprivate" }
            return isPrivate ? nil : name
        }
    }
}
