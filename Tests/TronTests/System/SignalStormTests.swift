// Many signals from several threads, while reactors that watch them come and go on others.
import Glibc
import Synchronization
import Testing

@testable import Tron

extension SignalTests {
    /// Whenever no reactor watches the signal, the application's own handler counts it.
    @Test(arguments: [1, 3], [1, 4])
    func `no signal is lost while reactors come and go`(watchers: Int, senders: Int) async {
        await #expect(processExitsWith: .success) { [watchers, senders] in
            CountingHandler.install(for: SIGTERM)
            TestSignals.letIn(SIGTERM)
            let before = SignalAction(of: SIGTERM)
            let storm = SignalStorm()
            let reactors = (1...watchers).map { _ in
                SignalStorm.thread { while storm.isOn { try? storm.watchForAMoment() } }
            }
            let threads = (1...senders).map { _ in
                SignalStorm.thread { for _ in 0..<3000 / senders { storm.sendOne() } }
            }
            for thread in threads { thread.join() }
            // Where other work keeps the watchers from running, the storm lasts until they have.
            repeat { storm.sendOne() } while storm.rounds <= 3
            storm.end()
            for thread in reactors { thread.join() }
            #expect(storm.lost == 0)
            #expect(storm.rounds > 3)
            #expect(SignalAction(of: SIGTERM) == before)
        }
    }

    @Test func `a watch ends when no handler writes to its descriptor any more`() async {
        await #expect(processExitsWith: .success) {
            let held = try HeldHandler()
            let hasEnded = Atomic(false)
            let ending = SignalStorm.thread {
                held.endWatch()
                hasEnded.store(true, ordering: .releasing)
            }
            usleep(50_000)
            let endedEarly = hasEnded.load(ordering: .acquiring)
            #expect(!endedEarly)
            held.letGo()
            ending.join()
        }
    }

    /// The child has a copy of the table, but not the thread.
    @Test func `a forked child does not wait for handlers of its parent`() async {
        await #expect(processExitsWith: .success) {
            let held = try HeldHandler()
            let status = ForkedChild.status {
                alarm(20)
                held.endWatch()
            }
            #expect(status == 0)
            held.letGo()
        }
    }
}

/// A thread that is kept within the signal handler: the descriptor of its watch is a pipe, full and
/// blocking.
private final class HeldHandler: @unchecked Sendable {
    private let kernel = FaultyKernel()
    private let reading: Int32
    private var watch: SignalWatch?
    private let thread: OtherThread

    /// Returns when the handler is about to write, or does.
    init() throws {
        let (reading, writing) = Self.fullPipe()
        self.reading = reading
        kernel.makeEvent = { Int(writing) }
        watch = try SignalWatch(kernel: kernel)
        try watch?.add(.user1)
        thread = SignalStorm.thread { TestSignals.raiseHere(SIGUSR1) }
        while watch?.take() == [] { sched_yield() }
    }

    /// Its end for writing blocks whoever writes more.
    private static func fullPipe() -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        let flags = fcntl(ends[1], F_GETFL)
        _ = fcntl(ends[1], F_SETFL, flags | O_NONBLOCK)
        let page = [UInt8](repeating: 0, count: 4096)
        while write(ends[1], page, page.count) > 0 {}
        _ = fcntl(ends[1], F_SETFL, flags)
        return (ends[0], ends[1])
    }

    func endWatch() { watch = nil }

    func letGo() {
        var page = [UInt8](repeating: 0, count: 4096)
        _ = read(reading, &page, page.count)
        thread.join()
    }
}

private final class SignalStorm: Sendable {
    private let told = Atomic(0)
    private let misses = Atomic(0)
    private let moments = Atomic(0)
    private let isOver = Atomic(false)

    var isOn: Bool { !isOver.load(ordering: .acquiring) }
    var lost: Int { misses.load(ordering: .relaxed) }
    var rounds: Int { moments.load(ordering: .relaxed) }

    func end() { isOver.store(true, ordering: .releasing) }

    /// Signals that were told to a reactor or to the application's handler.
    private var counted: Int {
        told.load(ordering: .sequentiallyConsistent) + CountingHandler.count
    }

    /// Sends a signal, and waits until one has been counted, ten seconds and more.
    func sendOne() {
        let before = counted
        kill(getpid(), SIGTERM)
        for _ in 0..<100_000 {
            if counted != before { return }
            usleep(100)
        }
        misses.add(1, ordering: .relaxed)
    }

    /// A reactor watches the signal, some microseconds long.
    func watchForAMoment() throws {
        let reactor = try Reactor()
        try reactor.onSignal(.terminate) { [self] _ in
            told.add(1, ordering: .sequentiallyConsistent)
        }
        let round = moments.add(1, ordering: .relaxed).newValue
        reactor.schedule(after: .microseconds(round * 37 % 500)) { [unowned reactor] in
            reactor.stop()
        }
        try reactor.run()
    }

    /// Starts a thread which the signal may interrupt.
    static func thread(_ body: @escaping @Sendable () -> Void) -> OtherThread {
        OtherThread {
            TestSignals.letIn(SIGTERM)
            body()
        }
    }
}
