// What a supervisor hears of a group: that all are ready, that all turn, and that it ends.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct GroupSupervisorTests {
    @Test func `a group is ready when all are, stopping once, and both in order`() async throws {
        let socket = try NotifySocket()
        let mayBegin = Atomic(false)
        let supervisor = try socket.supervisor()
        let running = try RunningGroup(
            drainingWithin: .seconds(8), supervisor: supervisor
        ) { _, index in
            while index == 2 && !mayBegin.load(ordering: .acquiring) { usleep(100) }
        }
        try await RunningGroup.wait { running.group.remotes.count == 2 }
        #expect(socket.datagrams == [] && !running.group.isReady)
        mayBegin.store(true, ordering: .releasing)
        var told: [String] = []
        try await RunningGroup.wait {
            told += socket.datagrams
            return !told.isEmpty
        }
        #expect(told == ["READY=1"] && running.group.isReady)
        try await running.end([])
        #expect(socket.datagrams == ["STOPPING=1\nEXTEND_TIMEOUT_USEC=11000000"])
        #expect(!running.group.isReady)
    }

    @Test func `the watchdog hears nothing while one reactor does not turn`() throws {
        let socket = try NotifySocket()
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let group = ReactorGroup(count: 2, kernel: kernel)
        group.report(to: try socket.supervisor(["WATCHDOG_USEC": "2000000"]))
        let reactors = try (0..<2).map { index in
            let reactor = try Reactor(kernel: kernel)
            try group.join(reactor, at: index)
            return reactor
        }
        for _ in 0..<5 { for reactor in reactors { try reactor.turn() } }
        #expect(socket.datagrams == ["READY=1"])
        // The first turns again and again, the second is held.
        for _ in 0..<3 {
            kernel.advance(.milliseconds(1001))
            try reactors[0].turn(times: 2)
        }
        #expect(socket.datagrams == [])
        try reactors[1].turn(times: 2)
        #expect(socket.datagrams == ["WATCHDOG=1"])
        for _ in 0..<3 {
            kernel.advance(.milliseconds(1001))
            for reactor in reactors { try reactor.turn(times: 2) }
        }
        #expect(socket.datagrams == ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"])
        // Nobody waits for one that has ended.
        reactors[1].finish()
        group.ended(at: 1)
        kernel.advance(.milliseconds(1001))
        try reactors[0].turn(times: 2)
        #expect(socket.datagrams == ["WATCHDOG=1"])
        _ = socket.datagrams
        reactors[0].drain(within: .seconds(3))
        #expect(socket.datagrams.map { $0.prefix(10) } == ["STOPPING=1"])
    }
}
