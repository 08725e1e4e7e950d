// What is left to do when a reactor stops or goes: work is run, and nothing keeps what is over.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite struct StopTests {
    private final class Tally: Sendable {
        let accepted = Atomic(0)
        let ran = Atomic(0)
        let threads = Atomic(0)
    }

    @Test func `work that is accepted while the reactor stops is run`() throws {
        for _ in 0..<500 {
            let reactor = try Reactor()
            let remote = reactor.remote
            let tally = Tally()
            for _ in 0..<2 {
                tally.threads.add(1, ordering: .relaxed)
                try startThread {
                    while remote.submit({ _ in tally.ran.add(1, ordering: .relaxed) }).isAccepted {
                        tally.accepted.add(1, ordering: .relaxed)
                    }
                    tally.threads.subtract(1, ordering: .releasing)
                }
            }
            reactor.schedule(after: .microseconds(100)) { reactor.stop() }
            try reactor.run()
            while tally.threads.load(ordering: .acquiring) > 0 { sched_yield() }
            let lost = tally.accepted.load(ordering: .relaxed) - tally.ran.load(ordering: .relaxed)
            #expect(lost == 0)
            if lost != 0 { return }
        }
    }

    @Test func `what a close handler schedules at the end does not keep the reactor`() throws {
        weak var remains: Reactor?
        do {
            let bench = try Bench()
            let reactor = bench.reactor
            remains = reactor
            let peer = try bench.connect()
            bench.sessions[0].onClose { [unowned reactor] _, _ in
                let kept = reactor
                reactor.schedule(after: .seconds(1)) { _ = kept.memoryBound }
            }
            reactor.stop()
            try reactor.run()
            _ = peer
        }
        #expect(remains == nil)
    }

    @Test func `a signal asked for while the reactor ends leaks no descriptor`() throws {
        let bench = try Bench { session, log in
            session.onClose { _, _ in log.notes.append("closed") }
        }
        let reactor = bench.reactor
        try reactor.onSignal(.user2) { _ in }
        let peer = try bench.connect()
        bench.sessions[0].onClose { [unowned reactor] _, _ in
            try? reactor.onSignal(.user2) { _ in }
        }
        reactor.stop()
        try reactor.run()
        // The reactor's own: epoll and eventfd.
        #expect(bench.kernel.openDescriptors.count == 2)
        _ = peer
    }

    private final class Carrier: @unchecked Sendable { var reactor: Reactor? }

    @Test func `a reactor that never ran may be released on another thread`() async {
        await #expect(processExitsWith: .success) {
            let carrier = Carrier()
            let isMade = Tally()
            try startThread {
                carrier.reactor = try? Reactor()
                carrier.reactor?.makeClient(to: "127.0.0.1:1")
                isMade.threads.store(1, ordering: .releasing)
            }
            while isMade.threads.load(ordering: .acquiring) == 0 { sched_yield() }
            carrier.reactor = nil
        }
    }
}
