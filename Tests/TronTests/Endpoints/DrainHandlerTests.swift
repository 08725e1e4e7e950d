// Who is told of a drain, when and how often, and what its handler may do.
import Glibc
import Testing

@testable import Tron

@Suite struct DrainHandlerTests {
    /// Turns until there is a report.
    private func drain(
        _ bench: Bench, within deadline: Duration = .seconds(60), spread: Duration = .zero
    ) throws -> DrainReport {
        var reports: [DrainReport] = []
        bench.server.drain(within: deadline, spread: spread) { reports.append($0) }
        try bench.reactor.turn(until: { !reports.isEmpty })
        return try #require(reports.first)
    }

    @Test func `the handler says goodbye, and its packet is the last`() throws {
        let bench = try Bench { session, log in
            session.onDrain { session in
                log.notes.append("told")
                session.send(category: 9, data: "goodbye")
            }
        }
        let peer = try bench.connect()
        peer.finish()
        bench.sessions[0].pauseReading()
        let report = try drain(bench)
        #expect(peer.drained.texts == ["goodbye"] && peer.isAtEnd)
        #expect(bench.log.notes == ["told"] && report.closed == 1)
    }

    /// What a handler of a drain may do to its session.
    enum Deed: CaseIterable {
        case close, abort, closeWriting, drainAgain, stopServer, replyToLast
    }

    @Test(arguments: Deed.allCases)
    func `the handler may do anything, and is called once`(deed: Deed) throws {
        var reports: [DrainReport] = []
        var addresses: [ReplyAddress] = []
        var server: Server?
        var reactor: Reactor?
        let bench = try Bench { session, log in
            session.onPacket { session, packet in
                addresses.append(session.replyAddress(of: packet))
            }
            session.onDrain { session in
                log.notes.append("told")
                switch deed {
                case .close: session.close()
                case .abort: session.abort()
                case .closeWriting: session.closeWriting()
                case .drainAgain: server?.drain(within: .seconds(5)) { reports.append($0) }
                case .stopServer: server?.stop()
                case .replyToLast:
                    reactor?.reply(to: addresses[0], data: "answer")
                    #expect(session.send(category: 1, data: "goodbye") == .queued)
                }
            }
        }
        (server, reactor) = (bench.server, bench.reactor)
        let peer = try bench.connect()
        peer.send(wire("owed"))
        try bench.reactor.turn(until: { addresses.count == 1 })
        bench.kernel.isFrozen = true
        bench.server.drain(within: .seconds(5)) { reports.append($0) }
        try bench.reactor.turn(times: 3)
        peer.finish()
        let count = deed == .drainAgain ? 2 : 1
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { reports.count == count })
        try bench.reactor.turn(times: 2)
        #expect(bench.log.notes == ["told"] && reports.count == count)
        let isAborted = deed == .abort || deed == .drainAgain
        for report in reports {
            #expect(report.closed == (isAborted ? 0 : 1) && report.aborted == (isAborted ? 1 : 0))
            #expect(report.unanswered == (deed == .replyToLast ? 0 : 1))
        }
        if deed == .replyToLast { #expect(peer.drained.texts == ["answer", "goodbye"]) }
        (server, reactor) = (nil, nil)
    }

    @Test func `who closes already, or has ended, is not told`() throws {
        let bench = try Bench { session, log in
            session.onDrain { _ in log.notes.append("told") }
        }
        let peers = try (0..<3).map { _ in try bench.connect() }
        bench.sessions[0].close()
        bench.sessions[1].abort()
        bench.sessions[1].onDrain { _ in bench.log.notes.append("never") }
        for peer in peers { peer.finish() }
        _ = try drain(bench)
        #expect(bench.log.notes == ["told"])
        bench.sessions[2].onDrain { _ in bench.log.notes.append("never") }
        _ = try drain(bench)
        #expect(!bench.log.notes.contains("never"))
    }

    @Test func `a spread tells sessions one after another, and the others go on as before`() throws
    {
        let bench = try Bench { session, log in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            session.onDrain { _ in log.notes.append("told") }
        }
        let peers = try (0..<10).map { _ in try bench.connect() }
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(20), spread: .seconds(10)) { reports.append($0) }
        #expect(bench.log.notes.isEmpty)
        try bench.reactor.turn()
        #expect(bench.log.notes.count == 1)
        let half = bench.kernel.now() + 5_000_000_000
        try bench.reactor.turn(until: { bench.kernel.now() >= half })
        bench.kernel.isFrozen = true
        #expect((5...7).contains(bench.log.notes.count))
        let open = bench.sessions.indices.filter { bench.sessions[$0].isOpen }
        for index in open { peers[index].send(wire("still here")) }
        try bench.reactor.turn(times: 3)
        for index in open { #expect(peers[index].drained.texts == ["still here"]) }
        for peer in peers { peer.finish() }
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports[0].closed == 10 && reports[0].aborted == 0)
    }

    @Test func `a server that has stopped listening keeps its sessions and can be drained`() throws
    {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 1)
        let server = bench.bench.server
        server.stopListening()
        server.stopListening()
        try bench.reactor.turn(times: 3)
        #expect(server.sessionCount == 1)
        #expect(bench.reactor.servers.map(\.address) == [server.address])
        #expect(throws: SystemError.self) { try Peer(to: server.address) }
        peer.send(wire("still served"))
        try bench.reactor.turn(until: { bench.addresses.count == 2 })
        for address in bench.addresses { bench.reactor.reply(to: address, data: "yes") }
        peer.finish()
        var reports: [DrainReport] = []
        server.drain(within: .seconds(5)) { reports.append($0) }
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(peer.drained.texts == ["yes", "yes"] && reports[0].closed == 1)
        #expect(bench.reactor.servers.isEmpty)
    }
}
