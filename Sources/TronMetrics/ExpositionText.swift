// Prometheus' text format, version 0.0.4: families of samples, each with its help and its type.

/// Writes metrics as text: see `Reactor.serveMetrics(on:options:adding:)`. By Prometheus' customs
/// counters end in `_total`, and values are in base units: seconds, bytes.
///
/// It traps on a name or a label that the format does not allow, and on a name that was given
/// before: a family's samples stand together.
public struct ExpositionText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []
    private var names: Set<String> = []

    init() {}

    /// A count that grows.
    public mutating func counter(_ name: String, _ help: String, _ value: some SampleValue) {
        begin(name, help, "counter")
        line(name, value.sampleText)
    }

    /// A count for each value of a label.
    public mutating func counter(
        _ name: String, _ help: String, by label: String, _ values: [(String, some SampleValue)]
    ) {
        begin(name, help, "counter", by: label)
        lines(name, label, values)
    }

    /// A number that rises and falls.
    public mutating func gauge(_ name: String, _ help: String, _ value: some SampleValue) {
        begin(name, help, "gauge")
        line(name, value.sampleText)
    }

    /// A number for each value of a label.
    public mutating func gauge(
        _ name: String, _ help: String, by label: String, _ values: [(String, some SampleValue)]
    ) {
        begin(name, help, "gauge", by: label)
        lines(name, label, values)
    }

    private mutating func lines(
        _ name: String, _ label: String, _ values: [(String, some SampleValue)]
    ) {
        for (labelValue, value) in values {
            line(name + Self.labels([(label, labelValue)]), value.sampleText)
        }
    }

    /// How many observations were at most as large as each bound: counts include those of the
    /// bounds before, and `count` is that of all.
    public struct Distribution {
        /// In rising order of the bounds; what is above the last one counts in `count` alone, so
        /// that an infinite bound needs no place here.
        public var buckets: [(bound: Double, count: Int)]
        /// That of all observations.
        public var sum: Double
        /// How many observations there are.
        public var count: Int

        /// Of observations that were counted elsewhere.
        public init(buckets: [(bound: Double, count: Int)], sum: Double, count: Int) {
            self.buckets = buckets
            self.sum = sum
            self.count = count
        }
    }

    /// How observations are distributed.
    public mutating func histogram(_ name: String, _ help: String, _ distribution: Distribution) {
        begin(name, help, "histogram")
        lines(name, distribution, [])
    }

    /// The same for each value of a label.
    public mutating func histogram(
        _ name: String, _ help: String, by label: String, _ values: [(String, Distribution)]
    ) {
        begin(name, help, "histogram", by: label)
        for (value, distribution) in values { lines(name, distribution, [(label, value)]) }
    }

    private mutating func lines(
        _ name: String, _ distribution: Distribution, _ labels: [(String, String)]
    ) {
        let bounded = distribution.buckets.filter { $0.bound < .infinity }
        for (bound, count) in bounded + [(bound: .infinity, count: distribution.count)] {
            line(name + "_bucket" + Self.labels(labels + [("le", bound.sampleText)]), "\(count)")
        }
        line(name + "_sum" + Self.labels(labels), distribution.sum.sampleText)
        line(name + "_count" + Self.labels(labels), "\(distribution.count)")
    }

    private mutating func begin(
        _ name: String, _ help: String, _ type: String, by label: String? = nil
    ) {
        guard Self.isName(name, orIn: ":") else { fatalError("no name of a metric: \(name)") }
        let suffixes = type == "histogram" ? ["", "_bucket", "_sum", "_count"] : [""]
        for sample in suffixes.map({ name + $0 }) where !names.insert(sample).inserted {
            fatalError("a metric twice: \(sample)")
        }
        if let label, !Self.isName(label) || label.hasPrefix("__") || label == "le" {
            fatalError("no label of a metric: \(label)")
        }
        line("# HELP \(name)", Self.escaped(help, quote: false))
        line("# TYPE \(name)", type)
    }

    /// Letters, digits and underscores, the first of which is no digit; and `others`.
    private static func isName(_ name: String, orIn others: String = "") -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else {
            return false
        }
        return name.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": true
            default: others.unicodeScalars.contains(scalar)
            }
        }
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
