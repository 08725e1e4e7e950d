// The reactors of a group drain together: which one waits for which, and for how long.
import Glibc
import Testing

@testable import Tron

@Suite struct GroupTogetherTests {
    /// Two reactors that are draining, of which one has nothing left to do. The other owes a reply.
    private func drainingBench() throws -> (bench: GroupBench, idle: Int, busy: Int) {
        let bench = try GroupBench(count: 2) { session, _ in
            session.onPacket { session, packet in _ = session.replyAddress(of: packet) }
        }
        bench.kernel.isFrozen = true
        try bench.connect(1)
        bench.peers[0].send(wire("question"))
        let busy = try #require(bench.reactors.indices.first { bench.counts[$0] == 1 })
        try bench.turn(until: { bench.logs[busy].sessions[0].owedReplyCount == 1 })
        bench.group.shutDown()
        try pass(seconds: 3, in: bench)
        #expect(bench.isRunning)
        return (bench, 1 - busy, busy)
    }

    private func pass(seconds: Int, in bench: GroupBench) throws {
        for _ in 0..<(10 * seconds) {
            bench.kernel.advance(.milliseconds(100))
            try bench.turn(times: 2)
        }
    }

    @Test func `a reactor that has drained makes the replies that others owe`() throws {
        let addresses = Locked<[ReplyAddress]>([])
        let bench = try GroupBench(count: 2) { session, _ in
            session.onPacket { session, packet in
                let address = session.replyAddress(of: packet)
                addresses.withLock { $0.append(address) }
            }
        }
        bench.kernel.isFrozen = true
        try bench.connect(1)
        bench.peers[0].send(wire("question"))
        try bench.turn(until: { addresses.withLock { $0.count } == 1 })
        let idle = try #require(bench.reactors.indices.first { bench.counts[$0] == 0 })
        bench.group.shutDown()
        for _ in 0..<30 {
            bench.kernel.advance(.milliseconds(100))
            try bench.turn(times: 2)
        }
        #expect(bench.isRunning)
        let submission = bench.reactors[idle].submit { [group = bench.group] _ in
            for address in addresses.withLock({ $0 }) { group.reply(to: address, data: "answer") }
        }
        #expect(submission.isAccepted)
        try bench.turn(until: { bench.peers[0].drained.isAtEnd })
        #expect(bench.peers[0].texts == ["answer"])
        bench.peers[0].close()
        try bench.turn(until: { bench.hasEnded })
        bench.check()
    }

    @Test func `one that stops is not waited for`() throws {
        let (bench, idle, busy) = try drainingBench()
        bench.reactors[busy].stop()
        try bench.turn(times: 10)
        #expect(bench.reactors[idle].isFinished && bench.reactors[busy].isFinished)
    }

    @Test func `one that had stopped before is not waited for either`() throws {
        let bench = try GroupBench(count: 2)
        bench.kernel.isFrozen = true
        bench.reactors[1].stop()
        try bench.turn(times: 3)
        #expect(bench.reactors[1].isFinished)
        bench.group.shutDown()
        try pass(seconds: 3, in: bench)
        #expect(bench.hasEnded)
    }

    @Test func `a second request stops also the one that waits`() throws {
        let (bench, _, _) = try drainingBench()
        bench.group.shutDown()
        try bench.turn(times: 3)
        #expect(bench.hasEnded)
    }

    @Test func `one that does not turn any more keeps no other beyond the deadline`() throws {
        let (bench, idle, busy) = try drainingBench()
        bench.kernel.advance(.seconds(4))
        for _ in 0..<5 { _ = try bench.reactors[idle].step() }
        #expect(!bench.reactors[idle].remote.isEnding)
        bench.kernel.advance(.seconds(2))
        for _ in 0..<5 { _ = try bench.reactors[idle].step() }
        #expect(bench.reactors[idle].remote.isEnding)
        #expect(!bench.reactors[busy].remote.isEnding)
    }
}
