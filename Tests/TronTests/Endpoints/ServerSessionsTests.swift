// A server's sessions: its own and nobody else's, whatever is done to them while they are visited.
import Glibc
import Testing

@testable import Tron

@Suite struct ServerSessionsTests {
    /// A reactor with two servers, with sessions of both, and sessions that it dialled itself.
    private final class Stage {
        let reactor: Reactor
        let servers: [Server]
        let peers: [Peer]
        /// The sessions of each server, and those that belong to none.
        var sessions: [[SessionID]] = [[], []]
        var dialled: [SessionID] = []

        init(sessionsOfEach count: Int) throws {
            let reactor = try Reactor(kernel: FaultyKernel())
            self.reactor = reactor
            final class Box { var sessions: [[SessionID]] = [[], []], dialled: [SessionID] = [] }
            let box = Box()
            let servers = try (0..<2).map { number in
                try reactor.listen(on: Bench.unixName()) { box.sessions[number].append($0.id) }
            }
            self.servers = servers
            peers = try (0..<count).flatMap { _ in try servers.map { try Peer(to: $0.address) } }
            for server in servers {
                reactor.makeClient(to: [server.address]) { box.dialled.append($0.id) }
                reactor.connectOnce(to: server.address) { outcome in
                    if case .success(let session) = outcome { box.dialled.append(session.id) }
                }
            }
            try reactor.turn(until: {
                servers.allSatisfy { $0.sessionCount == count + 2 } && box.dialled.count == 4
            })
            (sessions, dialled) = (box.sessions, box.dialled)
        }

        func visited(_ server: Server, _ body: (Session) -> Void = { _ in }) -> [SessionID] {
            var found: [SessionID] = []
            server.forEachSession { session in
                found.append(session.id)
                body(session)
            }
            return found
        }
    }

    @Test func `each server's sessions are visited once, and nobody else's`() throws {
        let stage = try Stage(sessionsOfEach: 5)
        for number in 0..<2 {
            let visited = stage.visited(stage.servers[number])
            #expect(visited.count == 7 && Set(visited) == Set(stage.sessions[number]))
        }
        #expect(Set(stage.dialled).isDisjoint(with: stage.sessions.joined()))
    }

    /// What the body does with the session it is given, or with anything else.
    enum Deed: CaseIterable {
        case abortIt, closeIt, pauseIt, abortAll, closeAll, stopServer, abortByServer, drain
        case stopOtherServer, startMuch, visitAgain, stopReactor
    }

    private func perform(_ deed: Deed, _ session: Session, _ stage: Stage) {
        let (server, other) = (stage.servers[0], stage.servers[1])
        switch deed {
        case .abortIt: session.abort()
        case .closeIt: session.close()
        case .pauseIt: session.pauseReading()
        case .abortAll: for id in stage.sessions[0] { stage.reactor.session(id)?.abort() }
        case .closeAll: for id in stage.sessions[0] { stage.reactor.session(id)?.close() }
        case .stopServer: server.stop()
        case .abortByServer: server.stop(sessions: .abort)
        case .drain: server.drain(within: .seconds(1)) { _ in }
        case .stopOtherServer: other.stop(sessions: .abort)
        case .startMuch:
            for _ in 0..<100 {
                stage.reactor.makeClient(to: "127.0.0.1:1")
                stage.reactor.connectOnce(to: other.address) { _ in }
            }
        case .visitAgain: #expect(Set(stage.visited(server)) == Set(stage.sessions[0]))
        case .stopReactor: stage.reactor.stop()
        }
    }

    @Test(arguments: Deed.allCases)
    func `the body may do anything to the sessions and beyond`(deed: Deed) throws {
        let stage = try Stage(sessionsOfEach: 20)
        let visited = stage.visited(stage.servers[0]) { perform(deed, $0, stage) }
        #expect(Set(visited).count == visited.count, "visited twice")
        #expect(Set(visited).isSubset(of: stage.sessions[0]))
        switch deed {
        case .abortAll, .closeAll, .stopServer, .abortByServer, .drain:
            #expect(!visited.isEmpty)
        case .abortIt, .closeIt, .pauseIt, .stopOtherServer, .startMuch, .visitAgain, .stopReactor:
            #expect(visited.count == stage.sessions[0].count)
        }
        try stage.reactor.turn(times: 5)
        let left = stage.visited(stage.servers[0])
        #expect(left.count == stage.servers[0].sessionCount)
        if [.abortIt, .abortAll, .abortByServer].contains(deed) {
            #expect(Set(left).isDisjoint(with: stage.sessions[0]))
        }
    }

    /// Nobody but its sessions keeps it.
    @Test func `a stopped server is told of the end of each of its sessions, then it is gone`()
        throws
    {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        final class Box { weak var server: Server? }
        let box = Box()
        var ends: [CloseReason] = []
        reactor.onEvent { if case .closed(_, _, let reason, _) = $0 { ends.append(reason) } }
        let peers = try {
            let server = try reactor.listen(on: Bench.unixName()) { _ in }
            box.server = server
            let peers = try (0..<5).map { _ in try Peer(to: server.address) }
            try reactor.turn(until: { server.sessionCount == 5 })
            server.stop(sessions: .close)
            return peers
        }()
        // Closing has a time limit, which must not come.
        kernel.isFrozen = true
        try reactor.turn(times: 3)
        for (number, peer) in peers.enumerated() {
            #expect(ends.count == number && box.server?.sessionCount == 5 - number)
            peer.close()
            try reactor.turn(until: { ends.count > number })
        }
        try reactor.turn()
        #expect(ends == Array(repeating: .requested, count: 5))
        #expect(box.server == nil)
    }

    @Test func `whenever it is asked a server visits as many as it counts`() throws {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        final class Box { weak var server: Server? }
        let box = Box()
        var looks = 0
        func look() {
            guard let server = box.server else { return }
            looks += 1
            var count = 0
            server.forEachSession { _ in count += 1 }
            #expect(count == server.sessionCount)
        }
        let server = try reactor.listen(on: Bench.unixName()) { session in
            look()
            session.onPacket { _, _ in look() }
            session.onClose { _, _ in look() }
        }
        box.server = server
        let peers = try (0..<10).map { _ in try Peer(to: server.address) }
        try reactor.turn(until: { server.sessionCount == 10 })
        for peer in peers { peer.send(wire("x")) }
        try reactor.turn(until: { looks == 20 })
        // Its sessions outlive it.
        for peer in peers[..<4] { peer.close() }
        try reactor.turn(until: { server.sessionCount == 6 })
        server.stop()
        try reactor.turn(times: 2)
        look()
        for peer in peers { peer.close() }
        try reactor.turn(until: { server.sessionCount == 0 })
        look()
        #expect(looks == 32)
    }
}
