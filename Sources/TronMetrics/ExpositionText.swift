// Prometheus' text format, version 0.0.4: families of samples, each with its help and its type.

/// Writes metrics as text. A name is given to one family, whose samples stand together; counters
/// end in `_total`, and values are in base units: seconds, bytes.
struct ExpositionText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []

    /// A count that only grows.
    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        begin(name, help, "counter")
        line(name, "\(value)")
    }

    /// A count for each value of a label.
    mutating func counter(
        _ name: String, _ help: String, by label: String, _ values: [(String, Int)]
    ) {
        begin(name, help, "counter")
        for (labelValue, value) in values {
            line(name + Self.labels([(label, labelValue)]), "\(value)")
        }
    }

    /// A number that rises and falls.
    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        begin(name, help, "gauge")
        line(name, "\(value)")
    }

    /// A number for each value of a label.
    mutating func gauge(
        _ name: String, _ help: String, by label: String, _ values: [(String, Int)]
    ) {
        begin(name, help, "gauge")
        for (labelValue, value) in values {
            line(name + Self.labels([(label, labelValue)]), "\(value)")
        }
    }

    /// How many observations were at most as large as each bound: counts include those of the
    /// bounds before, and `count` is that of all.
    struct Distribution {
        var buckets: [(bound: Double, count: Int)]
        var sum: Double
        var count: Int
    }

    /// How observations are distributed.
    mutating func histogram(_ name: String, _ help: String, _ distribution: Distribution) {
        begin(name, help, "histogram")
        lines(name, distribution, [])
    }

    /// The same for each value of a label.
    mutating func histogram(
        _ name: String, _ help: String, by label: String, _ values: [(String, Distribution)]
    ) {
        begin(name, help, "histogram")
        for (value, distribution) in values { lines(name, distribution, [(label, value)]) }
    }

    private mutating func lines(
        _ name: String, _ distribution: Distribution, _ labels: [(String, String)]
    ) {
        func bucket(_ bound: String, _ count: Int) {
            line(name + "_bucket" + Self.labels(labels + [("le", bound)]), "\(count)")
        }
        for (bound, count) in distribution.buckets { bucket("\(bound)", count) }
        bucket("+Inf", distribution.count)
        line(name + "_sum" + Self.labels(labels), "\(distribution.sum)")
        line(name + "_count" + Self.labels(labels), "\(distribution.count)")
    }

    private mutating func begin(_ name: String, _ help: String, _ type: String) {
        line("# HELP \(name)", Self.escaped(help, quote: false))
        line("# TYPE \(name)", type)
    }

    private mutating func line(_ first: String, _ second: String) {
        bytes += first.utf8
        bytes.append(UInt8(ascii: " "))
        bytes += second.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func labels(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.map { label, value in "\(label)=\"\(escaped(value, quote: true))\"" }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    /// A quote is escaped in a label's value and not in a help text.
    private static func escaped(_ text: String, quote: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
