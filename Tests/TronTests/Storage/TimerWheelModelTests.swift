// The timer wheel against a naive model: the same timers in a sorted array.
import Testing

@testable import Tron

@Suite struct TimerWheelModelTests {
    @Test("random operations agree with a sorted array", arguments: [true, false])
    func model(cancels: Bool) {
        var generator = SeededGenerator(seed: RandomRun.seed)
        var run = TimerRun(cancels: cancels, generator: &generator)
        for step in 0..<RandomRun.operations / 2 {
            // A new wheel now and then, since the ticks only rise.
            if step % 5_000 == 4_999 { run = TimerRun(cancels: cancels, generator: &generator) }
            let agrees = run.perform(&generator)
            if !agrees || step % 500 == 0 && !run.wheel.checkInvariant(thoroughly: true) {
                Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
                return
            }
        }
    }
}

/// A wheel beside an array of its timers, sorted by tick and by scheduling.
private struct TimerRun {
    private struct Timer {
        let tick: UInt64
        let owner: UInt64
        let key: TimerKey
    }

    let wheel: TimerWheel
    private let cancels: Bool
    private var now: UInt64
    private var scheduled: UInt64 = 0
    private var timers: [Timer] = []
    private var stale: [TimerKey] = []

    init(cancels: Bool, generator: inout SeededGenerator) {
        self.cancels = cancels
        now = generator.nextOfAnyMagnitude()
        wheel = TimerWheel(now: now)
    }

    mutating func perform(_ generator: inout SeededGenerator) -> Bool {
        let agrees: Bool
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...3 where timers.count < 300: agrees = schedule(&generator)
        case 4 where cancels: agrees = cancel(&generator)
        case 5...6: agrees = take()
        default: agrees = advance(&generator)
        }
        return agrees && wheel.count == timers.count && nextExpiryAgrees()
    }

    private func nextExpiryAgrees() -> Bool {
        guard let tick = wheel.nextExpiry, let first = timers.first else {
            return wheel.nextExpiry == nil && timers.isEmpty
        }
        return tick == first.tick || cancels && tick < first.tick && tick >= now
    }

    /// A tick near or far, often at a slot's border, at times in the past.
    private func randomTick(_ generator: inout SeededGenerator) -> UInt64 {
        let choice = UInt64.random(in: 0..<8, using: &generator)
        let near = UInt64.random(in: 0..<600, using: &generator)
        if choice == 0 { return now &- min(near, now) }
        let border = UInt64(1) << (8 * (near % 8))
        var distance = near
        if choice == 1 { distance = generator.nextOfAnyMagnitude() }
        if choice == 2 { distance = border &- 1 &+ near % 3 }
        let (tick, overflow) = now.addingReportingOverflow(distance)
        if overflow { return .max }
        return choice == 3 ? tick & ~(border - 1) : tick
    }

    private mutating func schedule(_ generator: inout SeededGenerator) -> Bool {
        let tick = randomTick(&generator)
        let owner = scheduled
        scheduled += 1
        let timer = Timer(
            tick: max(tick, now), owner: owner,
            key: wheel.schedule(at: tick, owner: owner, payload: UInt32(truncatingIfNeeded: ~owner))
        )
        timers.insert(timer, at: countUntil(timer.tick))
        return true
    }

    /// How many timers are not later than a tick.
    private func countUntil(_ tick: UInt64) -> Int {
        var range = 0..<timers.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range =
                timers[middle].tick > tick
                ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return range.lowerBound
    }

    private mutating func cancel(_ generator: inout SeededGenerator) -> Bool {
        if let key = stale.randomElement(using: &generator), wheel.cancel(key) { return false }
        guard !timers.isEmpty else { return true }
        let timer = timers.remove(at: Int.random(in: 0..<timers.count, using: &generator))
        stale.append(timer.key)
        return wheel.deadline(of: timer.key) == timer.tick && wheel.cancel(timer.key)
            && wheel.deadline(of: timer.key) == nil
    }

    private mutating func take() -> Bool {
        let taken = wheel.takeDue()
        guard let first = timers.first, first.tick <= now else { return taken == nil }
        timers.removeFirst()
        stale.append(first.key)
        return taken?.key == first.key && taken?.owner == first.owner
            && taken?.payload == UInt32(truncatingIfNeeded: ~first.owner)
    }

    private mutating func advance(_ generator: inout SeededGenerator) -> Bool {
        let magnitude = UInt64.random(in: 0...14, using: &generator)
        let distance = UInt64.random(in: 0...1 << magnitude, using: &generator)
        var tick = now.addingReportingOverflow(distance).overflow ? .max : now + distance
        if distance % 16 < 2, let first = timers.first, first.tick > now {
            tick = first.tick - distance % 16
        }
        now = tick
        wheel.advance(to: tick)
        return wheel.now == now
    }
}
