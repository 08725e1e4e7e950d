// Drains of whole reactors: what they report, and what they keep.
import Testing

@testable import Tron

@Suite struct ReactorDrainTests {
    @Test func `a drain of the reactor sums its servers' reports and stops it`() throws {
        let bench = try DebtBench()
        let other = try bench.reactor.listen(on: Bench.unixName()) { _ in }
        let peers = [try bench.connect(asking: 2), try Peer(to: other.address)]
        try bench.reactor.turn(until: { other.sessionCount == 1 })
        #expect(bench.reactor.servers.count == 2)
        var reports: [DrainReport] = []
        bench.reactor.drain(within: .seconds(2)) { reports.append($0) }
        for server in [bench.bench.server, other] { #expect(!server.accepting.isListening) }
        peers[1].finish()
        bench.bench.kernel.isFrozen = false
        // Its end is what `run()` waits for.
        try bench.reactor.run()
        #expect(reports.count == 1)
        #expect(reports.first?.closed == 1 && reports.first?.aborted == 1)
        #expect(reports.first?.unanswered == 2)
    }

    @Test func `a drain of a reactor without servers stops it in its turn`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        var reports: [DrainReport] = []
        reactor.drain(within: .seconds(60)) { reports.append($0) }
        try reactor.run()
        #expect(reports == [DrainReport()])
        reactor.drain(within: .seconds(60)) { reports.append($0) }
        #expect(reports.count == 2 && reactor.servers.isEmpty)
    }

    @Test func `a drain keeps no reactor alive`() throws {
        var reactor: Reactor? = try Reactor(kernel: FaultyKernel())
        weak var kept = reactor
        let server = try reactor?.listen(on: Bench.unixName()) { _ in }
        let peer = try Peer(to: #require(server).address)
        try reactor?.turn(until: { server?.sessionCount == 1 })
        var reports: [DrainReport] = []
        reactor?.drain(within: .seconds(60)) { reports.append($0) }
        reactor = nil
        #expect(kept == nil && reports.count == 1)
        withExtendedLifetime(peer) {}
    }
}
