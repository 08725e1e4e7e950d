// The timer wheel: never early, never late, in order, and cheap over any stretch of time.
import Testing

@testable import Tron

@Suite struct TimerWheelTests {
    @Test("a timer is due at its tick, not before")
    func exactTick() {
        let wheel = TimerWheel(now: 100)
        let key = wheel.schedule(at: 110, owner: 7)
        wheel.advance(to: 109)
        #expect(wheel.takeDue() == nil)
        wheel.advance(to: 110)
        let taken = wheel.takeDue()
        #expect(taken?.key == key && taken?.owner == 7)
        #expect(wheel.takeDue() == nil)
        #expect(wheel.count == 0)
    }

    @Test("a tick that has passed is due at once")
    func past() {
        let wheel = TimerWheel(now: 100)
        wheel.schedule(owner: 1, at: [100])
        wheel.schedule(owner: 2, at: [0])
        #expect(wheel.nextExpiry == 100)
        #expect(wheel.takeAllDue() == [1, 2])
    }

    @Test("timers become due in the order of their ticks, equal ones in that of their scheduling")
    func order() {
        let wheel = TimerWheel()
        wheel.schedule(owner: 0, at: [5_000])
        wheel.schedule(owner: 1, at: [5_001, 70, 4_096, 3])
        wheel.advance(to: 4_095)
        wheel.schedule(owner: 2, at: [5_000, 4_096])
        wheel.advance(to: 4_999)
        wheel.schedule(owner: 3, at: [5_000, 5_001])
        wheel.advance(to: 10_000)
        #expect(wheel.takeAllDue() == [1, 1, 1, 2, 0, 2, 3, 1, 3])
    }

    @Test("every level's borders are exact", arguments: [0, 1, 255, 256, 65_535, 1 << 40, 1 << 63])
    func borders(start: UInt64) {
        for level in 0..<8 {
            for offset: UInt64 in [0, 1, 2] {
                let (tick, overflow) = start.addingReportingOverflow(1 << (8 * level) - 1 + offset)
                if overflow || tick <= start { continue }
                let wheel = TimerWheel(now: start)
                wheel.schedule(owner: 1, at: [tick])
                #expect(wheel.nextExpiry == tick)
                wheel.advance(to: tick - 1)
                #expect(wheel.takeDue() == nil, "early for \(tick)")
                #expect(wheel.nextExpiry == tick)
                #expect(wheel.checkInvariant(thoroughly: true))
                wheel.advance(to: tick)
                #expect(wheel.takeAllDue() == [1], "late for \(tick)")
            }
        }
    }

    @Test("the last tick of all can be scheduled and reached")
    func lastTick() {
        let wheel = TimerWheel()
        wheel.schedule(owner: 1, at: [.max])
        wheel.advance(to: .max - 1)
        #expect(wheel.takeDue() == nil)
        wheel.advance(to: .max)
        wheel.schedule(owner: 2, at: [.max, 5])
        #expect(wheel.takeAllDue() == [1, 2, 2])
        #expect(wheel.nextExpiry == nil)
    }

    @Test("going back is ignored")
    func backwards() {
        let wheel = TimerWheel(now: 50)
        wheel.schedule(owner: 1, at: [60])
        wheel.advance(to: 40)
        #expect(wheel.now == 50)
        #expect(wheel.takeDue() == nil)
    }

    /// A wheel that walked would not be done before the time is over.
    @Test(
        "an empty year, or half of all time, is crossed without walking through it",
        .timeLimit(.minutes(10)))
    func longJumps() {
        let year: UInt64 = 365 * 24 * 60 * 60 * 1_000
        let wheel = TimerWheel(now: 12_345)
        wheel.schedule(owner: 1, at: [year])
        wheel.schedule(owner: 2, at: [.max])
        wheel.advance(to: year - 1)
        #expect(wheel.takeDue() == nil)
        wheel.advance(to: .max / 2)
        #expect(wheel.takeAllDue() == [1])
        wheel.advance(to: .max - 1)
        #expect(wheel.takeDue() == nil)
    }

    @Test("sleeping until the next expiry never wakes in vain")
    func exactWakeUps() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let wheel = TimerWheel(now: generator.nextOfAnyMagnitude())
        for owner in 0..<2_000 {
            let tick = wheel.now.addingReportingOverflow(generator.nextOfAnyMagnitude())
            if !tick.overflow { wheel.schedule(owner: UInt64(owner), at: [tick.partialValue]) }
        }
        while let tick = wheel.nextExpiry {
            wheel.advance(to: tick)
            if wheel.takeAllDue().isEmpty {
                Issue.record("nothing due at \(tick), TRON_SEED=\(RandomRun.seed)")
                return
            }
        }
        #expect(wheel.count == 0)
    }

    @Test("an emptied slot forgets its earliest tick")
    func emptiedSlot() {
        let wheel = TimerWheel()
        let early = wheel.schedule(at: 1_000, owner: 1)
        wheel.cancel(early)
        #expect(wheel.nextExpiry == nil)
        wheel.schedule(owner: 2, at: [1_020])
        #expect(wheel.nextExpiry == 1_020)
    }

    @Test func `owner and payload come back as they were given, also when a node is used again`() {
        let wheel = TimerWheel()
        for round: UInt32 in 0..<3 {
            let cancelled = wheel.schedule(at: 3, owner: 9, payload: 9)
            _ = wheel.schedule(at: 5, owner: .max, payload: .max - round)
            _ = wheel.schedule(at: 5, owner: 2)
            wheel.cancel(cancelled)
            _ = wheel.schedule(at: 5, owner: 1 << 40, payload: round)
            wheel.advance(to: 5)
            let taken = (0..<3).compactMap { _ in wheel.takeDue() }
            #expect(taken.map(\.owner) == [.max, 2, 1 << 40])
            #expect(taken.map(\.payload) == [.max - round, 0, round])
        }
    }

    @Test func `a timer's deadline is told until the timer is taken or cancelled`() {
        let wheel = TimerWheel(now: 100)
        let (past, near, far) = (
            wheel.schedule(at: 7, owner: 1), wheel.schedule(at: 101, owner: 2),
            wheel.schedule(at: 1 << 40, owner: 3)
        )
        #expect(wheel.deadline(of: past) == 100 && wheel.deadline(of: near) == 101)
        wheel.advance(to: 101)
        #expect(wheel.deadline(of: near) == 101 && wheel.deadline(of: far) == 1 << 40)
        #expect(wheel.takeDue()?.key == past && wheel.deadline(of: past) == nil)
        wheel.cancel(far)
        #expect(wheel.deadline(of: far) == nil && wheel.deadline(of: .none) == nil)
    }

    @Test("a timer takes 32 bytes")
    func size() {
        #expect(TimerWheel.bytesPerTimer == 32)
    }

    @Test("a wheel begins at tick 0, and no timer has the key of none")
    func beginning() {
        #expect(TimerWheel().now == 0)
        #expect(TimerWheel().schedule(at: 1, owner: 1) != .none)
    }

    @Test("there may be as many lists as there are nodes at first, and no more")
    func mostLists() async {
        #expect(TimerLists(lists: 4096).checkInvariant(timers: 0, thoroughly: true))
        await #expect(processExitsWith: .failure) { _ = TimerLists(lists: 4097) }
    }
}

extension TimerWheel {
    func schedule(owner: UInt64, at ticks: [UInt64]) {
        for tick in ticks { _ = schedule(at: tick, owner: owner) }
    }

    func takeAllDue() -> [UInt64] {
        var owners: [UInt64] = []
        while let (_, owner, _) = takeDue() { owners.append(owner) }
        return owners
    }
}
