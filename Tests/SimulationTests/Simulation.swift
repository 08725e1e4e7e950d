// One run from its seed, and many runs on several threads.
import Synchronization
import TronTestKit

@testable import Tron

/// What a run came to.
struct RunOutcome {
    var seed: UInt64
    /// Of every step of its trace: the same for the same seed, whenever this build runs it. (How
    /// often a task is interrupted is the optimiser's choice.)
    var hash: UInt64
    /// How often each kind of fault was met.
    var counts: [Int]
    /// How often each kind of success came about.
    var successes: [Int]
    /// Turns of the loop.
    var turns: Int
    /// The first promise that was broken.
    var failure: String?
}

enum Simulation {
    /// One run, from its seed alone.
    static func play(
        _ seed: UInt64, isTold: Bool = false, _ pulse: Pulse = Pulse()
    ) -> RunOutcome {
        let run = Run(seed: seed, isTold: isTold, pulse)
        var turns = 0
        do {
            let world = try World(run)
            try world.play()
            turns = world.kernel.turns
        } catch {
            run.fail("the reactor threw \(error)")
        }
        return RunOutcome(
            seed: seed, hash: run.hash, counts: run.faults.counts,
            successes: run.tallies, turns: turns, failure: run.failure)
    }

    /// Seeds from `first` on, on as many threads as said. Ends early after some failures.
    static func play(_ count: Int, from first: UInt64, threads: Int) -> SimulationReport {
        let next = Atomic(0)
        let report = Locked(SimulationReport())
        CrashReport.install()
        let pulses = (0..<threads).map { _ in Pulse() }
        Watchdog.begin(pulses)
        let workers = (0..<threads).map { index in
            Worker {
                let pulse = pulses[index]
                defer { pulse.ends() }
                while true {
                    let offset = next.add(1, ordering: .relaxed).oldValue
                    guard offset < count else { return }
                    let seed = first &+ UInt64(offset)
                    CrashReport.begins(seed, on: index)
                    pulse.begins(seed)
                    let outcome = play(seed, pulse)
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
