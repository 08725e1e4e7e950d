// What a drain reports: which sessions ended by themselves or by a close, and which were aborted.
import Glibc
import Testing

@testable import Tron

@Suite struct DrainReportTests {
    /// A server of so many sessions that wait long for their peers when they close.
    private func bench(sessions count: Int) throws -> (bench: Bench, peers: [Peer]) {
        var options = ServerOptions()
        options.session.limits.closeTimeout = .seconds(600)
        let bench = try Bench(options: options)
        return (bench, try (0..<count).map { _ in try bench.connect() })
    }

    private func report(closed: Int, aborted: Int) -> DrainReport {
        var report = DrainReport()
        report.closed = closed
        report.aborted = aborted
        return report
    }

    @Test func `who ends by itself in the deadline's own turn counts as closed`() throws {
        let (bench, peers) = try bench(sessions: 5)
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(5)) { reports.append($0) }
        try bench.reactor.turn(until: { peers.allSatisfy { $0.drained.isAtEnd } })
        // The deadline is reached, and before it in the same turn two peers' ends are read.
        bench.kernel.isFrozen = true
        bench.kernel.advance(.seconds(5))
        peers[0].finish()
        peers[3].close()
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 5)
        #expect(reports == [report(closed: 2, aborted: 3)])
        #expect(bench.reasons.filter { $0 == .requested }.count == 2)
        #expect(bench.reasons.filter { $0 == .aborted }.count == 3)
    }

    @Test func `when all end in the deadline's own turn nobody counts as aborted`() throws {
        let (bench, peers) = try bench(sessions: 3)
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(5)) { reports.append($0) }
        try bench.reactor.turn(until: { peers.allSatisfy { $0.drained.isAtEnd } })
        bench.kernel.isFrozen = true
        bench.kernel.advance(.seconds(5))
        for peer in peers { peer.finish() }
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 5)
        #expect(reports == [report(closed: 3, aborted: 0)])
    }

    /// Who aborts a session while its server is drained.
    enum Abort: CaseIterable {
        case session, server, otherDrain, handlerOfAnother
    }

    @Test(arguments: Abort.allCases)
    func `who is aborted before the deadline counts as aborted, by whomever`(abort: Abort) throws {
        let (bench, peers) = try bench(sessions: 4)
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(60)) { reports.append($0) }
        peers[0].finish()
        try bench.turnUntilClosed(1)
        switch abort {
        case .session: for session in bench.sessions { session.abort() }
        case .server: bench.server.stop(sessions: .abort)
        case .otherDrain: bench.server.drain(within: .seconds(1)) { _ in }
        case .handlerOfAnother:
            let others = bench.sessions.dropFirst(2)
            bench.sessions[1].onClose { _, reason in
                bench.log.reasons.append(reason)
                for other in others { other.abort() }
            }
            bench.sessions[1].abort()
        }
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports == [report(closed: 1, aborted: 3)])
        #expect(bench.reasons == [.requested, .aborted, .aborted, .aborted])
    }

    @Test func `who ends for a reason of its own during a drain counts as closed`() throws {
        var options = ServerOptions()
        options.session.limits.closeTimeout = .seconds(2)
        let bench = try Bench(options: options)
        let peers = try (0..<3).map { _ in try bench.connect(receiveBuffer: 4096) }
        let session = bench.sessions[2]
        session.send(category: 1, data: [UInt8](repeating: 0, count: 1 << 20))
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(60)) { reports.append($0) }
        peers[0].reset()
        peers[1].finish()
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports == [report(closed: 3, aborted: 0)])
        #expect(bench.reasons.contains(.deadlineExceeded(.close)))
    }

    @Test func `drains that overlap each report what became of the sessions they met`() throws {
        let (bench, peers) = try bench(sessions: 6)
        let server = bench.server
        var reports: [String: [DrainReport]] = [:]
        func drain(_ name: String, within deadline: Duration) {
            server.drain(within: deadline) { reports[name, default: []].append($0) }
        }
        drain("long", within: .seconds(60))
        peers[0].finish()
        try bench.turnUntilClosed(1)
        drain("short", within: .seconds(10))
        peers[1].finish()
        peers[2].finish()
        try bench.turnUntilClosed(3)
        drain("late", within: .seconds(40))
        try bench.reactor.turn(until: { reports.count == 3 })
        try bench.reactor.turn(times: 3)
        #expect(reports["long"] == [report(closed: 3, aborted: 3)])
        #expect(reports["short"] == [report(closed: 2, aborted: 3)])
        #expect(reports["late"] == [report(closed: 0, aborted: 3)])
    }

    @Test func `a drain that begins when another reports has nothing left to do`() throws {
        let (bench, peers) = try bench(sessions: 2)
        let server = bench.server
        var reports: [DrainReport] = []
        server.drain(within: .seconds(1)) { [unowned server] first in
            reports.append(first)
            server.drain(within: .seconds(1)) { reports.append($0) }
        }
        try bench.reactor.turn(until: { reports.count == 2 })
        #expect(reports == [report(closed: 0, aborted: 2), report(closed: 0, aborted: 0)])
        withExtendedLifetime(peers) {}
    }

    @Test func `the reactor's stop ends every drain, and what it cut short counts as aborted`()
        throws
    {
        let (bench, peers) = try bench(sessions: 3)
        // Of two the output has not left when the reactor stops.
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        for session in bench.sessions[1...] { session.send(category: 1, data: "waits") }
        var reports: [DrainReport] = []
        for seconds in [60, 5] {
            bench.server.drain(within: .seconds(seconds)) { reports.append($0) }
        }
        peers[0].finish()
        try bench.turnUntilClosed(1)
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(reports == Array(repeating: report(closed: 1, aborted: 2), count: 2))
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
