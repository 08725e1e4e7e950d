// How a group on threads ends: by what fails, by a reactor that stops, and when it is asked to.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct GroupEndTests {
    private struct SetupError: Error, Equatable { let index: Int }

    @Test func `a setup that throws stops the others, and run throws it`() async throws {
        let mayThrow = Atomic(false)
        let running = try RunningGroup(count: 2) { _, index in
            guard index == 1 else { return }
            while !mayThrow.load(ordering: .acquiring) { usleep(100) }
            throw SetupError(index: index)
        }
        try await RunningGroup.wait { running.group.remotes.count == 1 }
        // Nobody is accepted before all are set up.
        let peer = try Peer(to: running.server.address)
        peer.send(wire("too early"))
        #expect(!running.group.isReady && running.server.sessionCount == 0)
        mayThrow.store(true, ordering: .releasing)
        await #expect(throws: SetupError(index: 1)) { try await running.run.value }
        try await RunningGroup.wait { peer.drained.isAtEnd || peer.error == ECONNRESET }
        #expect(running.sessions.withLock { $0 } == [])
    }

    /// A loop that fails does what a setup does that fails later.
    @Test func `what a reactor throws is thrown by the run, once the others have stopped`()
        async throws
    {
        let run = ServiceRun(
            count: 3, DrainTimes(deadline: .seconds(600), spread: .zero, notice: .zero))
        let ended = Atomic(0)
        await #expect(throws: SetupError(index: 2)) {
            try await run.perform(by: Kernel()) { index in
                let reactor = try Reactor()
                run.joined(reactor, at: index)
                run.began(at: index)
                if index == 2 {
                    while run.remotes.count < 3 { usleep(100) }
                    throw SetupError(index: index)
                }
                try reactor.run()
                ended.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(ended.load(ordering: .relaxed) == 2)
    }

    @Test func `threads that cannot be had end the run`() async {
        let kernel = RefusingThreads(after: 1)
        let run = ServiceRun(
            count: 3, DrainTimes(deadline: .seconds(600), spread: .zero, notice: .zero))
        await #expect(throws: SystemError(.pthread_create, code: EAGAIN)) {
            try await run.perform(by: Kernel(kernel)) { index in
                let reactor = try Reactor()
                run.joined(reactor, at: index)
                run.began(at: index)
                try reactor.run()
            }
        }
    }

    @Test func `a reactor that stops by itself has the others drain`() async throws {
        let running = try RunningGroup()
        let peers = try await running.connect(6)
        try await RunningGroup.wait { running.group.isReady }
        running.group.remotes[1].stop()
        for peer in peers { peer.drainToEnd() }
        for peer in peers { peer.close() }
        _ = try await running.run.value
        #expect(running.server.sessionCount == 0)
    }

    @Test func `one that is shut down while it begins drains whoever has connected`() async throws {
        for round in 0..<20 {
            let address = Bench.unixName()
            let words = Atomic(0)
            let group = ReactorGroup(count: 4, drainingWithin: .seconds(600)) { reactor, index in
                reactor.onDrained { _, finish in
                    words.wrappingAdd(1, ordering: .relaxed)
                    finish()
                }
                if index == round % 4 { reactor.group?.shutDown() }
            }
            let server = try group.listen(on: address) { session in
                session.onDrain { $0.send(category: 1, data: "goodbye") }
            }
            let peers = try (0..<8).map { _ in try Peer(to: server.address) }
            let isOver = Locked(false)
            let run = Task {
                defer { isOver.withLock { $0 = true } }
                return try await group.run()
            }
            while !isOver.withLock({ $0 }) {
                for peer in peers where peer.drained.isAtEnd { peer.close() }
                try await Task.sleep(for: .milliseconds(1))
            }
            let report = try await run.value
            #expect(words.load(ordering: .relaxed) == 4)
            #expect(report.aborted == 0, "\(report)")
            #expect(peers.allSatisfy { $0.error == 0 && $0.isAtEnd })
        }
    }

    @Test func `what is shut down before it runs ends when it is set up`() async throws {
        let group = ReactorGroup(count: 2)
        try group.listen(on: Bench.unixName()) { _ in }
        group.shutDown()
        let report = try await group.run()
        #expect(report == DrainReport())
        #expect(!group.isReady)
    }

    @Test func `shutDown from a handler drains, and the second stops at once`() async throws {
        let groups = ReactorLocal<ReactorGroup>()
        let running = try RunningGroup(drainingWithin: .seconds(600)) { reactor, _ in
            groups[reactor] = reactor.group
        } sessions: { session in
            session.onPacket { session, packet in
                // A reply that is never given holds the drain.
                _ = session.replyAddress(of: packet)
                if packet.text == "end" { groups[session]?.shutDown() }
            }
        }
        let peers = try await running.connect(3)
        try await RunningGroup.wait { running.group.isReady }
        peers[2].send(wire("end"))
        try await RunningGroup.wait { !running.group.isReady }
        running.group.shutDown()
        let report = try await running.run.value
        #expect(report.closed + report.aborted == 3 && report.unanswered == 1)
        withExtendedLifetime(peers) {}
    }
}

/// A kernel that has only so many threads.
private final class RefusingThreads: FaultyKernel, @unchecked Sendable {
    private let left: Locked<Int>

    init(after count: Int) {
        left = Locked(count)
        super.init()
    }

    override func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        let isRefused = left.withLock { left in
            left -= 1
            return left < 0
        }
        return isRefused ? -Int(EAGAIN) : super.startThread(body)
    }
}
