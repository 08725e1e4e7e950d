// Groups on threads of their own: what they serve, tell and add up.
import Glibc
import Synchronization
import Testing

@testable import Tron

/// A group that runs, with a server that echoes.
final class RunningGroup: Sendable {
    let group: ReactorGroup
    let server: GroupServer
    let run: Task<DrainReport, any Error>
    /// The sessions of the server, in the order in which they began.
    let sessions: Locked<[SessionID]>

    init(
        count: Int = 3, on address: String = "127.0.0.1:0", isPinned: Bool = false,
        drainingWithin deadline: Duration = .seconds(600),
        supervisor: Supervisor? = nil,
        reactors setup: @escaping @Sendable (Reactor, Int) throws -> Void = { _, _ in },
        sessions handler: @escaping @Sendable (Session) -> Void = { _ in }
    ) throws {
        let group = ReactorGroup(
            count: .exactly(count), drainingWithin: deadline, isPinned: isPinned, setup: setup)
        let sessions = Locked<[SessionID]>([])
        server = try group.listen(on: address) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            handler(session)
            sessions.withLock { $0.append(session.id) }
        }
        if let supervisor { group.report(to: supervisor) }
        self.group = group
        self.sessions = sessions
        run = Task { try await group.run() }
    }

    static func wait(
        until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for _ in 0..<20_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition(), sourceLocation: sourceLocation)
    }

    /// Connects peers one after the other, each of which has its session then.
    func connect(_ count: Int) async throws -> [Peer] {
        var peers: [Peer] = []
        for _ in 0..<count {
            let before = sessions.withLock { $0.count }
            peers.append(try Peer(to: server.address))
            try await Self.wait { self.sessions.withLock { $0.count } > before }
        }
        return peers
    }

    /// Cancels it and waits for its end.
    @discardableResult
    func end(_ peers: [Peer]) async throws -> DrainReport {
        run.cancel()
        // Some may be told before the run is known to be cancelled, none by a time limit.
        try await Self.wait { !self.group.isReady }
        for peer in peers { peer.drainToEnd() }
        for peer in peers { peer.close() }
        return try await run.value
    }
}

extension DrainReport {
    /// So many sessions that ended in time, and nothing else.
    static func closing(_ count: Int) -> DrainReport {
        var report = DrainReport()
        report.closed = count
        return report
    }
}

extension Peer {
    /// The texts of its packets, when so many have come, or after ten seconds. Other than a
    /// sleeping task it is woken at once, however many tests run.
    func read(_ count: Int) -> [String] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while drained.texts.count < count && !isAtEnd && error == 0 && poll(&request, 1, 10_000) > 0
        {}
        return texts
    }
}

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

@Suite(.timeLimit(.minutes(10))) struct GroupBeginTests {
    @Test func `as many reactors as processors that may be used`() {
        let processors = Processors.ofCallingThread()
        #expect(!processors.isEmpty && processors == processors.sorted())
        #expect(ReactorGroup(count: .cores).count == processors.count)
        #expect(ReactorGroup(count: 5).count == 5)
        #expect(ReactorGroup(count: .exactly(1)).count == 1)
    }

    @Test func `a pinned reactor may run on one processor alone`() async throws {
        let processors = Processors.ofCallingThread()
        let pins = Locked<[Int: [Int]]>([:])
        let running = try RunningGroup(isPinned: true) { _, index in
            pins.withLock { $0[index] = Processors.ofCallingThread() }
        }
        try await RunningGroup.wait { running.group.isReady }
        let expected = (0..<3).map { [processors[$0 % processors.count]] }
        #expect(pins.withLock { pins in (0..<3).map { pins[$0] ?? [] } } == expected)
        try await running.end([])
    }

    @Test func `port zero is resolved once, and all listen on it`() throws {
        let group = ReactorGroup(count: 4)
        let server = try group.listen(on: "127.0.0.1:0") { _ in }
        #expect(server.address.port != 0)
        // Connections wait from now on.
        let peer = try Peer(to: server.address)
        #expect(!peer.drained.isAtEnd && peer.error == 0)
    }

    /// Who has the option, too, could otherwise be joined unnoticed.
    @Test func `a port that another program has is found, whatever options it has`() throws {
        let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(other) }
        var one: Int32 = 1
        setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &one, 4)
        _ = SocketAddress.loopback(port: 0).withRawAddress { raw, length in
            bind(other, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        listen(other, 1)
        let calls = SocketCalls(kernel: Kernel())
        let address = try #require(try calls.localAddress(of: other))
        let group = ReactorGroup(count: 2)
        let taken = EndpointError(address: address, cause: SystemError(.bind, code: EADDRINUSE))
        #expect(throws: taken) { try group.listen(on: address) { _ in } }
        // Who says that it shares the port does.
        var options = ServerOptions()
        options.reusesPort = true
        let server = try group.listen(on: address, options: options) { _ in }
        #expect(server.address == address)
        #expect(throws: AddressError.self) { try group.listen(on: "nowhere") { _ in } }
    }

    @Test func `a group that never runs closes its sockets, and removes its files`() throws {
        let path = "/tmp/tron-group-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
        var group: ReactorGroup? = ReactorGroup(count: 2)
        let server = try #require(try group?.listen(on: "127.0.0.1:0") { _ in })
        try group?.listen(on: path) { _ in }
        #expect(access(path, F_OK) == 0)
        group = nil
        #expect(access(path, F_OK) != 0)
        #expect(throws: SystemError(.connect, code: ECONNREFUSED)) { try Peer(to: server.address) }
    }

    @Test func `a Unix socket's file is there while the group listens`() async throws {
        let path = "/tmp/tron-group-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
        let running = try RunningGroup(count: 2, on: path)
        let peers = try await running.connect(4)
        let counts = running.server.sessionCounts
        #expect(counts.reduce(0, +) == 4 && counts.allSatisfy { $0 > 0 })
        try await running.end(peers)
        #expect(access(path, F_OK) != 0)
    }

    @Test func `an inherited listener is accepted from by the first, and stays`() async throws {
        let foreign = Foreign(.loopback(port: 0))
        let inherited = try InheritedListeners([("echo", foreign.copy)], kernel: Kernel())
        let group = ReactorGroup(count: 2, drainingWithin: .seconds(600))
        let server = try group.listen(on: inherited.claim("echo")) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        #expect(server.address == foreign.address)
        let peers = try (0..<4).map { _ in try Peer(to: foreign.address) }
        let run = Task { try await group.run() }
        try await RunningGroup.wait { server.sessionCount == 4 }
        for peer in peers {
            peer.send(wire("x"))
            #expect(peer.read(1) == ["x"])
        }
        // One that is about to arrive may count twice for a moment.
        let counts = server.sessionCounts
        #expect(counts.reduce(0, +) == 4 && counts.allSatisfy { $0 > 0 })
        run.cancel()
        for peer in peers { peer.drainToEnd() }
        for peer in peers { peer.close() }
        let report = try await run.value
        #expect(report == .closing(4))
        let late = try Peer(to: foreign.address)
        #expect(!late.drained.isAtEnd && late.error == 0)
    }
}

@Suite(.timeLimit(.minutes(10))) struct GroupEndTests {
    private struct SetupError: Error, Equatable { let index: Int }

    @Test func `a setup that throws stops the others, and run throws it`() async throws {
        let mayThrow = Atomic(false)
        let running = try RunningGroup(count: 2) { _, index in
            guard index == 1 else { return }
            while !mayThrow.load(ordering: .acquiring) { usleep(100) }
            throw SetupError(index: index)
        }
        try await RunningGroup.wait { running.group.remotes.count == 1 }
        // Nobody is accepted before all are set up.
        let peer = try Peer(to: running.server.address)
        peer.send(wire("too early"))
        #expect(!running.group.isReady && running.server.sessionCount == 0)
        mayThrow.store(true, ordering: .releasing)
        await #expect(throws: SetupError(index: 1)) { try await running.run.value }
        try await RunningGroup.wait { peer.drained.isAtEnd || peer.error == ECONNRESET }
        #expect(running.sessions.withLock { $0 } == [])
    }

    /// A loop that fails does what a setup does that fails later.
    @Test func `what a reactor throws is thrown by the run, once the others have stopped`()
        async throws
    {
        let run = ServiceRun(
            count: 3, ServiceDrain(deadline: .seconds(600), spread: .zero, notice: .zero))
        let ended = Atomic(0)
        await #expect(throws: SetupError(index: 2)) {
            try await run.perform(by: Kernel()) { index in
                let reactor = try Reactor()
                run.joined(reactor, at: index)
                run.began(at: index)
                if index == 2 {
                    while run.remotes.count < 3 { usleep(100) }
                    throw SetupError(index: index)
                }
                try reactor.run()
                ended.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(ended.load(ordering: .relaxed) == 2)
    }

    @Test func `threads that cannot be had end the run`() async {
        let kernel = RefusingThreads(after: 1)
        let run = ServiceRun(
            count: 3, ServiceDrain(deadline: .seconds(600), spread: .zero, notice: .zero))
        await #expect(throws: SystemError(.pthread_create, code: EAGAIN)) {
            try await run.perform(by: Kernel(kernel)) { index in
                let reactor = try Reactor()
                run.joined(reactor, at: index)
                run.began(at: index)
                try reactor.run()
            }
        }
    }

    @Test func `a reactor that stops by itself has the others drain`() async throws {
        let running = try RunningGroup()
        let peers = try await running.connect(6)
        try await RunningGroup.wait { running.group.isReady }
        running.group.remotes[1].stop()
        for peer in peers { peer.drainToEnd() }
        for peer in peers { peer.close() }
        _ = try await running.run.value
        #expect(running.server.sessionCount == 0)
    }

    @Test func `one that is shut down while it begins drains whoever has connected`() async throws {
        for round in 0..<20 {
            let address = Bench.unixName()
            let words = Atomic(0)
            let group = ReactorGroup(count: 4, drainingWithin: .seconds(600)) { reactor, index in
                reactor.onDrained { _, finish in
                    words.wrappingAdd(1, ordering: .relaxed)
                    finish()
                }
                if index == round % 4 { reactor.group?.shutDown() }
            }
            let server = try group.listen(on: address) { session in
                session.onDrain { $0.send(category: 1, data: "goodbye") }
            }
            let peers = try (0..<8).map { _ in try Peer(to: server.address) }
            let isOver = Locked(false)
            let run = Task {
                defer { isOver.withLock { $0 = true } }
                return try await group.run()
            }
            while !isOver.withLock({ $0 }) {
                for peer in peers where peer.drained.isAtEnd { peer.close() }
                try await Task.sleep(for: .milliseconds(1))
            }
            let report = try await run.value
            #expect(words.load(ordering: .relaxed) == 4)
            #expect(report.aborted == 0, "\(report)")
            #expect(peers.allSatisfy { $0.error == 0 && $0.isAtEnd })
        }
    }

    @Test func `what is shut down before it runs ends when it is set up`() async throws {
        let group = ReactorGroup(count: 2)
        try group.listen(on: Bench.unixName()) { _ in }
        group.shutDown()
        let report = try await group.run()
        #expect(report == DrainReport())
        #expect(!group.isReady)
    }

    @Test func `shutDown from a handler drains, and the second stops at once`() async throws {
        let groups = ReactorLocal<ReactorGroup>()
        let running = try RunningGroup(drainingWithin: .seconds(600)) { reactor, _ in
            groups[reactor] = reactor.group
        } sessions: { session in
            session.onPacket { session, packet in
                // A reply that is never given holds the drain.
                _ = session.replyAddress(of: packet)
                if packet.text == "end" { groups[session]?.shutDown() }
            }
        }
        let peers = try await running.connect(3)
        try await RunningGroup.wait { running.group.isReady }
        peers[2].send(wire("end"))
        try await RunningGroup.wait { !running.group.isReady }
        running.group.shutDown()
        let report = try await running.run.value
        #expect(report.closed + report.aborted == 3 && report.unanswered == 1)
        withExtendedLifetime(peers) {}
    }
}

/// A kernel that has only so many threads.
private final class RefusingThreads: FaultyKernel, @unchecked Sendable {
    private let left: Locked<Int>

    init(after count: Int) {
        left = Locked(count)
        super.init()
    }

    override func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        let isRefused = left.withLock { left in
            left -= 1
            return left < 0
        }
        return isRefused ? -Int(EAGAIN) : super.startThread(body)
    }
}

@Suite(.timeLimit(.minutes(10))) struct GroupSupervisorTests {
    @Test func `a group is ready when all are, stopping once, and both in order`() async throws {
        let socket = try NotifySocket()
        let mayBegin = Atomic(false)
        let supervisor = try socket.supervisor()
        let running = try RunningGroup(
            drainingWithin: .seconds(8), supervisor: supervisor
        ) { _, index in
            while index == 2 && !mayBegin.load(ordering: .acquiring) { usleep(100) }
        }
        try await RunningGroup.wait { running.group.remotes.count == 2 }
        #expect(socket.datagrams == [] && !running.group.isReady)
        mayBegin.store(true, ordering: .releasing)
        var told: [String] = []
        try await RunningGroup.wait {
            told += socket.datagrams
            return !told.isEmpty
        }
        #expect(told == ["READY=1"] && running.group.isReady)
        try await running.end([])
        #expect(socket.datagrams == ["STOPPING=1\nEXTEND_TIMEOUT_USEC=11000000"])
        #expect(!running.group.isReady)
    }

    @Test func `the watchdog hears nothing while one reactor does not turn`() throws {
        let socket = try NotifySocket()
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let group = ReactorGroup(count: 2, kernel: kernel)
        group.report(to: try socket.supervisor(["WATCHDOG_USEC": "2000000"]))
        let reactors = try (0..<2).map { index in
            let reactor = try Reactor(kernel: kernel)
            try group.join(reactor, at: index)
            return reactor
        }
        for _ in 0..<5 { for reactor in reactors { try reactor.turn() } }
        #expect(socket.datagrams == ["READY=1"])
        // The first turns again and again, the second is held.
        for _ in 0..<3 {
            kernel.advance(.milliseconds(1001))
            try reactors[0].turn(times: 2)
        }
        #expect(socket.datagrams == [])
        try reactors[1].turn(times: 2)
        #expect(socket.datagrams == ["WATCHDOG=1"])
        for _ in 0..<3 {
            kernel.advance(.milliseconds(1001))
            for reactor in reactors { try reactor.turn(times: 2) }
        }
        #expect(socket.datagrams == ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"])
        // Nobody waits for one that has ended.
        reactors[1].finish()
        group.ended(at: 1)
        kernel.advance(.milliseconds(1001))
        try reactors[0].turn(times: 2)
        #expect(socket.datagrams == ["WATCHDOG=1"])
        _ = socket.datagrams
        reactors[0].drain(within: .seconds(3))
        #expect(socket.datagrams.map { $0.prefix(10) } == ["STOPPING=1"])
    }
}
