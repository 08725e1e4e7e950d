// Many runs at once: seeds handed to threads, counts added up, crashes named by their seed.
import Glibc
import Synchronization

@testable import Tron

/// What a run came to.
struct RunOutcome {
    var seed: UInt64
    var hash: UInt64
    var counts: [Int]
    var turns: Int
    var failure: String?
}

/// What many runs came to.
struct SimulationReport: Sendable {
    var seeds = 0
    var turns = 0
    var counts = [Int](repeating: 0, count: Fault.allCases.count)
    /// The seeds that failed, and why; the first few.
    var failures: [(seed: UInt64, message: String)] = []

    mutating func add(_ outcome: RunOutcome) {
        seeds += 1
        turns += outcome.turns
        for index in counts.indices { counts[index] += outcome.counts[index] }
        if let failure = outcome.failure, failures.count < 20 {
            failures.append((outcome.seed, failure))
        }
    }

    /// Every kind of fault with how often it was met, and the one line for the log.
    var lines: [String] {
        let table = Fault.allCases.map { fault in
            let count = String(counts[fault.rawValue])
            let padding = String(repeating: " ", count: max(0, 12 - count.count))
            return "\(padding)\(count)  \(fault.title)"
        }
        let fewest = counts.min() ?? 0
        return table + [
            "simulation: \(seeds) seeds, \(counts.count) fault kinds, fewest \(fewest)"
        ]
    }
}

enum Simulation {
    /// One run, from its seed alone.
    static func play(_ seed: UInt64, isTold: Bool = false) -> RunOutcome {
        let run = Run(seed: seed, isTold: isTold)
        var turns = 0
        do {
            let world = try World(run)
            try world.play()
            turns = world.kernel.turns
        } catch {
            run.fail("the reactor threw \(error)")
        }
        return RunOutcome(
            seed: seed, hash: run.hash, counts: run.faults.counts, turns: turns,
            failure: run.failure)
    }

    /// Seeds from `first` on, on as many threads as said. Ends early after some failures.
    static func play(_ count: Int, from first: UInt64, threads: Int) -> SimulationReport {
        let next = Atomic(0)
        let report = Locked(SimulationReport())
        CrashReport.install()
        let workers = (0..<threads).map { index in
            Worker {
                while true {
                    let offset = next.add(1, ordering: .relaxed).oldValue
                    guard offset < count else { return }
                    let seed = first &+ UInt64(offset)
                    CrashReport.begins(seed, on: index)
                    let outcome = play(seed)
                    let isEnough = report.withLock { report in
                        report.add(outcome)
                        return report.failures.count >= 10
                    }
                    if isEnough { next.store(count, ordering: .relaxed) }
                }
            }
        }
        for worker in workers { worker.join() }
        return report.withLock { $0 }
    }
}

/// A thread with a stack like the main one's.
struct Worker {
    private final class Body {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private var thread = pthread_t()

    init(_ body: @escaping () -> Void) {
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            {
                Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "no thread is to be had")
    }

    func join() { pthread_join(thread, nil) }
}

/// Names the seed of a run in which the library trapped: then the process ends at once.
enum CrashReport {
    private static let threads = 64
    nonisolated(unsafe) private static let owners = UnsafeMutablePointer<pthread_t>.allocate(
        capacity: threads)
    nonisolated(unsafe) private static let seeds = UnsafeMutablePointer<UInt64>.allocate(
        capacity: threads)

    static func begins(_ seed: UInt64, on index: Int) {
        owners[index] = pthread_self()
        seeds[index] = seed
    }

    static func install() {
        owners.initialize(repeating: 0, count: threads)
        seeds.initialize(repeating: 0, count: threads)
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            signal(number) { number in
                CrashReport.tell()
                Glibc.signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func tell() {
        for index in 0..<threads where pthread_equal(owners[index], pthread_self()) != 0 {
            let seed = seeds[index]
            Standard.error(
                "simulation: seed \(seed) crashed\n"
                    + "simulation: repeat it with: .ci/simulate --seed \(seed) --trace")
        }
    }
}
