// Sums are right: what a test did, every counter at every level tells.
import Glibc
import Testing

@testable import Tron

@Suite struct SnapshotTests {
    /// Peers that do at random all that peers do. The test counts by what the handlers and the
    /// peers saw.
    @Test func `counters of sessions, server and reactor are what was done`() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        var options = ServerOptions()
        options.limits.maximumSessions = 20
        options.session.limits.maximumDataLength = 1000
        let bench = try Bench(options: options) { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                if session.send(category: 1, data: packet.text + packet.text) == .queued {
                    log.notes.append(packet.text + packet.text)
                } else {
                    log.notes.append("refused")
                }
            }
        }
        var peers: [Peer] = []
        var sent = 0
        var gone = 0
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<3: peers.append(try Peer(to: bench.server.address))
            case 3..<8:
                guard let peer = peers.randomElement(using: &generator) else { continue }
                let length = Int.random(in: 0...1000, using: &generator)
                sent += max(0, peer.send(wire(String(repeating: "x", count: length))))
            case 8:
                guard let peer = peers.popLast() else { continue }
                // All that reached it is counted before it goes.
                try bench.reactor.turn(times: 5)
                peer.drain()
                gone += peer.received.count
                if Bool.random(using: &generator) { peer.reset() } else { peer.finish() }
                try bench.reactor.turn(times: 5)
            default: try bench.reactor.turn(times: 3)
            }
        }
        try bench.reactor.turn(times: 50)
        for peer in peers { peer.drain() }

        let delivered = peers.reduce(gone) { $0 + $1.received.count }
        check(bench, sent: sent, delivered: delivered)
    }

    private func check(_ bench: Bench, sent: Int, delivered: Int) {
        let snapshot = bench.reactor.snapshot()
        let server = bench.server.snapshot()
        #expect(server.sessions == snapshot.sessions, "seed \(RandomRun.seed)")
        let totals = server.sessions
        let refused = bench.log.notes.filter { $0 == "refused" }.count
        #expect(totals.traffic.packetsReceived == bench.texts.count)
        #expect(totals.traffic.packetsSent == bench.log.notes.count - refused)
        #expect(totals.traffic.packetsRefused == refused)
        #expect(totals.traffic.bytesSent == delivered, "seed \(RandomRun.seed)")
        // A refused peer's bytes are lost with its connection.
        #expect(totals.traffic.bytesReceived <= sent)
        if server.counters.refusedByLimit == 0 { #expect(totals.traffic.bytesReceived == sent) }

        #expect(totals.open == bench.server.sessionCount)
        #expect(totals.opened == server.counters.accepted)
        #expect(server.counters.accepted == bench.sessions.count)
        for cause in CloseCause.allCases {
            #expect(totals.closed[cause] == bench.reasons.filter { $0.cause == cause }.count)
        }
        #expect(totals.queuedBytes == 0)
        #expect(snapshot.serverTotals == bench.server.counters)
        #expect(snapshot.systemCalls == bench.kernel.allCalls)
        let each = bench.sessions.reduce(into: Traffic()) { $0.add($1.counters) }
        #expect(each.packetsReceived == totals.traffic.packetsReceived)
        #expect(each.bytes == totals.traffic.bytes)
    }

    @Test func `what a slow reader lets wait shows now, and at its most afterwards`() throws {
        let bench = try Bench()
        let peer = try bench.connect(receiveBuffer: 4096)
        let session = bench.sessions[0]
        let data = [UInt8](repeating: 7, count: 1 << 20)
        session.send(category: 1, data: data)
        try bench.reactor.turn(times: 3)
        let full = bench.reactor.snapshot().sessions
        #expect(full.queuedBytes == session.queuedBytes && full.queuedBytes > 0)
        // The kernel was given the packet from where its data lay; only the rest waited.
        let most = full.largestQueue
        #expect(full.queuedBytes <= most && most < data.count)
        try bench.reactor.turn(until: {
            peer.drain()
            return session.queuedBytes == 0
        })
        let empty = bench.reactor.snapshot().sessions
        #expect(empty.queuedBytes == 0)
        #expect(empty.largestQueue == most && session.largestQueuedBytes == most)
    }

    @Test func `what waited behind a blocked write counts, too, also when it is dropped`() throws {
        var options = SessionOptions()
        options.limits.maximumQueuedBytes = 2 << 20
        let bench = try Bench(session: options)
        let peer = try bench.connect(receiveBuffer: 4096)
        let session = bench.sessions[0]
        let data = [UInt8](repeating: 7, count: 1 << 20)
        session.send(category: 1, data: data)
        try bench.reactor.turn(times: 3)
        let isBlocked = session.outbound.isBlocked
        #expect(isBlocked)
        let blocked = session.queuedBytes
        session.send(category: 1, data: data)
        #expect(session.largestQueuedBytes == blocked + data.count + 11)
        #expect(session.send(category: 1, data: data) == .overflow)
        try bench.turnUntilClosed()
        let largest = bench.reactor.snapshot().sessions.largestQueue
        #expect(largest == blocked + data.count + 11)
        _ = peer
    }

    @Test func `a close handler sees what was refused`() throws {
        var seen: [Int] = []
        let bench = try Bench { session, log in
            session.onClose { session, reason in
                seen.append(session.counters.packetsRefused)
                log.reasons.append(reason)
            }
        }
        let peer = try bench.connect()
        bench.sessions[0].close()
        bench.sessions[0].send(category: 1, data: "late")
        peer.finish()
        try bench.turnUntilClosed()
        #expect(seen == [1])
    }

    @Test func `what a closed client refuses counts with all that clients did`() throws {
        let bench = try ClientBench()
        bench.client.close()
        try bench.reactor.turn(times: 2)
        bench.ask("too late")
        try bench.turnUntilEnded()
        #expect(bench.client.counters.requestsFailed == 1)
        #expect(bench.reactor.snapshot().clientTotals == bench.client.counters)
    }

    @Test func `refused packets count, whatever they are refused for`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 1000
        options.limits.maximumQueuedBytes = 2000
        options.limits.outputHighWatermark = 2000
        options.limits.outputLowWatermark = 2000
        options.overflow = .refuse
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let session = bench.sessions[0]
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        #expect(session.send(category: 1, data: [UInt8](repeating: 0, count: 1001)) == .tooLarge)
        #expect(session.send(category: 1, data: [UInt8](repeating: 0, count: 1000)).isQueued)
        #expect(session.send(category: 1, data: [UInt8](repeating: 0, count: 1000)) == .overflow)
        bench.kernel.fault = { _, _, _ in nil }
        session.close()
        #expect(session.send(category: 1, data: "late") == .closed)
        #expect(session.send(bytes: "late") == .closed)
        #expect(session.counters.packetsRefused == 4)
        bench.kernel.fault = { _, _, _ in nil }
        peer.finish()
        try bench.turnUntilClosed()
        let totals = bench.reactor.snapshot().sessions
        #expect(totals.traffic.packetsRefused == 4)
        #expect(totals.traffic.packetsSent == 1)
        #expect(session.send(category: 1, data: "too late") == .closed)
        #expect(bench.reactor.snapshot().sessions == totals)
    }

    @Test func `a client's requests each count once, whatever becomes of them`() throws {
        let bench = try ClientBench { $0.timeoutsBeforeReconnect = nil }
        bench.ask("answered")
        try bench.turnUntilEnded()
        bench.log.answers = false
        bench.ask("timed out", timeout: .seconds(1))
        try bench.turnUntilEnded(2)
        bench.peer?.send(sequence: bench.log.requests[1].sequence, category: 7, data: "late")
        bench.ask("lost", timeout: .seconds(60))
        try bench.reactor.turn(until: { bench.client.counters.lateAnswers == 1 })
        bench.peer?.abort()
        try bench.turnUntilEnded(3)
        bench.ask(String(repeating: "large", count: 1 << 20))
        try bench.turnUntilEnded(4)
        try bench.reactor.turn(until: { bench.client.state.isConnected })

        let snapshot = bench.reactor.snapshot()
        #expect(snapshot.clients.count == 1)
        let client = snapshot.clients[0]
        #expect(client.counters == snapshot.clientTotals)
        #expect(client.counters.requestsSent == 3)
        #expect(client.counters.requestsAnswered == 1)
        #expect(client.counters.requestsTimedOut == 1)
        #expect(client.counters.requestsFailed == 2)
        #expect(client.counters.reconnects == 1)
        #expect(client.counters.connections == 2)
        #expect(client.pendingRequests == 0)
        #expect(client.sessions.closed.total == 1 && client.sessions.open == 1)
        #expect(client.state.isConnected)
        #expect(client.target == bench.address)
        bench.client.close()
        try bench.reactor.turn(times: 5)
        #expect(bench.reactor.snapshot().clients.isEmpty)
        #expect(bench.reactor.snapshot().clientTotals == client.counters)
    }

    @Test func `a server's numbers stay with the reactor when it is gone`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        peer.send(wire("one"))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        let counters = bench.server.counters
        bench.server.stop(sessions: .abort)
        try bench.turnUntilClosed()
        try bench.reactor.turn(times: 2)
        let snapshot = bench.reactor.snapshot()
        #expect(snapshot.servers.isEmpty)
        #expect(snapshot.serverTotals == counters)
        #expect(snapshot.sessions.closed[.aborted] == 1)
        #expect(snapshot.sessions.traffic.packetsReceived == 1)
    }
}
