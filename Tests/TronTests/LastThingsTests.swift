// Ends and extremes: work at the stop, actors, kept bytes, the largest limits, late calls.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite struct LastThingsTests {
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

    private final class Flags: Sendable {
        let isInside = Atomic(false)
        let overlapped = Atomic(false)
        let isDone = Atomic(false)
    }

    private actor Resident {
        private let executor: ReactorExecutor
        private let flags: Flags

        init(_ executor: ReactorExecutor, _ flags: Flags) {
            self.executor = executor
            self.flags = flags
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            executor.asUnownedSerialExecutor()
        }

        /// Has another thread call `second`, and stays for a while.
        func first() {
            flags.isInside.store(true, ordering: .sequentiallyConsistent)
            let executor = executor
            try? startThread {
                Task(executorPreference: executor) { await self.second() }
            }
            for _ in 0..<100_000 where !flags.isDone.load(ordering: .acquiring) { sched_yield() }
            flags.isInside.store(false, ordering: .sequentiallyConsistent)
        }

        func second() {
            if flags.isInside.load(ordering: .sequentiallyConsistent) {
                flags.overlapped.store(true, ordering: .relaxed)
            }
            flags.isDone.store(true, ordering: .releasing)
        }
    }

    @Test func `an actor on a reactor that stops is still in one place at a time`() throws {
        var limits = ReactorLimits()
        limits.maximumWorkPerTurn = 1
        let reactor = try Reactor(limits: limits)
        let flags = Flags()
        let resident = Resident(reactor.executor, flags)
        reactor.remote.submit { $0.stop() }
        // Over the turn's budget: it is run while the reactor ends.
        reactor.remote.submit { _ in resident.assumeIsolated { $0.first() } }
        try reactor.run()
        for _ in 0..<1_000_000 where !flags.isDone.load(ordering: .acquiring) { sched_yield() }
        let isDone = flags.isDone.load(ordering: .acquiring)
        let overlapped = flags.overlapped.load(ordering: .relaxed)
        #expect(isDone && !overlapped)
    }

    @Test func `a handler that is set later gets the packets that were kept`() throws {
        let bench = try Bench { session, _ in session.onBytes { _, _ in 0 } }
        bench.kernel.isFrozen = true
        let peer = try bench.connect()
        peer.send(wire("kept"))
        try bench.reactor.turn(times: 3)
        let log = bench.log
        bench.sessions[0].onPacket { _, packet in log.texts.append(packet.text) }
        try bench.reactor.turn(times: 3)
        #expect(bench.texts == ["kept"])
        peer.close()
    }

    @Test func `limits as large as there are do not trap`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var options = ServerOptions()
            options.limits.maximumSessions = .max
            for _ in 0..<5 { try reactor.listen(on: "127.0.0.1:0", options: options) { _ in } }
            precondition(reactor.memoryBound > 0)
        }
    }

    @Test func `a client may let any number of requests wait`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var client = ClientOptions()
            client.maximumCopiedRequests = .max
            reactor.makeClient(to: "127.0.0.1:1", options: client)
            precondition(reactor.memoryBound > 0)
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

    @Test func `a keepalive longer than the kernel's longest is the kernel's longest`() throws {
        var options = SessionOptions()
        options.deadAfter = .seconds(200_000)
        _ = try Bench(.ipv4, session: options)
        options = SessionOptions()
        options.keepalive = Keepalive(idle: .seconds(40_000), probes: 1000)
        _ = try Bench(.ipv4, session: options)
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

    @Test func `a drain after the end is reported`() throws {
        let bench = try Bench()
        bench.reactor.stop()
        try bench.reactor.run()
        var reports = 0
        bench.server.drain(within: .seconds(1)) { _ in reports += 1 }
        #expect(reports == 1)
    }

    @Test func `a drain that the reactor's end cuts short counts those not yet closed as aborted`()
        throws
    {
        let bench = try Bench()
        let peers = [try bench.connect(), try bench.connect()]
        var report: DrainReport?
        bench.server.drain(within: .seconds(9), spread: .seconds(9)) { report = $0 }
        try bench.reactor.turn()
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(report?.closed == 1 && report?.aborted == 1, "\(report as Any)")
        _ = peers
    }

    @Test func `a drain whose deadline is the reactor's last turn reports what it aborted`()
        throws
    {
        let bench = try Bench()
        let reactor = bench.reactor
        let peer = try bench.connect()
        var report: DrainReport?
        bench.server.drain(within: .milliseconds(10)) { report = $0 }
        reactor.schedule(after: .milliseconds(10)) { reactor.stop() }
        try reactor.run()
        #expect(report?.closed == 0 && report?.aborted == 1)
        _ = peer
    }
}
