// What signals do before a reactor watches them, afterwards, elsewhere, and in child processes.
import Glibc
import Testing

@testable import Tron

extension SignalTests {
    @Test func `what a signal did before is put back when the last reactor ends`() async {
        await #expect(processExitsWith: .success) {
            CountingHandler.install(for: SIGTERM)
            let before = (SignalAction(of: SIGTERM), SignalAction(of: SIGUSR1))
            var first: Reactor? = try Reactor()
            var second: Reactor? = try Reactor()
            try first?.onSignal(.terminate, .user1) { _ in }
            try second?.onSignal(.terminate) { _ in }
            first = nil
            #expect(SignalAction(of: SIGUSR1) == before.1)
            #expect(SignalAction(of: SIGTERM) != before.0)
            TestSignals.raiseHere(SIGTERM)
            #expect(CountingHandler.count == 0)
            try second?.turn()
            second = nil
            #expect(SignalAction(of: SIGTERM) == before.0)
            TestSignals.raiseHere(SIGTERM)
            #expect(CountingHandler.count == 1)
        }
    }

    @Test func `a signal that no loop was there to look at is raised again`() async {
        await #expect(processExitsWith: .success) {
            CountingHandler.install(for: SIGTERM)
            TestSignals.letIn(SIGTERM)
            var reactor: Reactor? = try Reactor()
            try reactor?.onSignal(.terminate) { _ in }
            TestSignals.raiseHere(SIGTERM)
            #expect(CountingHandler.count == 0)
            reactor = nil
            #expect(CountingHandler.counts(1))
        }
    }

    /// As when the last reactor ends while the handler is on its way: called by hand, it comes late
    /// for certain.
    @Test func `a signal whose handler finds no reactor any more is raised again`() async {
        await #expect(processExitsWith: .success) {
            CountingHandler.install(for: SIGTERM)
            TestSignals.letIn(SIGTERM)
            var reactor: Reactor? = try Reactor()
            try reactor?.onSignal(.terminate) { _ in }
            var installed = sigaction()
            sigaction(SIGTERM, nil, &installed)
            reactor = nil
            installed.__sigaction_handler.sa_handler(SIGTERM)
            #expect(CountingHandler.counts(1))
            // What somebody else has installed since is left alone: it may have called the handler.
            signal(SIGTERM, { _ in _exit(1) })
            installed.__sigaction_handler.sa_handler(SIGTERM)
            usleep(20_000)
        }
    }

    @Test func `a handler that has replaced the library's stays`() async {
        await #expect(processExitsWith: .success) {
            var reactor: Reactor? = try Reactor()
            var told = 0
            try reactor?.onSignal(.terminate) { _ in told += 1 }
            CountingHandler.install(for: SIGTERM)
            let installed = SignalAction(of: SIGTERM)
            TestSignals.raiseHere(SIGTERM)
            try reactor?.onSignal(.user1) { _ in }
            reactor = nil
            #expect(SignalAction(of: SIGTERM) == installed)
            #expect(told == 0 && CountingHandler.count == 1)
        }
    }

    @Test func `a handler that is put back after the last reactor's end gives way`() async {
        await #expect(processExitsWith: .success) {
            CountingHandler.install(for: SIGTERM)
            TestSignals.letIn(SIGTERM)
            let before = SignalAction(of: SIGTERM)
            var reactor: Reactor? = try Reactor()
            try reactor?.onSignal(.terminate) { _ in }
            var replaced = sigaction()
            var ignored = sigaction()
            ignored.__sigaction_handler.sa_handler = SIG_IGN
            sigaction(SIGTERM, &ignored, &replaced)
            reactor = nil
            sigaction(SIGTERM, &replaced, nil)
            #expect(SignalAction(of: SIGTERM) != before)
            TestSignals.raiseHere(SIGTERM)
            #expect(CountingHandler.counts(1))
            #expect(SignalAction(of: SIGTERM) == before)
        }
    }

    @Test func `the handler keeps errno`() async {
        await #expect(processExitsWith: .success) {
            let watch = try SignalWatch(kernel: Kernel())
            try watch.add(.user1)
            // So full that the handler's write is refused.
            var most = UInt64.max - 1
            #expect(write(watch.number, &most, 8) == 8)
            TestSignals.letIn(SIGUSR1)
            errno = EDOM
            pthread_kill(pthread_self(), SIGUSR1)
            let code = errno
            #expect(code == EDOM)
            #expect(watch.take() == [.user1])
        }
    }

    @Test func `a call that a signal interrupts is restarted`() async {
        await #expect(processExitsWith: .success) {
            var ends: [Int32] = [-1, -1]
            #expect(pipe(&ends) == 0)
            let (reading, writing) = (ends[0], ends[1])
            let watch = try SignalWatch(kernel: Kernel())
            try watch.add(.user1)
            let reader = pthread_self()
            TestSignals.letIn(SIGUSR1)
            try startThread {
                // Often enough that some of them find the reader in its call.
                for _ in 0..<100 {
                    pthread_kill(reader, SIGUSR1)
                    usleep(100)
                }
                close(writing)
            }
            var byte: UInt8 = 0
            #expect(read(reading, &byte, 1) == 0)
            #expect(watch.take() == [.user1])
        }
    }

    @Test func `no signal is blocked, and a child process inherits no mask`() async {
        await #expect(processExitsWith: .success) {
            OtherThread.run {
                var none = TestSignals.set()
                pthread_sigmask(SIG_SETMASK, &none, nil)
                let reactor = try? Reactor()
                try? reactor?.onSignal(.interrupt, .terminate, .user1) { _ in }
                #expect(reactor?.signalSource != nil && TestSignals.blocked == [])
                let isBlank = "grep -q '^SigBlk:[[:space:]]*0*$' /proc/self/status"
                #expect(Tool.run("sh", ["-c", isBlank]))
            }
        }
    }

    @Test func `a program that is started has the default actions`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            try reactor.onSignal(.interrupt, .terminate, .user1) { _ in }
            // Those that are caught: none.
            let isBlank = "cat /proc/self/status | grep -q '^SigCgt:[[:space:]]*0*$'"
            #expect(Tool.run("sh", ["-c", isBlank]))
        }
    }

    @Test(.enabled(if: ForkedChild.getsSignals, "needs no thread sanitizer"))
    func `a signal to a forked child does what it did before, unknown to the parent`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var told = 0
            try reactor.onSignal(.user1) { _ in told += 1 }
            let status = ForkedChild.status { TestSignals.raiseHere(SIGUSR1) }
            #expect(status & 0x7f == SIGUSR1)
            reactor.schedule(after: .milliseconds(1)) {}
            try reactor.turn()
            #expect(told == 0)
            TestSignals.raiseHere(SIGUSR1)
            try reactor.turn()
            #expect(told == 1)
        }
    }

    @Test(.enabled(if: ForkedChild.getsSignals, "needs no thread sanitizer"))
    func `a forked child can watch signals itself, unknown to the parent`() async {
        await #expect(processExitsWith: .success) {
            var told = 0
            let parents = try Reactor()
            try parents.onSignal(.user1) { _ in told += 1 }
            let before = SignalAction(of: SIGUSR1)
            let status = ForkedChild.status {
                var reactor = try? Reactor()
                try? reactor?.onSignal(.user1) { _ in told += 10 }
                TestSignals.raiseHere(SIGUSR1)
                try? reactor?.turn()
                reactor = nil
                if told == 10 { TestSignals.raiseHere(SIGUSR1) }
            }
            #expect(status & 0x7f == SIGUSR1)
            parents.schedule(after: .milliseconds(1)) {}
            try parents.turn()
            #expect(told == 0 && SignalAction(of: SIGUSR1) == before)
        }
    }

    /// However many modules include the shim, each object's copy of the table gives way to one.
    @Test(.enabled(if: Tool.has("nm"))) func `the table of signals is there once`() {
        for name in ["tron_signals", "tron_signal_arrived"] {
            let symbols = "nm /proc/\(getpid())/exe | grep ' \(name)$'"
            #expect(Tool.run("sh", ["-c", "test $(\(symbols) | wc -l) = 1"]))
            #expect(Tool.run("sh", ["-c", "\(symbols) | grep -q ' [VW] '"]))
        }
    }
}

/// fork(2), which Swift offers to nobody: only for a process with hardly any other thread.
enum ForkedChild {
    /// The thread sanitizer puts signals off until the next call that it follows, and follows none
    /// in the child of a process with several threads.
    static let getsSignals = dlsym(nil, "__tsan_init") == nil

    /// Runs `body` in a child, which then exits with 0; how it ended, as waitpid(2) says.
    static func status(_ body: () -> Void) -> Int32 {
        var status: Int32 = -1
        waitpid(start(body), &status, 0)
        return status
    }

    /// Starts a child that runs `body` and then exits with 0.
    static func start(_ body: () -> Void) -> pid_t {
        typealias Fork = @convention(c) () -> pid_t
        let fork = unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)
        let child = fork()
        if child == 0 {
            body()
            _exit(0)
        }
        return child
    }
}
