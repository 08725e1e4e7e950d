// JSON as the result files need it: a value, its text, and a reader.

/// A value; an object keeps the order of its members.
enum JSON: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Equatable {
        let key: String
        let value: JSON

        init(_ key: String, _ value: JSON) { (self.key, self.value) = (key, value) }
    }

    /// A number, or null for none.
    static func optional(_ number: Double?) -> JSON { number.map(JSON.number) ?? .null }

    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    var number: Double? {
        if case .number(let number) = self { number } else { nil }
    }

    var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    var array: [JSON]? {
        if case .array(let array) = self { array } else { nil }
    }
}

// MARK: - Writing

extension JSON {
    /// Indented by two spaces a level; what holds no arrays and no objects is on one line.
    func text(indentation: String = "") -> String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .number(let number): Self.text(number)
        case .string(let string): Self.quoted(string)
        case .array(let items):
            Self.list("[", items.map { ($0, "") }, "]", indentation)
        case .object(let members):
            Self.list(
                "{", members.map { ($0.value, Self.quoted($0.key) + ": ") }, "}", indentation)
        }
    }

    private var isNested: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    private static func list(
        _ open: String, _ items: [(value: JSON, key: String)], _ close: String,
        _ indentation: String
    ) -> String {
        guard items.contains(where: \.value.isNested) else {
            return open + items.map { $0.key + $0.value.text() }.joined(separator: ", ") + close
        }
        let inner = indentation + "  "
        let lines = items.map { inner + $0.key + $0.value.text(indentation: inner) }
        return "\(open)\n\(lines.joined(separator: ",\n"))\n\(indentation)\(close)"
    }

    private static func text(_ number: Double) -> String {
        precondition(number.isFinite, "JSON has no such number")
        if number == number.rounded(), number.magnitude < 1e15 { return String(Int(number)) }
        return "\(number)"
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
