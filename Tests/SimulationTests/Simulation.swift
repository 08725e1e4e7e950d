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
        var outcome = RunOutcome(
            seed: seed, hash: run.hash, counts: run.faults.counts,
            successes: run.tallies, turns: turns, failure: run.failure)
        if seed.isMultiple(of: groupsAmongSeeds) && run.failure == nil {
            playGroup(isTold, pulse, &outcome)
        }
        return outcome
    }

    /// One of so many seeds plays a group of reactors as well.
    private static let groupsAmongSeeds: UInt64 = 4

    private static func playGroup(_ isTold: Bool, _ pulse: Pulse, _ outcome: inout RunOutcome) {
        let run = Run(seed: outcome.seed, isTold: isTold, pulse)
        let world = GroupWorld(run)
        do {
            try world.play()
        } catch {
            run.fail("a group threw \(error)")
        }
        outcome.hash ^= run.hash
        outcome.turns += world.turns
        outcome.failure = run.failure
        for (index, count) in run.faults.counts.enumerated() { outcome.counts[index] += count }
        for (index, count) in run.tallies.enumerated() { outcome.successes[index] += count }
    }

    /// The seeds of an errand, on as many threads as said. Ends early after some failures, unless
    /// these are to be collected.
    static func play(_ errand: Errand, threads: Int) -> SimulationReport {
        var progress = Progress(errand)
        CrashReport.install(notingIn: errand.crashes)
        let pulses = (0..<threads).map { _ in Pulse() }
        Watchdog.begin(pulses)
        while !progress.isOver {
            let portion = progress.next
            let seeds = portion.map { errand.first &+ UInt64($0) }
            play(
                seeds.filter { !progress.crashed.contains($0) }, pulses, &progress.report,
                atMost: errand.mostFailures)
            progress.finish(portion)
            if errand.count > Progress.portion { Standard.output(progress.line) }
        }
        return progress.report
    }

    private static func play(
        _ seeds: [UInt64], _ pulses: [Pulse], _ report: inout SimulationReport,
        atMost mostFailures: Int
    ) {
        let next = Atomic(0)
        let sum = Locked(report)
        let workers = pulses.indices.map { index in
            Worker {
                let pulse = pulses[index]
                defer { pulse.ends() }
                while true {
                    let place = next.add(1, ordering: .relaxed).oldValue
                    guard place < seeds.count else { return }
                    CrashReport.begins(seeds[place], on: index)
                    pulse.begins(seeds[place])
                    let outcome = play(seeds[place], pulse)
                    let failures = sum.withLock { report in
                        report.add(outcome)
                        return report.failures.count
                    }
                    if failures >= mostFailures { next.store(seeds.count, ordering: .relaxed) }
                }
            }
        }
        for worker in workers { worker.join() }
        report = sum.withLock { $0 }
    }
}
