// SIGINT and SIGTERM: the run unwinds, so that servers are killed and files removed.
import Glibc
import Synchronization

enum Interrupt {
    private static let requested = Atomic<Bool>(false)

    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// The first signal asks the run to end; a second one ends the process at once, and the kernel
    /// then kills the servers.
    static func install() {
        // Whoever started this program may have blocked them.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            unsafe sigaddset(&signals, number)
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = { _ in
                Interrupt.requested.store(true, ordering: .relaxed)
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
            unsafe sigaction(number, &action, nil)
        }
        unsafe sigprocmask(SIG_UNBLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// To be called in every loop that may last.
    static func check() throws(Failure) {
        if isRequested { throw Failure("interrupted") }
    }
}
