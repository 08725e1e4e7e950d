// Signals as events of the loop. Those that reach the whole process are sent in one of their own.
import Glibc
import Testing

@testable import Tron

@Suite struct SignalTests {
    @Test func `signals arrive on the loop in place of what they do by default`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var seen: [Signal] = []
            try reactor.onSignal(.user1, .terminate) { signal in
                seen.append(signal)
                if signal == .user1 { TestSignals.raiseHere(SIGTERM) }
                if signal == .terminate { reactor.stop() }
            }
            reactor.schedule(after: .milliseconds(1)) { TestSignals.raiseHere(SIGUSR1) }
            try reactor.run()
            #expect(seen == [.user1, .terminate])
        }
    }

    @Test func `a signal wakes a loop that sleeps on another thread`() async {
        await #expect(processExitsWith: .success) {
            let told = Locked<[Signal]>([])
            let peer = try ReactorThread { reactor in
                try reactor.onSignal(.terminate) { signal in
                    told.withLock { $0.append(signal) }
                    reactor.stop()
                }
            }
            TestSignals.letIn(SIGTERM)
            kill(getpid(), SIGTERM)
            await peer.awaitEnd()
            #expect(told.withLock { $0 } == [.terminate])
        }
    }

    @Test func `a signal that arrives before the loop runs is told when it does`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var told = 0
            try reactor.onSignal(.terminate) { _ in
                told += 1
                reactor.stop()
            }
            TestSignals.raiseHere(SIGTERM)
            #expect(told == 0)
            try reactor.run()
            #expect(told == 1)
        }
    }

    @Test func `a signal that arrives before the loop ends is told before it has`() async {
        await #expect(processExitsWith: .success) {
            CountingHandler.install(for: SIGTERM)
            let reactor = try Reactor()
            var told = 0
            try reactor.onSignal(.terminate) { _ in
                told += 1
                // From now on the signal does what it did before.
                TestSignals.raiseHere(SIGTERM)
                try? reactor.onSignal(.terminate) { _ in told += 10 }
                TestSignals.raiseHere(SIGTERM)
            }
            TestSignals.raiseHere(SIGTERM)
            reactor.stop()
            try reactor.run()
            #expect(told == 1 && CountingHandler.count == 2)
        }
    }

    @Test func `every reactor that watches a signal is told`() async {
        await #expect(processExitsWith: .success) {
            var told: [String] = []
            let first = try Reactor()
            let second = try Reactor()
            try first.onSignal(.terminate) { _ in told.append("first") }
            try second.onSignal(.terminate, .user1) { told.append("second \($0.rawValue)") }
            TestSignals.raiseHere(SIGTERM)
            TestSignals.raiseHere(SIGUSR1)
            try first.turn()
            try second.turn()
            #expect(told == ["first", "second \(SIGUSR1)", "second \(SIGTERM)"])
            first.stop()
            try first.run()
            TestSignals.raiseHere(SIGTERM)
            try second.turn()
            #expect(told.last == "second \(SIGTERM)" && told.count == 4)
        }
    }

    @Test func `an action can be replaced, and others added, also by an action`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var told: [String] = []
            try reactor.onSignal(.user1, .user2) { [unowned reactor] _ in
                told.append("old")
                try? reactor.onSignal(.user2, .hangUp) { told.append("new \($0.rawValue)") }
            }
            for signal in [SIGUSR1, SIGUSR2] { TestSignals.raiseHere(signal) }
            try reactor.turn()
            TestSignals.raiseHere(SIGHUP)
            try reactor.turn()
            #expect(told == ["old", "new \(SIGUSR2)", "new \(SIGHUP)"])
        }
    }

    @Test func `several of a signal before the loop looks are told once`() async {
        await #expect(processExitsWith: .success) {
            let realTime = Signal.numbers.upperBound
            let reactor = try Reactor()
            var told: [Int32] = []
            try reactor.onSignal(.user1, Signal(rawValue: realTime)) { told.append($0.rawValue) }
            for _ in 0..<3 {
                TestSignals.raiseHere(SIGUSR1)
                TestSignals.raiseHere(realTime)
            }
            try reactor.turn()
            reactor.schedule(after: .milliseconds(1)) {}
            try reactor.turn()
            #expect(told == [SIGUSR1, realTime])
            TestSignals.raiseHere(realTime)
            try reactor.turn()
            #expect(told == [SIGUSR1, realTime, realTime])
        }
    }

    /// 32 is the C library's own.
    @Test func `a signal that cannot be watched is refused, and those before it are watched`() async
    {
        await #expect(processExitsWith: .success) {
            let refused = [
                SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSYS, 32,
            ]
            for number in refused {
                let reactor = try Reactor()
                var told = 0
                #expect(throws: SystemError(.sigaction, code: EINVAL)) {
                    try reactor.onSignal(.hangUp, Signal(rawValue: number)) { _ in told += 1 }
                }
                TestSignals.raiseHere(SIGHUP)
                try reactor.turn()
                #expect(told == 1)
            }
        }
    }

    @Test func `as many reactors as there are places can watch signals, and then again`() async {
        await #expect(processExitsWith: .success) {
            for _ in 0..<2 {
                var places = try (0..<256).map { _ in try Place() }
                let reactor = try Reactor()
                #expect(throws: SystemError(.sigaction, code: EUSERS)) {
                    try reactor.onSignal(.user1) { _ in }
                }
                places.removeLast()
                try reactor.onSignal(.user1) { _ in }
            }
        }
    }

    /// What a reactor that watches signals has.
    private final class Place {
        let watch: SignalWatch

        init() throws(SystemError) { watch = try SignalWatch(kernel: Kernel()) }
    }
}
