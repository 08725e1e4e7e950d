// `--gate`: fails when a packet costs more than a committed file says. Counts alone, never time.

/// The figures of a file: on each line a scenario, a figure's name, what it was when the file was
/// written, and perhaps a bound of its own. Lines that begin with `#` are kept.
struct Gate: Equatable {
    /// What a figure may rise by, relative.
    static let tolerance = 0.1

    /// A count that was zero may be this much: what happens once in a run is no cost of a packet.
    static let nothing = 0.002

    static let figures: [Figure] = [.allocations, .systemCalls, .userInstructions]

    /// What a new file has.
    static let scenarios: [Scenario.Kind] = [.throughput, .roundTrips, .connections, .churn]

    struct Entry: Equatable {
        let scenario: Scenario.Kind
        let figure: Figure
        var expected: Double
        /// Whatever was expected, it may not be more.
        var atMost: Double?

        var bound: Double {
            let raised = max(expected * (1 + Gate.tolerance), Gate.nothing)
            return min(raised, atMost ?? raised)
        }
    }

    private enum Line: Equatable {
        case comment(String)
        case entry(Entry)
    }

    private var lines: [Line] = []

    var entries: [Entry] {
        lines.compactMap { line in
            if case .entry(let entry) = line { entry } else { nil }
        }
    }

    /// For a file that is not there yet.
    init() {
        lines.append(.comment("# scenario, figure, expected, and perhaps: at most"))
        for kind in Self.scenarios {
            for figure in Self.figures {
                lines.append(.entry(Entry(scenario: kind, figure: figure, expected: 0)))
            }
        }
    }

    init(parsing text: String) throws(Failure) {
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                lines.append(.comment(String(line)))
                continue
            }
            let words = line.split(separator: " ").map(String.init)
            let numbers = words.dropFirst(2).compactMap(Double.init)
            guard (3...4).contains(words.count), numbers.count == words.count - 2,
                let scenario = Scenario.Kind(rawValue: words[0]),
                let figure = Figure(rawValue: words[1])
            else { throw Failure("not a line of figures: \(line)") }
            let entry = Entry(
                scenario: scenario, figure: figure, expected: numbers[0],
                atMost: numbers.count > 1 ? numbers[1] : nil)
            lines.append(.entry(entry))
        }
    }

    var text: String {
        lines.map { line in
            switch line {
            case .comment(let text): return text + "\n"
            case .entry(let entry):
                let numbers = [entry.expected, entry.atMost].compactMap(\.self)
                let texts = numbers.map { Self.plain($0, entry.figure) }
                return ([entry.scenario.rawValue, entry.figure.rawValue] + texts)
                    .joined(separator: " ") + "\n"
            }
        }.joined()
    }

    /// As a table shows it, but for the commas.
    private static func plain(_ value: Double, _ figure: Figure) -> String {
        figure.text(value).filter { $0 != "," }
    }

    private static func measured(_ entry: Entry, _ results: [ScenarioResult]) -> Double? {
        results.first { $0.name == entry.scenario.rawValue }?.servers.first?.median(entry.figure)
    }

    /// Takes the measured figures in place of the expected ones; what was not measured stays.
    mutating func rewrite(_ results: [ScenarioResult]) {
        lines = lines.map { line in
            guard case .entry(var entry) = line, let value = Self.measured(entry, results) else {
                return line
            }
            entry.expected = value
            return .entry(entry)
        }
    }

    /// The table of the scenarios that ran, and whether every measured figure is within its bound.
    func check(_ results: [ScenarioResult]) -> (table: Table, passes: Bool) {
        var table = Table(heading: ["a packet of", "costs", "measured", "at most", ""])
        var passes = true
        let names = results.map(\.name)
        for entry in entries where names.contains(entry.scenario.rawValue) {
            var verdict = "not measured"
            let value = Self.measured(entry, results)
            if let value {
                verdict = value <= entry.bound ? "ok" : "EXCEEDED"
                if value > entry.bound { passes = false }
            }
            table.rows.append([
                entry.scenario.rawValue, entry.figure.fullTitle,
                value.map(entry.figure.text) ?? "-", entry.figure.text(entry.bound), verdict,
            ])
        }
        return (table, passes)
    }
}
