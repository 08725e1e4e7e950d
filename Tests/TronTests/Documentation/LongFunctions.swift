// The style rule of long functions: where each begins and ends, whatever its kind.

extension StyleRules {
    static func longFunctions(_ file: SourceFile) -> [Breach] {
        let closing = closingBraces(file.tokens)
        return file.tokens.indices.compactMap { index in
            guard let body = bodyStart(file.tokens, from: index), let end = closing[body] else {
                return nil
            }
            let start = file.tokens[index]
            let length = file.tokens[end].line - start.line + 1
            guard length > 60 else { return nil }
            return Breach(
                path: file.path, line: start.line,
                message: "\(start.text) of \(length) lines, over 60")
        }
    }

    /// The index of the brace that closes each opening brace.
    private static func closingBraces(_ tokens: [Token]) -> [Int: Int] {
        var open: [Int] = []
        var closing: [Int: Int] = [:]
        for (index, token) in tokens.enumerated() {
            if token.text == "{" { open.append(index) }
            if token.text == "}", let start = open.popLast() { closing[start] = index }
        }
        return closing
    }

    private static let accessors: Set = ["get", "set", "willSet", "didSet", "_read", "_modify"]
    private static let effects: Set = ["async", "throws"]
    private static let accessorFollowers: Set = ["{", "(", "async", "throws"]
    private static let declarations: Set = [
        "func", "init", "deinit", "subscript", "var", "let", "case", "struct", "class", "enum",
        "actor", "protocol", "extension", "typealias", "associatedtype", "get", "set", "}",
    ]

    /// The opening brace of the function, accessor or computed property that starts at `index`.
    private static func bodyStart(_ tokens: [Token], from index: Int) -> Int? {
        if index > 0 && tokens[index - 1].text == "." { return nil }
        switch tokens[index].text {
        case "func", "init", "deinit", "subscript":
            return firstBrace(tokens, after: index) { declarations.contains($0.text) }
        case "var":
            let line = tokens[index].line
            return firstBrace(tokens, after: index) { $0.line != line || $0.text == "=" }
        case let word where accessors.contains(word):
            guard index + 1 < tokens.count, accessorFollowers.contains(tokens[index + 1].text)
            else {
                return nil
            }
            return firstBrace(tokens, after: index) { !effects.contains($0.text) }
        default: return nil
        }
    }

    /// The first brace outside parentheses, unless a token outside them says that there is no body.
    private static func firstBrace(
        _ tokens: [Token], after index: Int, unless isEnd: (Token) -> Bool
    ) -> Int? {
        var depth = 0
        for position in (index + 1)..<max(index + 1, tokens.count) {
            let token = tokens[position]
            switch token.text {
            case "(": depth += 1
            case ")": depth -= 1
            case _ where depth > 0: continue
            case "{": return position
            // A function may have a keyword for its name.
            default: if position > index + 1 && isEnd(token) { return nil }
            }
            if depth < 0 { return nil }
        }
        return nil
    }
}
