// Fuzzes the timer wheel: any order of its operations, against an array of deadlines.

/// An input is the first tick, and then an operation in a byte and some more for when or whom.
enum TimerWheelFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        var choices = Choices(input)
        var run = WheelRun(now: choices.numberOfAnyMagnitude())
        while !choices.isEmpty { run.perform(&choices) }
        run.finish()
    }
}

private struct WheelRun {
    private struct Timer {
        let tick: UInt64
        let owner: UInt64
        let key: TimerKey
    }

    private let wheel: TimerWheel
    private var now: UInt64
    /// In the order of their scheduling.
    private var timers: [Timer] = []
    private var ended: [TimerKey] = []
    private var hasCancelled = false
    private var scheduled: UInt64 = 0

    init(now: UInt64) {
        self.now = now
        wheel = TimerWheel(now: now)
    }

    mutating func perform(_ choices: inout Choices) {
        let operation = choices.byte()
        switch operation % 8 {
        case 0, 1, 2: schedule(at: tick(&choices))
        case 3: cancel(choices.number(below: 256))
        case 4: cancelForeign(&choices)
        case 5: take(Int(operation / 8))
        case 6: advance(to: tick(&choices))
        default: if let next = wheel.nextExpiry { advance(to: next &- UInt64(operation / 128)) }
        }
        check()
    }

    /// Before or after now, or the tick of a timer, or one beside it.
    private func tick(_ choices: inout Choices) -> UInt64 {
        let choice = choices.byte()
        if choice < 64, !timers.isEmpty {
            let timer = timers[choices.number(below: timers.count)]
            return timer.tick &+ UInt64(choice % 3) &- 1
        }
        let distance = choices.numberOfAnyMagnitude()
        if choice < 80 { return distance > now ? 0 : now - distance }
        return distance > .max - now ? .max : now + distance
    }

    private mutating func schedule(at tick: UInt64) {
        guard timers.count < 200 else { return }
        let key = wheel.schedule(
            at: tick, owner: scheduled, payload: UInt32(truncatingIfNeeded: ~scheduled))
        require(!timers.contains { $0.key == key } && !ended.contains(key), "a key in use")
        timers.append(Timer(tick: max(tick, now), owner: scheduled, key: key))
        scheduled += 1
    }

    private mutating func cancel(_ place: Int) {
        guard !timers.isEmpty else { return }
        let timer = timers.remove(at: place % timers.count)
        require(wheel.deadline(of: timer.key) == timer.tick, "another deadline")
        require(wheel.cancel(timer.key), "a timer that cannot be cancelled")
        ended.append(timer.key)
        hasCancelled = true
    }

    private mutating func cancelForeign(_ choices: inout Choices) {
        let choice = choices.number(below: 256)
        if choice < 128, !ended.isEmpty {
            require(!wheel.cancel(ended[choice % ended.count]), "an ended timer was cancelled")
        } else {
            let number = choices.numberOfAnyMagnitude()
            let key = TimerKey(
                index: UInt32(truncatingIfNeeded: number),
                generation: UInt32(truncatingIfNeeded: number >> 32))
            if !timers.contains(where: { $0.key == key }) {
                require(!wheel.cancel(key), "a timer that never was has been cancelled")
            }
        }
    }

    /// Where in the array the timer is that is due first: the earliest, of equal ones the eldest.
    private var first: Int? {
        timers.indices.min { timers[$0].tick < timers[$1].tick }
    }

    private mutating func take(_ count: Int) {
        for _ in 0...count {
            let taken = wheel.takeDue()
            guard let first, timers[first].tick <= now else {
                return require(taken == nil, "a timer is early")
            }
            let expected = timers.remove(at: first)
            require(taken?.key == expected.key, "a timer is late, or out of order")
            require(taken?.owner == expected.owner, "another owner")
            require(
                taken?.payload == UInt32(truncatingIfNeeded: ~expected.owner), "another payload")
            ended.append(expected.key)
        }
    }

    private mutating func advance(to tick: UInt64) {
        wheel.advance(to: tick)
        now = max(now, tick)
        require(wheel.now == now, "now")
    }

    private func check() {
        require(wheel.count == timers.count && wheel.checkInvariant(), "count")
        guard let first, let next = wheel.nextExpiry else {
            return require(timers.isEmpty && wheel.nextExpiry == nil, "the next expiry")
        }
        let tick = timers[first].tick
        require(next == tick || hasCancelled && next < tick, "the next expiry is \(next)")
    }

    mutating func finish() {
        require(wheel.checkInvariant(thoroughly: true), "the wheel's invariant")
        advance(to: .max)
        take(timers.count)
        require(wheel.count == 0 && wheel.nextExpiry == nil, "timers that never end")
    }
}
