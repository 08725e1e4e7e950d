// The tables of a run.

/// Lays results out for people, in at most 100 columns.
struct Summary {
    static let speed: [Figure] = [
        .packetsPerSecond, .megabytesPerSecond, .latency50, .latency90, .latency99, .latency999,
        .latencyMaximum, .serverProcessor, .generatorProcessor,
    ]
    static let cost: [Figure] = [
        .allocations, .systemCalls, .userInstructions, .kernelInstructions, .userCycles,
        .kernelCycles, .processorTime, .processorTimeOfByte, .bytesPerConnection,
    ]

    private static let costCaption =
        "Each packet costs the server (system calls; instructions and cycles, the user's and the "
        + "kernel's):\n"
    private static let idleCaption = "Each connection costs the server:\n"

    let emphasis: (begin: String, end: String)

    /// One server: a row for each scenario.
    func text(of scenarios: [ScenarioResult]) -> String {
        let rows = scenarios.compactMap { scenario in
            scenario.servers.first.map { (scenario.name, $0) }
        }
        return tables("scenario", rows, reference: nil)
    }

    /// One scenario: a row for each server, with ratios to the reference.
    func text(of scenario: ScenarioResult) -> String {
        let reference = scenario.servers.first { $0.name == ServerProgram.reference }
        return tables("server", scenario.servers.map { ($0.name, $0) }, reference: reference)
    }

    private typealias Row = (name: String, result: ServerResult)

    private func tables(_ title: String, _ rows: [Row], reference: ServerResult?) -> String {
        var parts: [String] = []
        if let table = table(title, rows, Self.speed, ratio: .packetsPerSecond, reference) {
            parts.append(table)
            parts += limits(rows)
        }
        if let table = table(title, rows, Self.cost, ratio: .userInstructions, reference) {
            let isIdle = rows.allSatisfy { $0.result.median(.packetsPerSecond) == nil }
            parts.append((isIdle ? Self.idleCaption : Self.costCaption) + table)
        }
        return parts.joined(separator: "\n\n")
    }

    /// Columns without any value are left out, and so is a table without columns. Next to `ratio`'s
    /// column come its ratio to the reference and its spread over the rounds.
    private func table(
        _ title: String, _ rows: [Row], _ figures: [Figure], ratio: Figure,
        _ reference: ServerResult?
    ) -> String? {
        var present = figures.filter { figure in
            rows.contains { $0.result.median(figure) != nil }
        }
        // Where packets are counted it is not bytes that cost, and a line has no room for both.
        if present.contains(.userInstructions) { present.removeAll { $0 == .processorTimeOfByte } }
        let measured = rows.filter { row in present.contains { row.result.median($0) != nil } }
        guard !present.isEmpty else { return nil }
        let hasSpread = ratio == .packetsPerSecond && rows.contains { $0.result.rounds.count > 1 }
        var heading = [title]
        for figure in present {
            heading.append(figure.title)
            guard figure == ratio else { continue }
            if reference != nil { heading.append("ratio") }
            if hasSpread { heading.append("spread") }
        }
        var table = Table(heading: heading)
        for row in measured {
            var cells = [row.name]
            for figure in present {
                cells.append(cell(row.result, figure))
                guard figure == ratio else { continue }
                if let reference { cells.append(self.ratio(row.result, reference, figure)) }
                if hasSpread {
                    cells.append(decimal(row.result.spread(figure) * 100, 1) + "%")
                }
            }
            table.rows.append(cells)
        }
        return table.text(emphasis: emphasis)
    }

    private func cell(_ result: ServerResult, _ figure: Figure) -> String {
        guard let value = result.median(figure) else { return "-" }
        let isLimit = figure == .generatorProcessor && isLimitedByGenerator(result)
        return (isLimit ? "!" : "") + figure.text(value)
    }

    private func ratio(
        _ result: ServerResult, _ reference: ServerResult, _ figure: Figure
    ) -> String {
        guard let value = result.median(figure), let base = reference.median(figure), base > 0
        else { return "-" }
        return decimal(value / base, 2)
    }

    /// In most rounds.
    private func isLimitedByGenerator(_ result: ServerResult) -> Bool {
        2 * result.rounds.count(where: \.isLimitedByGenerator) > result.rounds.count
    }

    private func limits(_ rows: [Row]) -> [String] {
        let names = rows.filter { isLimitedByGenerator($0.result) }.map(\.name)
        let late = rows.compactMap { row in
            row.result.values(.generatorLateness).max().map { (row.name, $0) }
        }
        var parts: [String] = []
        if !names.isEmpty {
            parts.append(
                "! The generator was the bottleneck: \(names.joined(separator: ", ")). "
                    + "The server can do more.")
        }
        let others = rows.compactMap { $0.result.median(.otherProcessor) }.max() ?? 0
        if others > 0.05 {
            parts.append(
                "The machine was busy: other programs took up to \(decimal(others * 100, 0)) % of "
                    + "the processors.\nTimes suffer from that, counts do not.")
        }
        if !late.isEmpty {
            let texts = late.map { "\($0) \(Figure.generatorLateness.text($1)) µs" }
            parts.append(
                "The generator itself was late by at most: " + texts.joined(separator: ", ") + ".")
        }
        return parts
    }
}
