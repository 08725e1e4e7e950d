// What other threads and tasks may ask of a reactor, while it runs and after it has stopped.
import Glibc
import Testing

@testable import Tron

/// A reactor on its own thread whose server answers from elsewhere, or not at all.
private final class RemoteBench: Sendable {
    let loop: ReactorThread
    let sessions = Locked<[SessionID]>([])
    let addresses = Locked<[ReplyAddress]>([])
    let received = Locked<[String]>([])
    let client: Client

    /// Server and client, which notes what it is sent unasked.
    init(limits: ReactorLimits = ReactorLimits()) throws {
        let made = Locked<Client?>(nil)
        let (sessions, addresses, received) = (sessions, addresses, received)
        loop = try ReactorThread(limits: limits) { reactor in
            let name = Bench.unixName()
            try reactor.listen(on: name) { session in
                sessions.withLock { $0.append(session.id) }
                session.onPacket { session, packet in
                    let address = session.replyAddress(of: packet)
                    addresses.withLock { $0.append(address) }
                }
            }
            let client = reactor.makeClient(to: name) { session in
                session.onPacket { _, packet in
                    let text = packet.text
                    received.withLock { $0.append(text) }
                }
            }
            made.withLock { $0 = client }
        }
        client = try #require(made.withLock { $0 })
    }

    /// Polls until the condition holds, ten seconds at most.
    func wait(until condition: () -> Bool) async throws {
        for _ in 0..<10_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition())
    }

    var session: SessionID? { sessions.withLock { $0.first } }
}

@Suite(.timeLimit(.minutes(10))) struct RemoteCallsTests {
    @Test func `packets are sent to one session and to all from any thread`() async throws {
        let bench = try RemoteBench()
        let remote = bench.loop.remote
        try await bench.wait { bench.session != nil }
        let session = try #require(bench.session)
        #expect(remote.send(to: session, category: 1, data: "to one") == .accepted)
        #expect(remote.send(to: session, category: 1, data: [UInt8]("bytes".utf8)) == .accepted)
        remote.broadcast(category: 1, data: "to all")
        remote.broadcast(category: 1, data: [UInt8]("more".utf8))
        try await bench.wait { bench.received.withLock { $0.count } == 4 }
        #expect(bench.received.withLock { $0 } == ["to one", "bytes", "to all", "more"])
        await bench.loop.stop()
    }

    @Test func `replies are given and refused from any thread`() async throws {
        let bench = try RemoteBench()
        let (remote, client) = (bench.loop.remote, bench.client)
        let answers = Task {
            async let first = client.request(category: 1, data: "a", timeout: .seconds(60))
            async let second = client.request(category: 1, data: "b", timeout: .seconds(60))
            return try await [first.text, second.text]
        }
        try await bench.wait { bench.addresses.withLock { $0.count } == 2 }
        let addresses = bench.addresses.withLock { $0 }
        #expect(remote.reply(to: addresses[0], data: "x") == .accepted)
        #expect(remote.reply(to: addresses[1], data: [UInt8]("x".utf8)) == .accepted)
        #expect(try await answers.value == ["x", "x"])
        let third = Task {
            try? await client.request(category: 1, data: "c", timeout: .seconds(60))
        }
        try await bench.wait { bench.addresses.withLock { $0.count } == 3 }
        #expect(remote.refuse(bench.addresses.withLock { $0[2] }) == .accepted)
        let owed = Locked(-1)
        let session = try #require(bench.session)
        remote.submit { reactor in
            let count = reactor.session(session)?.owedReplyCount
            owed.withLock { $0 = count ?? -1 }
        }
        try await bench.wait { owed.withLock { $0 } == 0 }
        third.cancel()
        #expect(await third.value == nil)
        await bench.loop.stop()
    }

    @Test func `a snapshot is taken for any task`() async throws {
        let bench = try RemoteBench()
        try await bench.wait { bench.session != nil }
        let snapshot = try #require(await bench.loop.remote.snapshot())
        #expect(snapshot.servers.count == 2 && snapshot.clients.count == 2)
        await bench.loop.stop()
    }

    @Test func `a drain of all servers waits for replies from elsewhere, then stops`() async throws
    {
        let bench = try RemoteBench()
        let (remote, client) = (bench.loop.remote, bench.client)
        let answer = Task {
            try await client.request(category: 1, data: "a", timeout: .seconds(60)).text
        }
        try await bench.wait { !bench.addresses.withLock { $0.isEmpty } }
        let drain = Task { await remote.drain(within: .seconds(30)) }
        let address = bench.addresses.withLock { $0[0] }
        remote.reply(to: address, data: "in time")
        #expect(try await answer.value == "in time")
        let report = await drain.value
        // The session of this server, and that of the thread's own.
        #expect(report.closed == 2 && report.aborted == 0 && report.unanswered == 0)
        await bench.loop.awaitEnd()
    }

    @Test func `what never is answered is in the report of the drain`() async throws {
        let bench = try RemoteBench()
        let client = bench.client
        let answer = Task {
            try? await client.request(category: 1, data: "a", timeout: .seconds(60))
        }
        try await bench.wait { !bench.addresses.withLock { $0.isEmpty } }
        let report = await bench.loop.remote.drain(within: .milliseconds(50))
        #expect(report.aborted == 1 && report.unanswered == 1)
        #expect(await answer.value == nil)
        await bench.loop.awaitEnd()
    }

    @Test func `a stop ends a drain at once, which reports what it cut short`() async throws {
        let bench = try RemoteBench()
        let (remote, client) = (bench.loop.remote, bench.client)
        let answer = Task {
            try? await client.request(category: 1, data: "a", timeout: .seconds(600))
        }
        try await bench.wait { !bench.addresses.withLock { $0.isEmpty } }
        let drain = Task { await remote.drain(within: .seconds(600)) }
        // It has begun when the servers do not listen any more.
        let listening = Locked(1)
        remote.submit { reactor in
            reactor.schedule(after: .zero, repeating: .milliseconds(1)) {
                let count = reactor.servers.count { $0.accepting.isListening }
                listening.withLock { $0 = count }
            }
        }
        try await bench.wait { listening.withLock { $0 } == 0 }
        remote.stop()
        let report = await drain.value
        #expect(report.closed + report.aborted == 2 && report.unanswered == 1)
        #expect(await answer.value == nil)
        await bench.loop.awaitEnd()
    }

    @Test func `a task that is cancelled is told the numbers and the report all the same`()
        async throws
    {
        let bench = try RemoteBench()
        let remote = bench.loop.remote
        let snapshot = Task { await remote.snapshot() }
        snapshot.cancel()
        #expect(await snapshot.value != nil)
        let drain = Task { await remote.drain(within: .milliseconds(10)) }
        drain.cancel()
        let report = await drain.value
        #expect(report.closed + report.aborted == 2)
        await bench.loop.awaitEnd()
    }

    @Test func `after the stop each call says that the reactor has stopped`() async throws {
        let bench = try RemoteBench()
        let remote = bench.loop.remote
        try await bench.wait { bench.session != nil }
        let session = try #require(bench.session)
        let address = ReplyAddress(session: session, sequence: 1, category: 1, debt: .none)
        await bench.loop.stop()
        #expect(remote.submit { _ in } == .stopped)
        #expect(remote.send(to: session, category: 1, data: "x") == .stopped)
        #expect(remote.broadcast(category: 1, data: "x") == .stopped)
        #expect(remote.reply(to: address, data: "x") == .stopped)
        #expect(remote.refuse(address) == .stopped)
        #expect(await remote.snapshot() == nil)
        #expect(await remote.drain(within: .seconds(1)) == DrainReport())
    }
}
