// Sums stay exact when servers and clients end before their sessions, and in whatever order.
import Glibc
import Testing

@testable import Tron

@Suite struct SnapshotEndsTests {
    /// Everything that a reactor ever had, to be compared with what it says.
    private final class Everything {
        var sessions: [Session] = []
        var reasons: [CloseReason] = []
        var servers: [Server] = []
        var clients: [Client] = []

        func note(_ session: Session) {
            sessions.append(session)
            session.onClose { [weak self] _, reason in self?.reasons.append(reason) }
        }

        func check(_ snapshot: ReactorSnapshot, _ place: String) {
            let traffic = sessions.reduce(into: Traffic()) { $0.add($1.counters) }
            #expect(snapshot.sessions.traffic == traffic, "\(place)")
            for cause in CloseCause.allCases {
                let count = reasons.count { $0.cause == cause }
                #expect(snapshot.sessions.closed[cause] == count, "\(place): \(cause)")
            }
            #expect(snapshot.sessions.open == sessions.count - reasons.count, "\(place)")
            let queued = sessions.reduce(0) { $0 + $1.queuedBytes }
            #expect(snapshot.sessions.queuedBytes == queued, "\(place)")
            let served = servers.reduce(into: ServerCounters()) { $0.add($1.counters) }
            #expect(snapshot.serverTotals == served, "\(place)")
            let asked = clients.reduce(into: ClientCounters()) { $0.add($1.counters) }
            #expect(snapshot.clientTotals == asked, "\(place)")
        }
    }

    @Test func `what sessions do after their server and client have ended is in the sums`() throws {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let all = Everything()
        let server = try reactor.listen(on: Bench.unixName()) { all.note($0) }
        let client = reactor.makeClient(to: [server.address]) { all.note($0) }
        (all.servers, all.clients) = ([server], [client])
        try reactor.turn(until: { all.sessions.count == 2 && client.session != nil })
        kernel.isFrozen = true
        let ends = all.sessions
        // More than the kernel holds, in both directions, and nobody reads.
        for session in ends {
            session.pauseReading()
            for _ in 0..<10 {
                session.send(category: 1, data: [UInt8](repeating: 7, count: 60_000))
            }
        }
        try reactor.turn(times: 3)
        all.check(reactor.snapshot(), "before the ends")
        let before = reactor.snapshot().sessions.traffic
        server.stop()
        client.close()
        try reactor.turn(times: 2)
        // The server still has its session.
        #expect(reactor.snapshot().servers.count == 1 && reactor.snapshot().clients.isEmpty)
        all.check(reactor.snapshot(), "after the ends")
        // What closes discards what it reads: output moves again.
        try reactor.turn(until: {
            all.check(reactor.snapshot(), "while the sessions end")
            return all.reasons.count == 2
        })
        let since = reactor.snapshot().sessions.traffic.since(before)
        #expect(reactor.snapshot().servers.isEmpty && reactor.servers.isEmpty)
        #expect(since.bytesReceived > 0 && since.bytesSent > 0)
        all.check(reactor.snapshot(), "after all")
        client.request(category: 1, data: "late") { _ in }
        try reactor.turn()
        #expect(client.counters.requestsFailed == 1)
        all.check(reactor.snapshot(), "after a late request")
    }

    /// At random: servers, clients, sessions and requests come and go in any order.
    @Test func `the sums are those of all that there ever was, whatever ends first`() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let reactor = try Reactor(kernel: FaultyKernel())
        let all = Everything()
        var names: [String] = []
        func any<Element>(_ elements: [Element]) -> Element? {
            elements.randomElement(using: &generator)
        }
        for step in 0..<600 {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0:
                names.append(Bench.unixName())
                let server = try reactor.listen(on: names[names.count - 1]) { session in
                    all.note(session)
                    session.onPacket { session, packet in
                        if packet.category == 2 { session.reply(to: packet, data: packet.data) }
                    }
                }
                all.servers.append(server)
            case 1:
                guard let name = any(names) else { continue }
                all.clients.append(reactor.makeClient(to: name) { all.note($0) })
            case 2, 3:
                let isAnswered = Bool.random(using: &generator)
                any(all.clients)?.request(
                    category: isAnswered ? 2 : 1, data: "question", timeout: .seconds(2),
                    isRepeatable: Bool.random(using: &generator)
                ) { _ in }
            case 4:
                any(all.sessions)?.send(category: 1, data: [UInt8](repeating: 7, count: 90_000))
            case 5: any(all.sessions)?.pauseReading()
            case 6: any(all.sessions)?.resumeReading()
            case 7: any(all.sessions)?.close()
            case 8: any(all.sessions)?.abort()
            case 9: if step % 3 == 0 { any(all.servers)?.stop() }
            case 10: if step % 3 == 0 { any(all.clients)?.close() }
            default:
                try reactor.turn(times: 2)
                all.check(reactor.snapshot(), "step \(step), seed \(RandomRun.seed)")
            }
        }
        try reactor.turn(times: 20)
        all.check(reactor.snapshot(), "seed \(RandomRun.seed)")
        #expect(all.sessions.count > 20 && !all.reasons.isEmpty)
        reactor.stop()
        try reactor.run()
        all.check(reactor.snapshot(), "after the reactor's end, seed \(RandomRun.seed)")
    }
}
