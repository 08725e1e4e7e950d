// Results: as files, beside each other, and as tables.
import Testing

@testable import throughput_benchmark

@Suite struct ResultsTests {
    private func result(_ rates: [Double], calls: Double? = nil) -> ServerResult {
        var result = ServerResult(
            name: "tron", rounds: rates.map { Round(values: [.packetsPerSecond: $0]) })
        if let calls { result.rounds[0][.systemCalls] = calls }
        return result
    }

    private func report(_ result: ServerResult) -> Report {
        var report = Report()
        report.scenarios = [ScenarioResult(name: "throughput", servers: [result])]
        return report
    }

    @Test func `a report survives being written and read`() throws {
        var round = Round()
        for (place, figure) in Figure.allCases.enumerated() { round[figure] = Double(place) + 0.1 }
        let before = report(ServerResult(name: "a \"quoted\"\n name", rounds: [round, Round()]))
        let after = try Report(JSON(parsing: before.json.text()))
        #expect(after == before)
    }

    @Test func `what was not measured is null, and latencies are an object of their own`() throws {
        let json = Round(values: [.latency999: 12]).json
        #expect(json["packets_per_second"] == .null)
        #expect(json["latency_ns"]?["p99_9"] == .number(12))
        #expect(json["latency_ns"]?["p50"] == .null)
        #expect(json["p99_9"] == nil)
    }

    @Test func `a file of something else is refused`() {
        #expect(throws: Failure.self) { try Report(JSON(parsing: "{}")) }
        #expect(throws: Failure.self) { try Report(JSON(parsing: #"{"scenarios": [{}]}"#)) }
    }

    @Test func `median and spread`() {
        #expect(result([3, 1, 2]).median(.packetsPerSecond) == 2)
        #expect(result([4, 1, 2, 3]).median(.packetsPerSecond) == 2.5)
        #expect(result([90, 110, 100]).spread(.packetsPerSecond) == 0.2)
        #expect(result([]).median(.packetsPerSecond) == nil)
        #expect(result([5, 6], calls: 2).median(.systemCalls) == 2)
    }

    @Test(arguments: [
        ([100.0, 105], [200.0, 210], "BETTER"), ([200, 210], [100, 105], "WORSE"),
        ([100, 150], [110, 160], ""), ([100, 100], [100.9, 100.9], ""),
        ([100, 100], [102, 102], "BETTER"),
    ])
    func `a change counts when it exceeds the spread`(
        old: [Double], new: [Double], verdict: String
    ) {
        let changes = Comparison.changes(result(old), result(new))
        #expect(changes.map(\.figure) == [.packetsPerSecond])
        #expect(changes.first?.verdict == verdict)
    }

    @Test func `fewer calls are better, and from none to some is worse`() {
        let fewer = Comparison.changes(result([1], calls: 2), result([1], calls: 1))
        #expect(fewer.map(\.verdict) == ["", "BETTER"])
        let some = Comparison.changes(result([1], calls: 0), result([1], calls: 1))
        #expect(some.map(\.verdict) == ["", "WORSE"])
    }

    @Test func `a comparison shows what both have`() {
        let text = Comparison(old: report(result([100])), new: report(result([50]))).text()
        #expect(text.contains("throughput, tron  old  new   change  spread"))
        #expect(text.contains("packets/s         100   50  -50.0 %   0.0 %  WORSE"))
    }

    @Test func `a generator without room to spare is named`() {
        let limited = Round(values: [
            .packetsPerSecond: 1000, .serverProcessor: 0.7, .generatorProcessor: 0.99,
        ])
        let free = Round(values: [
            .packetsPerSecond: 1000, .serverProcessor: 1, .generatorProcessor: 0.99,
        ])
        #expect(limited.isLimitedByGenerator)
        #expect(!free.isLimitedByGenerator)
        let summary = Summary(emphasis: ("", ""))
        let text = summary.text(of: [
            ScenarioResult(
                name: "throughput", servers: [ServerResult(name: "tron", rounds: [limited])])
        ])
        #expect(text.contains("!99"))
        #expect(text.contains("The generator was the bottleneck: throughput."))
    }

    @Test func `idle connections have a table of their own kind, and lateness is one line`() {
        let idle = Round(values: [.bytesPerConnection: 336])
        let late = Round(values: [.packetsPerSecond: 1, .generatorLateness: 2_500_000])
        let texts = [idle, late].map { round in
            let servers = ["a", "b"].map { ServerResult(name: $0, rounds: [round]) }
            return Summary(emphasis: ("", "")).text(of: ScenarioResult(name: "", servers: servers))
        }
        let table = "server  B/connection\na                336\nb                336"
        #expect(texts[0] == "Each connection costs the server:\n" + table)
        #expect(texts[1].hasSuffix("late by at most: a 2,500 µs, b 2,500 µs."))
    }

    @Test func `a scenario's table has ratios to the reference and fits 100 columns`() {
        var round = Round()
        for figure in Figure.allCases { round[figure] = 123_456 }
        let shares: [Figure] = [.serverProcessor, .generatorProcessor, .otherProcessor]
        for figure in shares { round[figure] = 0.5 }
        let counts: [Figure] = [.allocations, .systemCalls]
        for figure in counts { round[figure] = 12.345 }
        var half = round
        half[.packetsPerSecond] = 61_728
        let servers = [
            ServerResult(name: "raw-epoll", rounds: [round, round]),
            ServerResult(name: "swiftnio", rounds: [half, half]),
        ]
        let text = Summary(emphasis: ("", "")).text(
            of: ScenarioResult(name: "throughput", servers: servers))
        #expect(text.contains("swiftnio     61,728  0.50   0.0%"))
        let tables = text.split(separator: "\n").filter { $0.contains("  ") }
        #expect(tables.count == 6)
        for line in tables { #expect(line.count <= 100, "\(line)") }
    }
}
