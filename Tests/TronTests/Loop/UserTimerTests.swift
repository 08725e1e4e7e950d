// The user's timers on the fake clock: never early, a tick late at most, no drift, cancellable.
import Testing

@testable import Tron

@Suite struct UserTimerTests {
    private let kernel = FaultyKernel()
    private let reactor: Reactor

    init() throws {
        kernel.clock = 123_456_789
        reactor = try Reactor(kernel: kernel)
    }

    @Test func `a timer is never early and at most a tick late`() throws {
        var random = SplitMix64(seed: 7)
        var fired = 0
        for _ in 0..<2000 {
            let delay = Int64(random.next() % 3_000_000_000)
            let due = kernel.clock + delay
            reactor.schedule(after: .nanoseconds(delay)) { [kernel] in
                fired += 1
                // The clock only moves to a deadline, so all of the lateness is the wheel's.
                #expect((0...1_000_000).contains(kernel.clock - due))
            }
            if random.next() % 4 == 0 { try reactor.turn() }
            if random.next() % 4 == 0 { try reactor.turn(until: { fired > 0 }, atMost: 10) }
        }
        try reactor.turn(until: { fired == 2000 }, atMost: 10_000)
    }

    @Test func `a repeating timer keeps in step with its first call`() throws {
        let start = kernel.clock
        var calls: [Int64] = []
        let timer = reactor.schedule(after: .milliseconds(100), repeating: .milliseconds(30)) {
            [kernel] in
            calls.append(kernel.clock - start)
            kernel.advance(.milliseconds(7))
        }
        try reactor.turn(until: { calls.count == 1000 }, atMost: 3000)
        for (index, time) in calls.enumerated() {
            let due = Int64(100 + 30 * index) * 1_000_000
            #expect((due...due + 1_000_000).contains(time))
        }
        #expect(timer.cancel())
        #expect(!timer.cancel())
    }

    @Test func `intervals that were missed are left out`() throws {
        let start = kernel.clock
        var calls: [Int64] = []
        reactor.schedule(after: .seconds(1), repeating: .seconds(1)) { [kernel] in
            calls.append((kernel.clock - start) / 1_000_000_000)
            if calls.count == 2 { kernel.advance(.milliseconds(3500)) }
        }
        try reactor.turn(until: { calls.count == 4 })
        #expect(calls == [1, 2, 5, 6] || calls == [1, 2, 6, 7])
    }

    @Test func `a cancelled timer is not called, even if it is due in this very turn`() throws {
        var calls: [String] = []
        var second: ScheduledTimer?
        var own: ScheduledTimer?
        reactor.schedule(after: .seconds(1)) {
            calls.append("first")
            #expect(second?.cancel() == true)
            #expect(second?.cancel() == false)
        }
        second = reactor.schedule(after: .seconds(1)) { calls.append("second") }
        own = reactor.schedule(after: .seconds(1), repeating: .seconds(1)) {
            calls.append("own")
            if calls.count == 4 { #expect(own?.cancel() == true) }
        }
        let never = reactor.schedule(after: .seconds(1)) { calls.append("never") }
        #expect(never.cancel())
        try reactor.turn(times: 20)
        #expect(calls == ["first", "own", "own", "own"])
        #expect(reactor.registry.wheel.count == 0)
    }

    @Test func `a timer that was called cannot be cancelled nor its slot's next owner by it`()
        throws
    {
        var calls = 0
        var own: ScheduledTimer?
        own = reactor.schedule(after: .milliseconds(1)) {
            calls += 1
            #expect(own?.cancel() == false)
        }
        try reactor.turn(until: { calls == 1 })
        reactor.schedule(after: .milliseconds(1)) { calls += 1 }
        #expect(own?.cancel() == false)
        try reactor.turn(until: { calls == 2 })
    }

    @Test func `equal times are called in the order of their scheduling`() throws {
        var calls: [Int] = []
        for number in 0..<100 {
            reactor.schedule(after: .seconds(5)) { calls.append(number) }
        }
        try reactor.turn(until: { calls.count == 100 })
        #expect(calls == Array(0..<100))
    }

    @Test func `negative and endless delays are taken as they can be`() throws {
        var calls = 0
        reactor.schedule(after: .seconds(-5)) { calls += 1 }
        let endless = reactor.schedule(after: .seconds(Int64.max)) { calls += 100 }
        try reactor.turn(times: 3)
        #expect(calls == 1)
        #expect(endless.cancel())
    }

    @Test func `a delay of nothing is due at the next millisecond, and so is an interval`() throws {
        var times: [Int64] = []
        let start = kernel.clock
        reactor.schedule(after: .zero, repeating: .nanoseconds(1)) { [kernel] in
            times.append(kernel.clock - start)
        }
        #expect(times.isEmpty)
        try reactor.turn(until: { times.count == 6 })
        #expect(times[0] <= 1_000_000)
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect((900_000...1_100_000).contains(later - earlier))
        }
    }

    @Test func `timers that are left at the stop are dropped with what they hold`() throws {
        final class Held {}
        weak var held: Held?
        do {
            let object = Held()
            held = object
            reactor.schedule(after: .seconds(1)) { _ = object }
        }
        #expect(held != nil)
        reactor.stop()
        try reactor.run()
        #expect(held == nil)
    }

    @Test func `a timer that stops the loop ends run in that turn`() throws {
        reactor.schedule(after: .seconds(3600)) { [remote = reactor.remote] in remote.stop() }
        let start = kernel.clock
        try reactor.run()
        #expect((3_600_000_000_000...3_600_001_000_000).contains(kernel.clock - start))
        #expect(kernel.waits <= 4)
    }
}
