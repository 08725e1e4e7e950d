// Which deadline of a session is next, against its table stated anew, and the timer that serves it.
import Testing

@testable import Tron

@Suite struct DeadlineRuleTests {
    @Test func `the next deadline is the earliest of the table, of equal ones the first`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        var seen: Set<String> = []
        for step in 0..<max(20_000, RandomRun.operations / 5) {
            let settings = SessionSettings(randomOptions(&generator))
            let facts = randomFacts(&generator)
            let next = DeadlineRule.next(facts, settings)
            let expected = earliest(candidates(facts, settings))
            seen.insert("\(expected.due), \(expected.time == .max)")
            guard next == expected else {
                Issue.record("\(next), not \(expected): TRON_SEED=\(RandomRun.seed), step \(step)")
                break
            }
        }
        #expect(seen.count == 9, "each row of the table, and none, was next: \(seen)")
    }

    @Test func `without any limit nothing is ever due`() {
        var options = SessionOptions()
        options.limits.packetTimeout = nil
        var facts = DeadlineFacts(lastReceive: 1, lastSend: 1)
        facts.isReading = true
        facts.keptSince = 1
        #expect(DeadlineRule.next(facts, SessionSettings(options)) == (.max, .look))
    }

    /// Whoever asks again and again would otherwise go behind all others that are due.
    @Test func `a timer that is overdue keeps its place, however often it is asked for`() throws {
        let registry = try Reactor(kernel: FaultyKernel()).registry
        registry.now += 100_000_000
        registry.wheel.advance(to: registry.tick)
        let keys = (0..<2).map { SlabKey(index: $0, generation: 1) }
        var deadlines = keys.map { _ in Deadlines() }
        let overdue = registry.now - 50_000_000
        for number in keys.indices { deadlines[number].arm(keys[number], at: overdue, registry) }
        let before = deadlines[0]
        for distance in [0, 1, 10_000_000] as [Int64] {
            deadlines[0].arm(keys[0], at: overdue - distance, registry)
            deadlines[0].arm(keys[0], at: overdue + distance, registry)
        }
        #expect(deadlines[0] == before)
        let owners = keys.map { _ in registry.wheel.takeDue()?.owner }
        #expect(owners == keys.map(\.rawValue))
    }

    @Test func `the timer rings no later than asked, and is set anew only when it must be`() throws
    {
        let run = try TimerRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations / 4 {
            if let problem = run.perform() {
                Issue.record("\(problem), TRON_SEED=\(RandomRun.seed), step \(step)")
                break
            }
        }
        #expect(run.rings > 100 && run.settings > 100 && run.repetitions > 100)
    }
}

// MARK: - The table, stated anew

private typealias Candidate = (time: Int64, due: Due)

/// Every row of the table that counts, in its order.
private func candidates(_ facts: DeadlineFacts, _ settings: SessionSettings) -> [Candidate] {
    let heard = facts.lastReceive
    let rows: [(isMeant: Bool, start: Int64, span: Int64, due: Due)] = [
        (
            facts.isReading && facts.keptSince != 0, facts.keptSince, settings.packetTimeout,
            .end(.deadlineExceeded(.packet))
        ),
        (facts.isReading, heard, settings.idleRead, .end(.idle(.read))),
        (true, max(heard, facts.lastFoundAlive), settings.silence, .look),
        (true, facts.lastSend, settings.idleWrite, .end(.idle(.write))),
        (true, max(heard, facts.lastSend), settings.idleEither, .end(.idle(.either))),
        (facts.canAsk, max(heard, facts.lastQuestion), settings.heartbeatInterval, .question),
    ]
    let limits = facts.limit.map { [($0.time, Due.end(.deadlineExceeded($0.step)))] } ?? []
    guard facts.isOpen else { return limits }
    return limits
        + rows.filter { $0.isMeant && $0.span != .max }.map { ($0.start + $0.span, $0.due) }
}

private func earliest(_ candidates: [Candidate]) -> Candidate {
    let time = candidates.map(\.time).min()
    return candidates.first { $0.time == time } ?? (.max, .look)
}

// MARK: - Random facts and settings

/// Whole seconds, and few of them, so that many deadlines are equal.
private func randomSeconds(
    _ range: ClosedRange<Int64>, _ generator: inout SeededGenerator
) -> Duration? {
    Bool.random(using: &generator) ? .seconds(Int64.random(in: range, using: &generator)) : nil
}

private func randomOptions(_ generator: inout SeededGenerator) -> SessionOptions {
    var options = SessionOptions()
    options.limits.packetTimeout = randomSeconds(0...6, &generator)
    options.idle.read = randomSeconds(1...6, &generator)
    options.idle.write = randomSeconds(1...6, &generator)
    options.idle.either = randomSeconds(1...6, &generator)
    options.deadAfter = randomSeconds(2...6, &generator)
    let longest = (options.deadAfter?.components.seconds ?? 7) - 1
    options.heartbeat = randomSeconds(1...longest, &generator).map {
        Heartbeat(category: 1, interval: $0)
    }
    return options
}

private func randomFacts(_ generator: inout SeededGenerator) -> DeadlineFacts {
    func time(from first: Int64) -> Int64 {
        Int64.random(in: first...8, using: &generator) * 1_000_000_000
    }
    func isSo(butOnceIn count: Int) -> Bool { Int.random(in: 0..<count, using: &generator) > 0 }
    var facts = DeadlineFacts(lastReceive: time(from: 1), lastSend: time(from: 1))
    facts.isReading = isSo(butOnceIn: 3)
    facts.isOpen = isSo(butOnceIn: 4)
    facts.canAsk = isSo(butOnceIn: 3)
    facts.keptSince = time(from: 0)
    facts.lastQuestion = time(from: 0)
    facts.lastFoundAlive = time(from: 0)
    if !isSo(butOnceIn: 3) {
        let step: CloseReason.Deadline = isSo(butOnceIn: 2) ? .close : .halfClose
        facts.limit = SessionDeadline(time: time(from: 1) + 3_000_000_000, step: step)
    }
    return facts
}

// MARK: - The timer

/// A session's timer beside the tick that it must ring in.
private final class TimerRun {
    private let reactor: Reactor
    private let key = SlabKey(index: 7, generation: 3)
    private var deadlines = Deadlines()
    /// The clock's tick in which the timer must ring; nil when none is set.
    private var armed: Int64?
    private var generator: SeededGenerator
    private(set) var rings = 0
    private(set) var settings = 0
    private(set) var repetitions = 0

    private var registry: Registry { reactor.registry }

    init(seed: UInt64) throws {
        reactor = try Reactor(kernel: FaultyKernel())
        generator = SeededGenerator(seed: seed)
    }

    /// What is wrong after one more step.
    func perform() -> String? {
        switch Int.random(in: 0..<32, using: &generator) {
        case 0..<12: arm()
        case 12..<31: pass()
        default: cancel()
        }
    }

    private func arm() -> String? {
        let isNever = Int.random(in: 0..<16, using: &generator) == 0
        let distance = Int64.random(in: -3_000_000...60_000_000, using: &generator)
        let asked = isNever ? Int64.max : registry.now + distance
        let before = deadlines
        deadlines.arm(key, at: asked, registry)
        // What has passed counts as now, and what rings now is not set anew for it.
        let due = max(tick(notBefore: asked), Int64(registry.tick))
        let isNeeded = !isNever && (armed ?? .max) > due
        if isNeeded {
            armed = due
            settings += 1
        } else {
            repetitions += 1
        }
        if (deadlines != before) != isNeeded { return "set anew: \(!isNeeded)" }
        return registry.wheel.count == (armed == nil ? 0 : 1) ? nil : "timers are left behind"
    }

    /// The first whole millisecond of the reactor's life that is not before a time.
    private func tick(notBefore time: Int64) -> Int64 {
        guard time != .max else { return .max }
        let elapsed = max(0, time - registry.origin)
        return elapsed / 1_000_000 + (elapsed % 1_000_000 == 0 ? 0 : 1)
    }

    /// Less than a tick passes, so that no tick is left out.
    private func pass() -> String? {
        registry.now += Int64.random(in: 0...1_000_000, using: &generator)
        registry.wheel.advance(to: registry.tick)
        let isDue = (armed ?? .max) <= (registry.now - registry.origin) / 1_000_000
        let rung = registry.wheel.takeDue()
        guard isDue else { return rung == nil ? nil : "rings too early" }
        guard rung?.owner == key.rawValue else { return "does not ring in time" }
        deadlines.rang()
        armed = nil
        rings += 1
        return registry.wheel.takeDue() == nil ? nil : "rings twice"
    }

    private func cancel() -> String? {
        deadlines.cancel(registry)
        armed = nil
        guard deadlines == Deadlines() else { return "still set" }
        return registry.wheel.count == 0 ? nil : "not cancelled"
    }
}
