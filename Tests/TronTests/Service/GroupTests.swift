// Groups on threads of their own: what they serve, tell and add up.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct GroupTests {
    @Test func `sessions are spread over the threads and served, and the drain counts all`()
        async throws
    {
        let running = try RunningGroup()
        let peers = try await running.connect(17)
        let counts = running.server.sessionCounts
        #expect(counts.reduce(0, +) == 17 && counts.max()! - counts.min()! <= 4, "\(counts)")
        for (index, peer) in peers.enumerated() { peer.send(wire("\(index)")) }
        for (index, peer) in peers.enumerated() {
            #expect(peer.read(1) == ["\(index)"])
        }
        let report = try await running.end(peers)
        #expect(report == .closing(17))
        #expect(running.server.sessionCount == 0)
    }

    @Test func `a reactor that stops before all are there ends the others`() async throws {
        let group = ReactorGroup(count: 3) { reactor, index in
            if index == 1 { reactor.stop() }
        }
        #expect(try await group.run() == DrainReport())
    }

    /// Its handler goes on when the others have been served.
    @Test func `a reactor that is blocked in a handler delays no session of the others`()
        async throws
    {
        let isBlocked = Atomic(false)
        let mayGoOn = Atomic(false)
        let running = try RunningGroup(
            on: Bench.unixName(),
            sessions: { session in
                session.onPacket { session, packet in
                    if packet.text == "block" {
                        isBlocked.store(true, ordering: .releasing)
                        while !mayGoOn.load(ordering: .acquiring) { usleep(100) }
                    }
                    session.reply(to: packet, data: packet.data)
                }
            })
        let peers = try await running.connect(6)
        let ids = running.sessions.withLock { $0 }
        let indices = ids.map(running.group.index)
        // Not the first one, which accepts.
        let blocked = try #require(indices.firstIndex(of: 1))
        peers[blocked].send(wire("block"))
        try await RunningGroup.wait { isBlocked.load(ordering: .acquiring) }
        for round in 0..<20 {
            for (peer, index) in zip(peers, indices) where index != 1 {
                peer.send(wire("\(round)"))
                #expect(peer.read(round + 1).last == "\(round)")
            }
        }
        #expect(peers[blocked].drained.texts == [])
        mayGoOn.store(true, ordering: .releasing)
        #expect(peers[blocked].read(1) == ["block"])
        try await running.end(peers)
    }

    @Test func `a session is reached by its name, whichever reactor has it`() async throws {
        let running = try RunningGroup()
        let peers = try await running.connect(6)
        let ids = running.sessions.withLock { $0 }
        for (number, id) in ids.enumerated() {
            #expect(running.group.send(to: id, category: 1, data: "to \(number)") == .accepted)
        }
        for (number, peer) in peers.enumerated() {
            #expect(peer.read(1) == ["to \(number)"])
        }
        let indices = Set(ids.compactMap(running.group.index))
        #expect(indices.isSubset(of: [0, 1, 2]) && indices.count > 1)
        let reached = Locked<SessionID?>(nil)
        let outcome = running.group.submit(to: ids[4]) { session in
            reached.withLock { $0 = session.id }
        }
        #expect(outcome == .accepted)
        try await RunningGroup.wait { reached.withLock { $0 } == ids[4] }
        // One of another reactor, and after the end.
        let bench = try Bench()
        _ = try bench.connect()
        #expect(running.group.send(to: bench.sessions[0].id, category: 1, data: "x") == .stopped)
        #expect(running.group.index(of: bench.sessions[0].id) == nil)
        try await running.end(peers)
        #expect(running.group.send(to: ids[0], category: 1, data: "x") == .stopped)
    }

    @Test func `a request is answered, or refused, from any thread`() async throws {
        let addresses = Locked<[ReplyAddress]>([])
        let running = try RunningGroup(sessions: { session in
            session.onPacket { session, packet in
                let address = session.replyAddress(of: packet)
                addresses.withLock { $0.append(address) }
            }
        })
        let peers = try await running.connect(4)
        for (index, peer) in peers.enumerated() { peer.send(wire("?", sequence: Int32(index))) }
        try await RunningGroup.wait { addresses.withLock { $0.count } == 4 }
        for address in addresses.withLock({ $0 }) {
            let outcome =
                address.sequence == 3
                ? running.group.refuse(address)
                : running.group.reply(to: address, data: "\(address.sequence)")
            #expect(outcome == .accepted)
        }
        for (index, peer) in peers.prefix(3).enumerated() {
            #expect(peer.read(1) == ["\(index)"])
        }
        let report = try await running.end(peers)
        #expect(report == .closing(4))
    }

    @Test func `a broadcast reaches every session of every reactor`() async throws {
        let running = try RunningGroup()
        let peers = try await running.connect(9)
        let outcomes = running.group.broadcast(category: 5, data: "all")
        #expect(outcomes == [.accepted, .accepted, .accepted])
        for peer in peers {
            #expect(peer.read(1) == ["all"])
            #expect(peer.packets[0].category == 5)
        }
        try await running.end(peers)
        #expect(running.group.broadcast(category: 5, data: "") == [.stopped, .stopped, .stopped])
    }

    @Test func `what each reactor has for itself is reached from its sessions`() async throws {
        let rooms = ReactorLocal<SessionGroup>()
        let running = try RunningGroup { reactor, index in
            #expect(reactor.indexInGroup == index && reactor.group != nil)
            #expect(rooms[reactor] == nil)
            rooms[reactor] = reactor.makeGroup()
        } sessions: { session in
            rooms[session]?.add(session)
        }
        let peers = try await running.connect(5)
        let counts = Locked(SendCounts())
        running.group.submitToAll { reactor in
            guard let sent = rooms[reactor]?.send(category: 1, data: "room") else { return }
            counts.withLock { $0.queued += sent.queued }
        }
        for peer in peers { #expect(peer.read(1) == ["room"]) }
        #expect(counts.withLock { $0.queued } == 5)
        try await running.end(peers)
        let alone = try Reactor()
        #expect(alone.group == nil && alone.indexInGroup == nil && rooms[alone] == nil)
    }

    @Test func `the numbers of the reactors add up, also when they have ended`() async throws {
        let running = try RunningGroup()
        let before = await running.group.snapshot()
        #expect(before.reactors.count == 3)
        let peers = try await running.connect(8)
        for peer in peers { peer.send(wire("x")) }
        for peer in peers { #expect(peer.read(1) == ["x"]) }
        let snapshot = await running.group.snapshot()
        #expect(snapshot.reactors.map(\.index) == [0, 1, 2])
        #expect(snapshot.reactors.allSatisfy { $0.hasAnswered })
        #expect(snapshot.reactors.map(\.sessionsOpen) == running.server.sessionCounts)
        #expect(snapshot.total.sessions.open == 8)
        #expect(snapshot.total.sessions.traffic.packetsReceived == 8)
        #expect(snapshot.total.serverTotals.accepted == 8)
        #expect(snapshot.total.servers.map(\.address) == [running.server.address])
        #expect(snapshot.total.servers.map(\.counters.accepted) == [8])
        let handed = snapshot.reactors.reduce(0) { $0 + $1.handedOver }
        #expect(handed == snapshot.total.serverTotals.handedOver)
        #expect(handed == snapshot.reactors.reduce(0) { $0 + $1.takenOver })
        #expect(snapshot.total.lag.count == snapshot.reactors.reduce(0) { $0 + $1.lag.count })
        try await running.end(peers)
        let last = await running.group.snapshot()
        #expect(last.reactors.allSatisfy { !$0.hasAnswered })
        #expect(last.total.serverTotals.accepted == 8 && last.total.sessions.open == 0)
        let since = last.since(snapshot)
        #expect(since.total.serverTotals.accepted == 0 && since.total.sessions.closed.total == 8)
    }

    @Test func `a reactor can ask for the numbers of all, and waits only so long`() throws {
        let bench = try GroupBench()
        bench.kernel.isFrozen = true
        try bench.connect(4)
        var taken: [GroupSnapshot] = []
        let ask = {
            bench.group.snapshot(on: bench.reactors[0], within: .milliseconds(20)) {
                taken.append($0)
            }
        }
        ask()
        #expect(taken.isEmpty)
        try bench.turn(times: 2)
        let first = try #require(taken.first)
        #expect(first.reactors.map(\.hasAnswered) == [true, true, true])
        #expect(first.reactors.map(\.sessionsOpen) == bench.counts)
        #expect(bench.reactors[0].snapshot().liveTimers == 0)
        // One does not turn.
        ask()
        for _ in 0..<3 { for reactor in bench.reactors.dropLast() { try reactor.turn() } }
        #expect(taken.count == 1)
        bench.kernel.advance(.milliseconds(21))
        try bench.reactors[0].turn()
        let second = try #require(taken.last)
        #expect(second.reactors.map(\.hasAnswered) == [true, true, false])
        // Its numbers are those of before, and what it says too late changes nothing.
        #expect(second.reactors[2].lag.count == first.reactors[2].lag.count)
        #expect(second.total.sessions.open == 4)
        try bench.turn(times: 2)
        #expect(taken.count == 2)
    }
}
