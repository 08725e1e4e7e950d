// How far many runs have come, kept in a file: so that they can be stopped, and go on.
import Glibc
import TronTestKit

/// What a run of many seeds was asked for.
struct Errand: Equatable {
    var first: UInt64
    var count: Int
    /// So many failures end it.
    var mostFailures = 10
    /// Where it is kept how far it has come; nil when it is not.
    var path: String?
}

/// How far it has come. Seeds that crash end the process: their names are in a second file, and
/// they are left out when it goes on.
struct Progress {
    let errand: Errand
    /// Seeds that are done, from the first on.
    private(set) var done = 0
    var report = SimulationReport()
    let crashed: Set<UInt64>
    private let beginning = Self.seconds
    private let doneBefore: Int

    /// So many seeds are played between two looks at the clock.
    static let portion = 5000

    init(_ errand: Errand) {
        self.errand = errand
        crashed = Self.numbers(in: errand.crashes ?? "")
        let lines = errand.path.map(Self.lines(of:)) ?? []
        if let kept = Kept(lines), kept.first == errand.first, kept.count == errand.count {
            done = kept.done
            report = kept.report
        }
        doneBefore = done
        for seed in crashed.sorted() { report.addFailure(seed, "the process ended") }
    }

    var isOver: Bool { done >= errand.count || report.failures.count >= errand.mostFailures }

    /// The seeds that come next.
    var next: Range<Int> { done..<min(errand.count, done + Self.portion) }

    /// Those are done.
    mutating func finish(_ seeds: Range<Int>) {
        done = seeds.upperBound
        guard let path = errand.path else { return }
        Self.write(Kept(first: errand.first, count: errand.count, done, report).lines, to: path)
    }

    /// For the log, now and then.
    var line: String {
        let time = max(1, Self.seconds - beginning)
        let rate = (done - doneBefore) / time
        return "simulation: \(done) of \(errand.count) seeds, \(rate) a second, "
            + "\(report.failures.count) failed"
    }

    private static var seconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec
    }
}

extension Errand {
    /// Where the seeds are named that crashed.
    var crashes: String? { path.map { $0 + ".crashed" } }
}

// MARK: - Files

extension Progress {
    /// Line by line: the errand and how far it is, turns, faults, successes, failures.
    private struct Kept {
        var first: UInt64
        var count: Int
        var done: Int
        var report: SimulationReport

        init(first: UInt64, count: Int, _ done: Int, _ report: SimulationReport) {
            self.first = first
            self.count = count
            self.done = done
            self.report = report
        }

        /// Nil when the lines are not those of this build, which may know other kinds.
        init?(_ lines: [String]) {
            guard lines.count >= 4 else { return nil }
            let numbers = lines.prefix(4).map { $0.split(separator: " ").compactMap { Int($0) } }
            report = SimulationReport()
            guard numbers[0].count == 3, numbers[1].count == 2,
                numbers[2].count == report.counts.count,
                numbers[3].count == report.successes.count
            else { return nil }
            first = UInt64(numbers[0][0])
            count = numbers[0][1]
            done = numbers[0][2]
            report.seeds = numbers[1][0]
            report.turns = numbers[1][1]
            report.counts = numbers[2]
            report.successes = numbers[3]
            for line in lines.dropFirst(4) {
                let parts = line.split(separator: " ", maxSplits: 1)
                guard parts.count == 2, let seed = UInt64(parts[0]) else { continue }
                report.addFailure(seed, String(parts[1]))
            }
        }

        var lines: [String] {
            [
                "\(first) \(count) \(done)", "\(report.seeds) \(report.turns)",
                report.counts.map(String.init).joined(separator: " "),
                report.successes.map(String.init).joined(separator: " "),
            ] + report.failures.map { "\($0.seed) \($0.message)" }
        }
    }

    private static func numbers(in path: String) -> Set<UInt64> {
        Set(lines(of: path).compactMap { UInt64($0) })
    }

    private static func lines(of path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var lines: [String] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        while getline(&line, &capacity, file) > 0, let line {
            lines.append(String(String(cString: line).dropLast()))
        }
        free(line)
        return lines
    }

    /// Whole or not at all, whenever it is interrupted.
    private static func write(_ lines: [String], to path: String) {
        guard let file = fopen(path + ".new", "w") else {
            return Standard.error("simulation: \(path) cannot be written")
        }
        fputs(lines.map { $0 + "\n" }.joined(), file)
        fclose(file)
        rename(path + ".new", path)
    }
}
