// Tasks of sessions that are cancelled: their sessions close, and what waits is dropped.
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct SessionTaskCancelTests {
    /// A bench whose session has a task, and that task.
    private func start(
        _ body: nonisolated(nonsending) @escaping (AsyncSession, Log) async throws -> Void
    ) throws -> (Bench, Peer, Task<Void, any Error>) {
        var tasks: [Task<Void, any Error>] = []
        let bench = try Bench { session, log in
            let task = session.task { session in
                do {
                    try await body(session, log)
                } catch {
                    log.notes.append("\(error)")
                }
            }
            if let task { tasks.append(task) }
        }
        let peer = try bench.connect()
        return (bench, peer, try #require(tasks.first))
    }

    @Test func `a task that is cancelled while it iterates throws, and its session closes`() throws
    {
        let (bench, peer, task) = try start { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                try await session.reply(to: packet, data: packet.data)
            }
        }
        peer.send(wire("a"))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        task.cancel()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.send(wire("late"))
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.log.notes == ["closed as requested"] && bench.reasons == [.requested])
        #expect(bench.texts == ["a"] && peer.texts == ["a"])
    }

    @Test func `what waits for a task that is cancelled is dropped, and sends throw`() throws {
        let stop = Stop()
        let (bench, peer, task) = try start { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                await stop.pass()
                do {
                    try await session.send(category: 1, data: "x")
                } catch {
                    log.notes.append("\(error)")
                }
            }
        }
        peer.send(wire("a") + wire("b"))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        task.cancel()
        try bench.reactor.turn(times: 2)
        stop.open()
        try bench.reactor.turn(until: { bench.log.notes.count == 2 })
        #expect(bench.log.notes == ["cancelled", "closed as requested"] && bench.texts == ["a"])
    }

    @Test func `a task may be cancelled on another thread`() async throws {
        let started = Locked<Task<Void, any Error>?>(nil)
        let loop = try ReactorThread { reactor in
            let name = Bench.unixName()
            _ = try reactor.listen(on: name) { session in
                let task = session.task { session in
                    for try await _ in session.packets {}
                }
                started.withLock { $0 = task }
            }
            reactor.makeClient(to: name)
        }
        var task: Task<Void, any Error>?
        while task == nil {
            await Task.yield()
            task = started.withLock { $0 }
        }
        task?.cancel()
        await #expect(throws: CloseReason.requested) { try await task?.value }
        await loop.stop()
    }

    @Test func `a task that is cancelled before it began finds that out`() throws {
        let (bench, _, task) = try start { session, log in
            for try await packet in session.packets { log.texts.append(packet.text) }
        }
        task.cancel()
        try bench.reactor.turn(until: { bench.log.notes == ["closed as requested"] })
    }
}
