// What a reactor does with all its servers and sessions: it finds, tells and drains them.
import Testing

@testable import Tron

@Suite struct ReactorServersTests {
    @Test func `a full queue refuses packets, but neither replies nor what is awaited`() throws {
        var limits = ReactorLimits()
        limits.maximumWaitingWork = 1
        let reactor = try Reactor(limits: limits, kernel: FaultyKernel())
        let remote = reactor.remote
        let id = SessionID(reactor: 0, key: .none)
        let address = ReplyAddress(session: id, sequence: 1, category: 1, debt: .none)
        #expect(remote.submit { _ in } == .accepted)
        #expect(remote.submit { _ in } == .tooMuchWaits && !Submission.tooMuchWaits.isAccepted)
        #expect(remote.send(to: id, category: 1, data: "x") == .tooMuchWaits)
        #expect(remote.broadcast(category: 1, data: "x") == .tooMuchWaits)
        #expect(remote.reply(to: address, data: "x") == .accepted)
        #expect(remote.refuse(address) == .accepted)
        try reactor.turn()
    }

    @Test func `what is sent to a session that has ended from elsewhere is dropped`() throws {
        let bench = try Bench()
        let peers = [try bench.connect(), try bench.connect()]
        let id = bench.sessions[0].id
        bench.sessions[0].abort()
        #expect(bench.reactor.remote.send(to: id, category: 1, data: "x") == .accepted)
        try bench.reactor.turn(times: 3)
        #expect(peers[1].drained.received.isEmpty && bench.reasons == [.aborted])
    }

    @Test func `a broadcast reaches every session of every server and counts them`() throws {
        let bench = try Bench()
        let other = try bench.reactor.listen(on: Bench.unixName()) { _ in }
        let peers = try (0..<3).map { _ in try bench.connect() } + [Peer(to: other.address)]
        try bench.reactor.turn(until: { other.sessionCount == 1 })
        bench.sessions[1].close()
        let http = try bench.reactor.listen(on: Bench.unixName()) { session in
            session.onBytes { _, bytes in bytes.byteCount }
        }
        let scraper = try Peer(to: http.address)
        try bench.reactor.turn(until: { http.sessionCount == 1 })
        #expect(bench.reactor.broadcast(category: 1, data: "all") == 3)
        #expect(bench.server.broadcast(category: 1, data: [UInt8]("some".utf8)) == 2)
        try bench.reactor.turn(times: 3)
        #expect(peers.map { $0.drained.texts.count } == [2, 0, 2, 1])
        #expect(scraper.drained.received.isEmpty)
    }

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

    @Test func `a session's name never names one of another reactor`() throws {
        let benches = [try Bench(), try Bench()]
        let peers = try benches.map { try $0.connect() }
        let ids = benches.map { $0.sessions[0].id }
        #expect(ids[0].key == ids[1].key && ids[0] != ids[1])
        #expect(ids[0].description == ids[1].description && ids[0].description.count < 8)
        for (index, bench) in benches.enumerated() {
            #expect(bench.reactor.session(ids[index]) === bench.sessions[0])
            #expect(bench.reactor.session(ids[1 - index]) == nil)
        }
        let foreign = ReplyAddress(session: ids[1], sequence: 1, category: 1, debt: .none)
        #expect(benches[0].reactor.reply(to: foreign, data: "x") == .closed)
        #expect(!benches[0].reactor.refuse(foreign))
        withExtendedLifetime(peers) {}
    }
}
