// Signals of the tests: sent to the calling thread, counted, and their actions compared.
import Glibc
import Synchronization

@testable import Tron

enum TestSignals {
    /// Sends a signal to the calling thread; it has been handled when this returns. A thread of a
    /// pool has all signals blocked, so that this one is let in for as long.
    static func raiseHere(_ number: Int32) {
        var before = sigset_t()
        var one = set(number)
        pthread_sigmask(SIG_UNBLOCK, &one, &before)
        pthread_kill(pthread_self(), number)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Lets a signal interrupt the calling thread from now on.
    static func letIn(_ number: Int32) {
        var one = set(number)
        pthread_sigmask(SIG_UNBLOCK, &one, nil)
    }

    static func set(_ numbers: Int32...) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        return set
    }

    /// The signals that the calling thread has blocked.
    static var blocked: [Int32] {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        return Signal.numbers.filter { sigismember(&mask, $0) == 1 }
    }
}

/// A signal handler of an application's own, which counts.
enum CountingHandler {
    private static let arrivals = Atomic(0)

    static var count: Int { arrivals.load(ordering: .sequentiallyConsistent) }

    /// Whether it has counted so many, or does so in the next ten seconds.
    static func counts(_ expected: Int) -> Bool {
        for _ in 0..<10_000 where count < expected { usleep(1000) }
        return count == expected
    }

    /// Installs it, with flags and a mask that nobody has by default.
    static func install(for number: Int32) {
        // The counter is made now, and not within the handler.
        _ = count
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            CountingHandler.arrivals.add(1, ordering: .sequentiallyConsistent)
        }
        action.sa_flags = SA_NODEFER
        action.sa_mask = TestSignals.set(SIGUSR2, SIGWINCH)
        sigaction(number, &action, nil)
    }
}

/// What a signal does, as sigaction(2) tells it; flags and mask mean something for a handler alone.
struct SignalAction: Equatable {
    let handler: UInt
    let flags: Int32
    let mask: [Int32]

    /// SA_RESTORER, which the C library adds to whatever is installed.
    private static let restorer: Int32 = 0x0400_0000

    init(of number: Int32) {
        var action = sigaction()
        sigaction(number, nil, &action)
        let handler = action.__sigaction_handler.sa_handler
        self.handler = unsafeBitCast(handler, to: UInt.self)
        flags = self.handler == 0 ? 0 : action.sa_flags & ~Self.restorer
        let isMasked = { sigismember(&action.sa_mask, $0) == 1 }
        mask = self.handler == 0 ? [] : Signal.numbers.filter(isMasked)
    }
}
