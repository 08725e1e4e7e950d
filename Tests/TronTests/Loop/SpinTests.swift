// Waiting without sleeping: for how long, and what ends it.
import Testing

@testable import Tron

@Suite struct SpinTests {
    /// Each look takes a microsecond; a wait that sleeps passes its time, as with any fake clock.
    private let kernel = FaultyKernel()

    private func reactor(spin: Duration) throws -> Reactor {
        var limits = ReactorLimits()
        limits.spin = spin
        kernel.patience = 0
        kernel.lookTime = 1000
        return try Reactor(limits: limits, kernel: Kernel(kernel))
    }

    @Test func `without a spin the loop sleeps at once`() throws {
        let reactor = try reactor(spin: .zero)
        reactor.schedule(after: .milliseconds(5)) {}
        try reactor.turn()
        #expect(kernel.waited == [5_000_000])
    }

    @Test func `a loop that spins looks for so long, and then sleeps until its timer`() throws {
        let reactor = try reactor(spin: .microseconds(20))
        reactor.schedule(after: .milliseconds(5)) {}
        try reactor.turn()
        #expect(kernel.waited == Array(repeating: 0, count: 20) + [4_980_000])
    }

    @Test func `without timers it sleeps for ever after that`() throws {
        let reactor = try reactor(spin: .microseconds(3))
        try reactor.turn()
        #expect(kernel.waited == [0, 0, 0, -1])
    }

    @Test func `a timer that is due ends the spin, and is not late for it`() throws {
        let reactor = try reactor(spin: .seconds(1))
        let start = kernel.clock
        var late: Int64?
        reactor.schedule(after: .milliseconds(2)) { late = kernel.clock - start - 2_000_000 }
        try reactor.turn()
        // A look more, since what is ready goes before the timers.
        #expect(kernel.waited.count == 2001 && kernel.waited.allSatisfy { $0 == 0 })
        #expect(late == 1000)
    }

    @Test func `an event ends the spin, and its turn begins at once`() throws {
        let reactor = try reactor(spin: .milliseconds(1))
        let remote = reactor.remote
        kernel.beforeWait = { number in
            guard number == 8 else { return }
            let isWoken = remote.wakeup.signal()
            #expect(isWoken)
        }
        try reactor.turn()
        // It would keep the kernel, which the wake-up keeps.
        kernel.beforeWait = { _ in }
        #expect(kernel.waited == Array(repeating: 0, count: 8))
        #expect(reactor.snapshot().events == 1)
    }

    @Test func `what is to be done goes before any spin`() throws {
        let reactor = try reactor(spin: .milliseconds(1))
        var isDone = false
        reactor.callSoon { isDone = true }
        try reactor.turn()
        #expect(kernel.waited == [0] && isDone)
    }
}
