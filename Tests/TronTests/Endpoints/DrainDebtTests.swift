// A drain waits for the replies that are owed, no longer than its deadline, and says what it lost.
import Glibc
import Testing

@testable import Tron

@Suite struct DrainDebtTests {
    private func report(closed: Int, aborted: Int, unanswered: Int) -> DrainReport {
        var report = DrainReport()
        report.closed = closed
        report.aborted = aborted
        report.unanswered = unanswered
        return report
    }

    @Test func `a session that owes is closed with its last reply, which arrives`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 2)
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        try bench.reactor.turn(times: 3)
        #expect(bench.session.isOpen && !peer.drained.isAtEnd)
        bench.reactor.reply(to: bench.addresses[1], data: "late")
        try bench.reactor.turn(times: 3)
        #expect(bench.session.isOpen)
        bench.reactor.reply(to: bench.addresses[0], data: "last")
        #expect(!bench.session.isOpen)
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == ["late", "last"])
        peer.finish()
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports == [report(closed: 1, aborted: 0, unanswered: 0)])
        #expect(bench.bench.reasons == [.requested])
    }

    @Test func `a refused reply ends the waiting as well`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 1)
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        #expect(bench.reactor.refuse(bench.addresses[0]))
        peer.finish()
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 20)
        #expect(reports == [report(closed: 1, aborted: 0, unanswered: 0)])
    }

    @Test func `replies that never come cost the deadline and are reported`() throws {
        let bench = try DebtBench()
        let peers = [try bench.connect(asking: 3), try bench.connect(asking: 0)]
        bench.reactor.reply(to: bench.addresses[0], data: "one")
        var reports: [(report: DrainReport, time: Int64)] = []
        let start = bench.bench.kernel.now()
        bench.bench.server.drain(within: .seconds(5)) {
            reports.append(($0, bench.bench.kernel.now()))
        }
        peers[1].finish()
        bench.bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports[0].report == report(closed: 1, aborted: 1, unanswered: 2))
        #expect(reports[0].time - start >= 5_000_000_000)
        #expect(bench.reactor.reply(to: bench.addresses[1], data: "too late") == .closed)
        #expect(
            "\(reports[0].report)" == "1 closed, 1 aborted, 2 replies not given")
    }

    @Test func `who ends by itself while it owes counts as closed and unanswered`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 4)
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        peer.reset()
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 20)
        #expect(reports == [report(closed: 1, aborted: 0, unanswered: 4)])
    }

    @Test func `what no handler has seen when the drain comes is not delivered`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 1)
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        for _ in 0..<3 { peer.send(wire("late")) }
        try bench.reactor.turn(times: 5)
        bench.session.resumeReading()
        try bench.reactor.turn(times: 5)
        bench.reactor.reply(to: bench.addresses[0], data: "one")
        peer.finish()
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 20)
        #expect(bench.bench.texts == ["0"])
        #expect(peer.drained.texts == ["one"])
        #expect(reports == [report(closed: 1, aborted: 0, unanswered: 0)])
    }

    @Test func `a drain in the middle of a batch answers the batch, not what comes after`() throws {
        var addresses: [ReplyAddress] = []
        var reports: [DrainReport] = []
        var server: Server?
        let bench = try Bench { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                addresses.append(session.replyAddress(of: packet))
                guard packet.text == "2" else { return }
                server?.drain(within: .seconds(60)) { reports.append($0) }
            }
        }
        server = bench.server
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        peer.send((0..<6).flatMap { wire("\($0)") })
        try bench.reactor.turn(until: { addresses.count == 6 })
        try bench.reactor.turn(times: 5)
        peer.send(wire("6"))
        try bench.reactor.turn(times: 5)
        for address in addresses.reversed() { bench.reactor.reply(to: address, data: "a") }
        peer.finish()
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 20)
        #expect(bench.texts == ["0", "1", "2", "3", "4", "5"])
        #expect(peer.drained.texts.count == 6)
        #expect(reports == [report(closed: 1, aborted: 0, unanswered: 0)])
        server = nil
    }

    @Test func `a peer that has finished still gets what it is owed`() throws {
        var options = ServerOptions()
        options.session.allowsHalfClose = true
        let bench = try DebtBench(options: options)
        let peer = try bench.connect(asking: 1)
        peer.finish()
        try bench.reactor.turn(times: 3)
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        try bench.reactor.turn(times: 3)
        #expect(reports.isEmpty)
        bench.reactor.reply(to: bench.addresses[0], data: "one")
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 20)
        #expect(peer.drained.texts == ["one"] && peer.isAtEnd)
    }

    @Test func `overlapping drains wait for the same replies, and each reports them`() throws {
        let bench = try DebtBench { session, log in
            session.onDrain { _ in log.notes.append("told") }
        }
        let peers = [try bench.connect(asking: 2), try bench.connect(asking: 1)]
        var reports: [String: DrainReport] = [:]
        bench.bench.server.drain(within: .seconds(60)) { reports["long"] = $0 }
        bench.bench.server.drain(within: .seconds(5)) { reports["short"] = $0 }
        bench.reactor.reply(to: bench.addresses[2], data: "one")
        peers[1].finish()
        bench.bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { reports.count == 2 })
        let both = report(closed: 1, aborted: 1, unanswered: 2)
        #expect(reports == ["long": both, "short": both])
        #expect(bench.bench.log.notes == ["told", "told"])
    }

    @Test func `the reactor's stop in the middle of a drain reports what was owed`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 3)
        bench.reactor.reply(to: bench.addresses[0], data: "one")
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        try bench.reactor.turn()
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(reports == [report(closed: 0, aborted: 1, unanswered: 2)])
        #expect(peer.drained.texts == ["one"])
    }

    @Test func `a client that answers need stays usable until its sessions are drained`() throws {
        let backend = Bench.unixName()
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let elsewhere = try reactor.listen(on: backend) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: "from behind") }
        }
        let client = reactor.makeClient(to: backend)
        var asked = 0
        let server = try reactor.listen(on: Bench.unixName()) { session in
            session.onPacket { session, packet in
                let address = session.replyAddress(of: packet)
                asked += 1
                // The answer is asked for only when the drain goes on.
                reactor.schedule(after: .milliseconds(50)) {
                    client.request(category: 1, data: "what?") { outcome in
                        guard case .answered(let packet) = outcome else { return }
                        reactor.reply(to: address, data: packet.text)
                    }
                }
            }
        }
        let peer = try Peer(to: server.address)
        for number in 0..<10 { peer.send(wire("\(number)")) }
        try reactor.turn(until: { asked == 10 })
        var reports: [DrainReport] = []
        server.drain(within: .seconds(30)) { reports.append($0) }
        try reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == Array(repeating: "from behind", count: 10))
        peer.finish()
        try reactor.turn(until: { !reports.isEmpty })
        #expect(reports == [report(closed: 1, aborted: 0, unanswered: 0)])
        #expect(client.state == .connected)
        client.close()
        elsewhere.stop()
        try reactor.turn(times: 3)
    }
}
