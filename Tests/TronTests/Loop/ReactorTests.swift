// The loop itself: the order of a turn, work from other threads, stopping, budgets, rest.
import Glibc
import Testing

@testable import Tron

/// Notes from any thread. With the library's own lock: the thread sanitizer does not see Mutex.
private final class Notes: Sendable {
    private let list = Locked<[String]>([])

    var all: [String] { list.withLock { $0 } }
    var count: Int { list.withLock { $0.count } }

    func add(_ note: String) { list.withLock { $0.append(note) } }
}

@Suite struct ReactorTests {
    @Test func `a turn has its phases in their promised order`() throws {
        let notes = Notes()
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                notes.add("event")
                session.close()
                #expect(session.registry.isOnLoop)
            }
            session.onClose { _, _ in notes.add("release") }
        }
        let reactor = bench.reactor
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        reactor.schedule(after: .milliseconds(1)) { notes.add("timer") }
        #expect(reactor.submit { _ in notes.add("submitted") } == .accepted)
        bench.kernel.fault = { call, _, _ in
            if call == .shutdown { notes.add("output") }
            return nil
        }
        bench.sessions[0].closeWriting()
        peer.send(wire("x"))
        peer.finish()
        bench.kernel.advance(.milliseconds(1))
        try reactor.turn(until: { notes.all.last == "release" }, atMost: 3)
        let order = notes.all.filter { $0 != "output" }
        #expect(order == ["event", "timer", "submitted", "release"])
        let output = try #require(notes.all.firstIndex(of: "output"))
        #expect(output < notes.count - 1)
    }

    @Test func `work from four threads runs once each and in each thread's order`() throws {
        let reactor = try Reactor()
        let remote = reactor.remote
        let seen = Locked([[Int]](repeating: [], count: 4))
        let threads = (0..<4).map { thread in
            OtherThread {
                for number in 0..<10_000 {
                    while !remote.submit({ _ in seen.withLock { $0[thread].append(number) } })
                        .isAccepted
                    {
                        sched_yield()
                    }
                }
            }
        }
        let stopper = OtherThread {
            for thread in 0..<4 {
                while seen.withLock({ $0[thread].count < 10_000 }) { usleep(100) }
            }
            remote.stop()
        }
        try reactor.run()
        for thread in threads { thread.join() }
        stopper.join()
        #expect(seen.withLock { $0 } == Array(repeating: Array(0..<10_000), count: 4))
    }

    @Test func `work is refused when too much waits and after the stop`() throws {
        var limits = ReactorLimits()
        limits.maximumWaitingWork = 3
        let reactor = try Reactor(limits: limits, kernel: FaultyKernel())
        let notes = Notes()
        let taken = (0..<5).map { number in reactor.submit { _ in notes.add("\(number)") } }
        #expect(taken.prefix(3).allSatisfy { $0 == .accepted })
        #expect(taken.suffix(2).allSatisfy { $0 == .tooMuchWaits })
        try reactor.turn()
        #expect(notes.all == ["0", "1", "2"])
        #expect(reactor.submit { _ in notes.add("before the stop") } == .accepted)
        reactor.stop()
        try reactor.run()
        #expect(notes.all.last == "before the stop")
        #expect(reactor.remote.submit { _ in } == .stopped)
        reactor.remote.stop()
        try reactor.run()
    }

    @Test func `work that was run lets go of what it held`() throws {
        final class Held: Sendable {}
        let reactor = try Reactor(kernel: FaultyKernel())
        weak var held: Held?
        do {
            let object = Held()
            held = object
            #expect(reactor.submit { _ in _ = object } == .accepted)
        }
        #expect(held != nil)
        try reactor.turn()
        #expect(held == nil)
    }

    @Test func `work that submits work does not hold the turn`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let notes = Notes()
        @Sendable func again(_ reactor: Reactor) {
            notes.add("x")
            reactor.submit(again)
        }
        #expect(reactor.submit(again) == .accepted)
        try reactor.turn(times: 5)
        #expect(notes.count == 5)
    }

    @Test func `a stop from another thread wakes a loop that sleeps for ever`() throws {
        let reactor = try Reactor()
        let remote = reactor.remote
        let thread = OtherThread { remote.stop() }
        try reactor.run()
        thread.join()
    }

    @Test func `each phase does no more than its budget a turn`() throws {
        var limits = ReactorLimits()
        limits.maximumTimersPerTurn = 5
        limits.maximumWorkPerTurn = 7
        let kernel = FaultyKernel()
        let reactor = try Reactor(limits: limits, kernel: kernel)
        var timers = 0
        let notes = Notes()
        for _ in 0..<20 {
            reactor.schedule(after: .zero) { timers += 1 }
            #expect(reactor.submit { _ in notes.add("x") } == .accepted)
        }
        kernel.advance(.milliseconds(1))
        var seen: [[Int]] = []
        for _ in 0..<4 {
            try reactor.turn()
            seen.append([timers, notes.count])
        }
        #expect(seen == [[5, 7], [10, 14], [15, 20], [20, 20]])
        #expect(kernel.emptyWaits == 4)
    }

    @Test func `a session that never runs dry starves no other`() throws {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 4096
        let bench = try Bench(limits: limits) { session, log in
            session.onPacket { _, packet in log.notes.append(String(packet.category)) }
        }
        let busy = try bench.connect()
        let other = try bench.connect()
        busy.send(repeatElement(wire("0123456789", category: 1), count: 4000).joined())
        other.send(wire("me too", category: 2))
        try bench.reactor.turn()
        #expect(bench.log.notes.contains("2"))
        #expect(bench.sessions[0].counters.bytesReceived == 4096)
    }

    @Test func `also behind a half-received packet a turn reads no more than its bound`() throws {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 4096
        let bench = try Bench(limits: limits)
        let peer = try bench.connect()
        peer.send(wire(String(repeating: "x", count: 100_000)))
        var before = 0
        for _ in 0..<24 {
            try bench.reactor.turn()
            let now = bench.sessions[0].counters.bytesReceived
            #expect(now - before <= 4096)
            before = now
        }
        try bench.reactor.turn(until: { bench.texts.count == 1 })
    }

    @Test func `an idle reactor makes no call until something is due`() throws {
        let bench = try Bench(
            .ipv4,
            session: {
                var options = SessionOptions()
                options.idle.either = .seconds(1000)
                return options
            }())
        let peers = try (0..<10).map { _ in try bench.connect() }
        let kernel = bench.kernel
        let (calls, start) = (kernel.allCalls, kernel.clock)
        try bench.reactor.turn()
        // One wait until all were idle for long enough, and what closed them then.
        #expect(kernel.allCalls - calls == 1 + 2 * peers.count)
        #expect(kernel.clock - start >= 999_000_000_000)
        #expect(bench.reasons.count == peers.count)
    }

    @Test func `a reactor that never ran closes every descriptor when it goes`() throws {
        let kernel = FaultyKernel()
        var sessions = 0
        do {
            let reactor = try Reactor(kernel: kernel)
            let server = try reactor.listen(on: Bench.unixName()) { _ in sessions += 1 }
            reactor.connectOnce(to: server.address) { _ in }
            try reactor.turn(until: { sessions == 1 })
            reactor.connectOnce(to: server.address) { _ in }
            #expect(kernel.openDescriptors.count >= 5)
        }
        #expect(kernel.openDescriptors == [])
    }

    @Test func `a reactor without descriptors says which call failed and leaves nothing open`() {
        for call in [KernelCall.epollCreate, .eventDescriptor, .epollControl] {
            let kernel = FaultyKernel()
            kernel.fault = { failed, _, _ in failed == call ? .error(EMFILE) : nil }
            let error = #expect(throws: SystemError.self) { try Reactor(kernel: kernel) }
            #expect(error?.code == EMFILE)
            #expect(kernel.openDescriptors == [])
        }
    }
}
