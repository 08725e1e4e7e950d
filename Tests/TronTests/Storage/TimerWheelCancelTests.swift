// Timers that are cancelled: never due, by no key but their own, whoever cancels them and when.
import Testing

@testable import Tron

@Suite struct TimerWheelCancelTests {
    @Test("a cancelled timer is never due, even when it was due already")
    func cancellation() {
        let wheel = TimerWheel()
        let waiting = wheel.schedule(at: 5_000, owner: 1)
        let due = wheel.schedule(at: 10, owner: 2)
        wheel.schedule(owner: 3, at: [10, 5_000])
        wheel.advance(to: 10)
        #expect(wheel.cancel(due))
        #expect(wheel.cancel(waiting))
        #expect(wheel.takeAllDue() == [3])
        wheel.advance(to: 5_000)
        #expect(wheel.takeAllDue() == [3])
    }

    @Test("when the only timer that is due is cancelled, those that wait stay")
    func cancellationOfTheOnlyDueTimer() {
        let wheel = TimerWheel()
        let due = wheel.schedule(at: 0, owner: 1)
        wheel.schedule(owner: 2, at: [70])
        #expect(wheel.cancel(due) && wheel.takeDue() == nil)
        #expect(wheel.nextExpiry == 70 && wheel.checkInvariant(thoroughly: true))
        wheel.advance(to: 70)
        #expect(wheel.takeAllDue() == [2])
    }

    @Test("a key of a timer that was cancelled, taken, or never given out cancels nothing")
    func staleKeys() {
        let wheel = TimerWheel()
        let cancelled = wheel.schedule(at: 10, owner: 1)
        #expect(wheel.cancel(cancelled))
        #expect(!wheel.cancel(cancelled))
        let taken = wheel.schedule(at: 0, owner: 2)
        #expect(taken.index == cancelled.index)
        #expect(!wheel.cancel(cancelled))
        #expect(wheel.takeAllDue() == [2])
        #expect(!wheel.cancel(taken))
        wheel.schedule(owner: 3, at: [20])
        for index: UInt32 in [0, 704, taken.index, 5_000, .max] {
            for generation: UInt32 in [0, 2, .max - 1, .max] {
                #expect(!wheel.cancel(TimerKey(index: index, generation: generation)))
            }
        }
        #expect(!wheel.cancel(TimerKey(index: 0, generation: 1)))
        #expect(!wheel.cancel(.none))
        let successor = TimerKey(index: taken.index, generation: taken.generation + 4)
        #expect(!wheel.cancel(successor))
        #expect(wheel.count == 1)
    }

    @Test("a key of a freed node is refused even with the generation it would get next")
    func forgedKeys() {
        let wheel = TimerWheel()
        let key = wheel.schedule(at: 10, owner: 1)
        wheel.cancel(key)
        for distance: UInt32 in [0, 1, 2] {
            let forged = TimerKey(index: key.index, generation: key.generation + distance)
            #expect(!wheel.cancel(forged) && wheel.deadline(of: forged) == nil)
        }
        #expect(wheel.checkInvariant(thoroughly: true))
    }

    @Test("whoever is called for a timer may cancel and schedule any timer, its own included")
    func callbacks() {
        let wheel = TimerWheel()
        let keys = (0..<6).map { wheel.schedule(at: 10, owner: $0) }
        let later = wheel.schedule(at: 200, owner: 6)
        wheel.advance(to: 10)
        var called: [UInt64] = []
        while let (key, owner, _) = wheel.takeDue() {
            called.append(owner)
            #expect(!wheel.cancel(key))
            switch owner {
            case 0: #expect(wheel.cancel(keys[1]) && wheel.cancel(keys[5]) && wheel.cancel(later))
            case 2: wheel.schedule(owner: 7, at: [0, 11])
            case 3: wheel.schedule(owner: 3_000, at: [wheel.now])
            case 7: #expect(wheel.cancel(wheel.schedule(at: 300, owner: 8)))
            default: break
            }
        }
        #expect(called == [0, 2, 3, 4, 7, 3_000])
        wheel.advance(to: 1_000)
        #expect(wheel.takeAllDue() == [7])
        #expect(wheel.count == 0)
    }
}
