// The one virtual clock: whose turn it is, and how time passes.
import Tron

extension SimulatedNetwork {
    /// Lets so much virtual time pass, and everything happen that happens in it.
    public func advance(by duration: Duration) {
        adoptThread()
        let end = run.clock + duration.clampedNanoseconds
        while step(until: end) {}
        run.clock = max(run.clock, end)
    }

    /// Lets time pass until the condition holds. It is asked after every turn of a reactor.
    /// - Throws: `SimulationError` when it does not hold within so much virtual time, or when the
    ///   watch has found something.
    public func run(
        until condition: () throws -> Bool, within duration: Duration = .seconds(60)
    ) throws {
        adoptThread()
        let end = run.clock + duration.clampedNanoseconds
        while try !condition() {
            try check()
            guard step(until: end) else {
                throw error(
                    "the condition did not hold within \(duration). (A task that sleeps, or is not "
                        + "on a reactor's executor, has no part in virtual time.)")
            }
        }
        try check()
    }

    /// The next thing that happens, by the time `end`: false when there is none.
    private func step(until end: Int64) -> Bool {
        if run.clock >= nextWatch { watchAll() }
        if let action = network.agenda.take(until: min(run.clock, end)) {
            action()
            return true
        }
        if run.clock > end { return false }
        if let reactor = nextReactor() {
            reactor.turn()
            return true
        }
        let planned = min(network.agenda.nextTime ?? .max, reactors.isEmpty ? .max : nextWatch)
        let next = reactors.reduce(planned) { min($0, $1.nextTime(at: run.clock)) }
        guard next <= end else { return false }
        run.clock = max(run.clock, next)
        jump()
        return true
    }

    /// In turn, so that one which is always busy leaves time for the others.
    private func nextReactor() -> SimulatedReactor? {
        for _ in reactors.indices {
            nextTurn = (nextTurn + 1) % reactors.count
            if reactors[nextTurn].isDue(at: run.clock) { return reactors[nextTurn] }
        }
        return nil
    }

    /// Time that nobody saw pass: the machine slept.
    private func jump() {
        guard run.strikes(.clockJump) else { return }
        run.clock += run.chance.time(upToMilliseconds: 10_000)
        run.note(.clockJumps, 0)
    }
}
