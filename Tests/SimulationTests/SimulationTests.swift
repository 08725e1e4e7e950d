// The real library on a simulated kernel, network and clock: as many seeds as the environment asks.
import Glibc
import Testing
import TronTestKit

@testable import Tron

/// What many runs came to.
struct SimulationReport: Sendable {
    var seeds = 0
    var turns = 0
    var counts = [Int](repeating: 0, count: Fault.allCases.count)
    var successes = [Int](repeating: 0, count: Success.allCases.count)
    /// The seeds that failed, and why.
    var failures: [(seed: UInt64, message: String)] = []

    mutating func add(_ outcome: RunOutcome) {
        seeds += 1
        turns += outcome.turns
        for index in counts.indices { counts[index] += outcome.counts[index] }
        for index in successes.indices { successes[index] += outcome.successes[index] }
        if let failure = outcome.failure { addFailure(outcome.seed, failure) }
    }

    mutating func addFailure(_ seed: UInt64, _ message: String) {
        failures.append((seed, message))
    }

    /// Every kind of fault and of success with how often it was met, and the one line for the log.
    var lines: [String] {
        let faults = zip(counts, Fault.allCases).map { Self.line($0, $1.title) }
        let good = zip(successes, Success.allCases).map { Self.line($0, $1.rawValue) }
        return faults + ["and went well:"] + good + [
            "simulation: \(seeds) seeds, \(counts.count) fault kinds, fewest "
                + "\(counts.min() ?? 0), \(successes.count) kinds of success, fewest "
                + "\(successes.min() ?? 0)"
        ]
    }

    private static func line(_ count: Int, _ title: String) -> String {
        String(repeating: " ", count: max(0, 12 - "\(count)".count)) + "\(count)  \(title)"
    }

    /// What was met less than so many times.
    func rarer(than fewest: Int) -> [String] {
        let faults = zip(counts, Fault.allCases).filter { $0.0 < fewest }.map(\.1.title)
        let good = zip(successes, Success.allCases).filter { $0.0 < fewest }.map(\.1.rawValue)
        return faults + good
    }
}

/// TRON_SEEDS says how many seeds, TRON_FIRST_SEED from which on, TRON_SEED repeats one, and
/// TRON_TRACE=1 tells its story. TRON_FAILURES says how many failures end it, and with
/// TRON_COLLECT=1 none does; TRON_STATE names a file by which it goes on where it was stopped.
@Suite(.serialized) struct SimulationTests {
    @Test func `every promise holds in every simulated run`() {
        if let seed = Self.number("TRON_SEED") {
            CrashReport.install(notingIn: nil)
            CrashReport.begins(seed, on: 0)
            let pulse = Pulse()
            Watchdog.begin([pulse])
            pulse.begins(seed)
            let outcome = Simulation.play(seed, isTold: Self.number("TRON_TRACE") == 1, pulse)
            Standard.output("simulation: seed \(seed), \(outcome.turns) turns, \(outcome.hash)")
            #expect(outcome.failure == nil)
            return
        }
        let first = Self.number("TRON_FIRST_SEED") ?? UInt64.random(in: 0...1 << 48)
        let count = Self.number("TRON_SEEDS").map { Int($0) } ?? Self.defaultCount
        Standard.output("simulation: seeds from \(first) on")
        let errand = Errand(
            first: first, count: count, mostFailures: Self.mostFailures,
            path: Self.text("TRON_STATE"))
        let report = Simulation.play(errand, threads: Self.threads)
        for line in report.lines { Standard.output(line) }
        for (seed, message) in report.failures {
            Issue.record("seed \(seed): \(message)")
        }
        // A thousand times in 100,000 runs, and as many a run in fewer, down to where luck decides.
        guard report.failures.isEmpty, count >= 1000 else { return }
        let fewest = count / 100
        for title in report.rarer(than: fewest) {
            Issue.record("\(title) was met less than \(fewest) times")
        }
    }

    @Test func `the same seed is the same run, and another one is another`() {
        let hashes = (0..<40).map { Simulation.play($0).hash }
        #expect(hashes == (0..<40).map { Simulation.play($0).hash })
        #expect(Set(hashes).count == hashes.count)
    }

    /// As many as take some seconds, unless the environment says how many.
    #if DEBUG
        private static let defaultCount = 200
    #else
        private static let defaultCount = 10_000
    #endif

    /// As many runs at once as there are processors.
    private static let threads = min(16, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    private static var mostFailures: Int {
        if number("TRON_COLLECT") == 1 { return .max }
        return number("TRON_FAILURES").map { Int($0) } ?? 10
    }

    private static func number(_ name: String) -> UInt64? { text(name).flatMap { UInt64($0) } }

    private static func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
