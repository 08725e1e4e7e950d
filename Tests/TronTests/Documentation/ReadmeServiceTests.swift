// How the README's programs end, are supervised, and serve on one core or on all.
import Glibc
import Testing

@testable import Tron

@Suite struct ReadmeServiceTests {
    /// In a process of its own, which the signal would end.
    @Test func `a signal drains the reactor, and its run returns`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let reactor = try Reactor()
            try reactor.listen(on: Bench.unixName()) { _ in }
            var reports: [DrainReport] = []
            let log: (DrainReport) -> Void = { reports.append($0) }
            // snippet: ending
            var isEnding = false
            try reactor.onSignal(.interrupt, .terminate) { _ in
                if isEnding { return reactor.stop() }
                isEnding = true
                reactor.drain(within: .seconds(8)) { report in log(report) }
            }
            // end
            kill(getpid(), SIGTERM)
            try reactor.run()
            exit(reports == [DrainReport()] ? 7 : 1)
        }
    }

    @Test func `the broker hears the last word of a reactor that drains`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let broker = try Bench { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                session.reply(to: packet, data: "")
            }
        }
        let client = reactor.makeClient(to: broker.server.address.description)
        func turn() throws -> Bool {
            try broker.reactor.turn()
            return try reactor.step()
        }
        while try client.session == nil && turn() {}
        // snippet: farewell
        reactor.onDrained { report, finish in
            client.request(category: 1, data: "leaving", timeout: .milliseconds(500)) { _ in
                finish()
            }
        }
        // end
        reactor.drain(within: .seconds(8))
        while try turn() {}
        #expect(broker.texts == ["leaving"])
    }

    @Test func `a program that is to be handed its listener says when it is not`() throws {
        func serve() throws {
            let reactor = try Reactor()
            // snippet: supervisor
            let inherited = try InheritedListeners.take()
            try reactor.listen(on: inherited.claim("echo")) { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
            if let supervisor = try Supervisor.ofThisProcess() { reactor.report(to: supervisor) }
            // end
        }
        #expect(throws: SupervisorError.noListener(named: "echo")) { try serve() }
    }

    @Test func `the service serves until it is shut down`() async throws {
        let address = Bench.unixName()
        // snippet: service
        let service = ReactorService(drainingWithin: .seconds(8)) { reactor in
            try reactor.listen(on: address) { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
        }
        // end
        let run = Task { try await service.run() }
        var peer: Peer?
        for _ in 0..<10_000 where peer == nil {
            peer = try? Peer(to: SocketAddress(address))
            try await Task.sleep(for: .milliseconds(1))
        }
        peer?.send(wire("ping"))
        for _ in 0..<10_000 where peer?.drained.texts.isEmpty == true {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(peer?.texts == ["ping"])
        service.shutDown()
        peer?.finish()
        try await run.value
    }

    @Test func `a group has a room on every core`() async throws {
        let address = Bench.unixName()
        // snippet: every core
        let rooms = ReactorLocal<SessionGroup>()
        let group = ReactorGroup(count: .cores) { reactor, _ in
            rooms[reactor] = reactor.makeGroup()
        }
        try group.listen(on: address) { session in
            rooms[session]?.add(session)
            session.onPacket { _, packet in
                let text = packet.text
                group.submitToAll { reactor in rooms[reactor]?.send(category: 1, data: text) }
            }
        }
        // end
        let run = Task { try await group.run() }
        try await RunningGroup.wait { group.isReady }
        let peer = try Peer(to: SocketAddress(address))
        peer.send(wire("all"))
        #expect(peer.read(1) == ["all"])
        run.cancel()
        peer.finish()
        _ = try await run.value
    }

    @Test func `the group sends what one session says to those of all reactors`() async throws {
        let address = Bench.unixName()
        // snippet: group
        let rooms = ReactorLocal<SessionGroup>()
        let group = ReactorGroup(count: .cores, drainingWithin: .seconds(8)) { reactor, _ in
            rooms[reactor] = reactor.makeGroup()
        }
        try group.listen(on: address) { session in
            rooms[session]?.add(session)
            session.onPacket { session, packet in
                let text = packet.text
                group.submitToAll { reactor in rooms[reactor]?.send(category: 1, data: text) }
            }
        }
        // end
        let run = Task { try await group.run() }
        let peers = try (0..<4).map { _ in try Peer(to: SocketAddress(address)) }
        try await RunningGroup.wait { group.isReady }
        // Each is in a room once it has an answer.
        for (index, peer) in peers.enumerated() {
            peer.send(wire("\(index)"))
            #expect(peer.read(1).isEmpty == false)
        }
        peers[3].send(wire("last"))
        for peer in peers {
            var known = 0
            while !peer.texts.contains("last") && peer.read(known + 1).count > known {
                known = peer.texts.count
            }
            #expect(peer.texts.contains("last"))
        }
        run.cancel()
        for peer in peers { peer.finish() }
        let report = try await run.value
        #expect(report == .closing(4))
    }
}
