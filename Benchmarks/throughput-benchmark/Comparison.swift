// `--compare`: two result files beside each other, and which changes mean something.

/// One figure of one server in one scenario, in both files.
struct Change: Equatable {
    let figure: Figure
    let old: Double
    let new: Double
    /// The larger of both spreads over the rounds, relative.
    let spread: Double

    /// Counts that were taken once vary this much by themselves.
    static let leastSpread = 0.01

    var ratio: Double { old == new ? 0 : old == 0 ? .infinity : new / old - 1 }

    var verdict: String {
        guard ratio.magnitude > max(spread, Self.leastSpread) else { return "" }
        guard let moreIsBetter = figure.moreIsBetter else { return "changed" }
        return (ratio > 0) == moreIsBetter ? "BETTER" : "WORSE"
    }
}

struct Comparison {
    let old: Report
    let new: Report

    /// What both have measured of a server in a scenario.
    static func changes(_ old: ServerResult, _ new: ServerResult) -> [Change] {
        Figure.allCases.compactMap { figure in
            guard let before = old.median(figure), let after = new.median(figure) else {
                return nil
            }
            return Change(
                figure: figure, old: before, new: after,
                spread: max(old.spread(figure), new.spread(figure)))
        }
    }

    /// A table for each scenario and server that both have.
    func text(emphasis: (begin: String, end: String) = ("", "")) -> String {
        var parts = [describe("old", old), describe("new", new)].joined(separator: "\n")
        for scenario in new.scenarios {
            guard let before = old.scenarios.first(where: { $0.name == scenario.name }) else {
                continue
            }
            for server in scenario.servers {
                guard let other = before.servers.first(where: { $0.name == server.name }) else {
                    continue
                }
                let table = Self.table(
                    "\(scenario.name), \(server.name)", Self.changes(other, server))
                parts += "\n\n" + table.text(emphasis: emphasis)
            }
        }
        return parts + "\n\nBETTER and WORSE: the change exceeds the spread over the rounds of "
            + "either file, and \(decimal(Change.leastSpread * 100, 0)) %."
    }

    private func describe(_ name: String, _ report: Report) -> String {
        "\(name): \(report.date), \(report.machine["processor"] ?? "unknown"), \(report.command)"
    }

    private static func table(_ title: String, _ changes: [Change]) -> Table {
        var table = Table(heading: [title, "old", "new", "change", "spread", ""])
        for change in changes {
            let ratio = change.ratio
            table.rows.append([
                change.figure.fullTitle, change.figure.text(change.old),
                change.figure.text(change.new), ratio.isFinite ? percent(ratio) : "new",
                decimal(change.spread * 100, 1) + " %", change.verdict,
            ])
        }
        return table
    }
}
