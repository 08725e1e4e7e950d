// Sessions with a task in place of handlers: order, back pressure, and each way that it ends.
import Glibc
import Testing

@testable import Tron

/// Where a body waits until the test lets it go on.
private final class Stop {
    private var continuation: CheckedContinuation<Void, Never>?
    private var isOpen = false

    nonisolated(nonsending) func pass() async {
        if isOpen { return }
        await withCheckedContinuation { continuation = $0 }
    }

    func open() {
        isOpen = true
        continuation?.resume()
        continuation = nil
    }
}

@Suite(.timeLimit(.minutes(10))) struct SessionTaskTests {
    /// A bench whose sessions have tasks; how each ends is noted.
    private func bench(
        _ options: SessionOptions = SessionOptions(), kernel: FaultyKernel = FaultyKernel(),
        _ body: nonisolated(nonsending) @escaping (AsyncSession, Log) async throws -> Void
    ) throws -> Bench {
        try Bench(session: options, kernel: kernel) { session, log in
            session.task { session in
                do {
                    try await body(session, log)
                    log.notes.append("done")
                } catch {
                    log.notes.append("\(error)")
                    throw error
                }
            }
        }
    }

    private nonisolated(nonsending) static func note(
        _ session: AsyncSession, _ log: Log
    ) async throws {
        for try await packet in session.packets { log.texts.append(packet.text) }
    }

    @Test(arguments: [0, 1000, 8192]) func `packets come in order, and so do the answers`(
        bytesBeforeTask: Int
    ) throws {
        var options = SessionOptions()
        options.limits.maximumBytesBeforeTask = bytesBeforeTask
        let bench = try bench(options) { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                try await session.reply(to: packet, data: packet.data)
            }
        }
        let peer = try bench.connect()
        peer.send((0..<500).flatMap { wire("\($0)", sequence: Int32($0)) })
        try bench.reactor.turn(until: { peer.drained.packets.count == 500 })
        #expect(bench.texts == (0..<500).map(String.init) && peer.texts == bench.texts)
        #expect(peer.packets.map(\.sequence) == Array(0..<500))
        peer.finish()
        try bench.turnUntilClosed()
        try bench.reactor.turn(until: { bench.log.notes == ["done"] })
        #expect(bench.reasons == [.peerClosed])
    }

    @Test func `while nobody takes, nothing is read and the peer has to wait`() throws {
        let stop = Stop()
        let bench = try bench { session, log in
            await stop.pass()
            try await Self.note(session, log)
        }
        let peer = try bench.connect()
        let text = String(repeating: "x", count: 1000)
        while peer.send(wire(text)) > 0 {}
        try bench.reactor.turn(times: 5)
        #expect(bench.sessions[0].isReadingPaused)
        #expect(bench.sessions[0].counters.bytesReceived == 0)
        stop.open()
        try bench.reactor.turn(until: { bench.texts.count > 10 })
        #expect(peer.send(wire(text)) > 0)
    }

    @Test(arguments: [(0, 1), (1000, 16), (1 << 20, 500)])
    func `what waits for the task is bounded`(bytesBeforeTask: Int, expected: Int) throws {
        var options = SessionOptions()
        options.limits.maximumBytesBeforeTask = bytesBeforeTask
        let stop = Stop()
        let bench = try bench(options) { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                await stop.pass()
            }
        }
        let peer = try bench.connect()
        let before = bench.reactor.memoryBound
        peer.send((0..<500).flatMap { _ in wire("") })
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        try bench.reactor.turn(times: 3)
        #expect(bench.sessions[0].counters.packetsReceived == expected)
        #expect(bench.texts.count == 1 && bench.reactor.memoryBound == before)
        stop.open()
        try bench.reactor.turn(until: { bench.texts.count == 500 })
    }

    @Test func `an end in the middle of a packet is thrown, after the packets before it`() throws {
        let bench = try bench { try await Self.note($0, $1) }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b") + [1, 2, 3])
        peer.finish()
        try bench.reactor.turn(until: { bench.log.notes.count == 1 })
        #expect(bench.texts == ["a", "b"])
        #expect(bench.log.notes == ["protocol fault: the stream ended after 3 bytes of a packet"])
    }

    @Test func `an abort is thrown, and a later iterator is told the same`() throws {
        let bench = try bench { session, log in
            do {
                try await Self.note(session, log)
            } catch {
                log.notes.append("\(error)")
            }
            try await Self.note(session, log)
        }
        _ = try bench.connect()
        bench.sessions[0].abort()
        try bench.reactor.turn(until: { bench.log.notes.count == 2 })
        #expect(bench.log.notes == ["aborted", "aborted"] && bench.reasons == [.aborted])
    }

    @Test func `a second loop goes on where the first one stopped`() throws {
        let bench = try bench { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                if packet.text == "b" { break }
            }
            var iterator = session.packets.makeAsyncIterator()
            log.texts.append("| \(try await iterator.next()?.text ?? "")")
            try await Self.note(session, log)
        }
        let peer = try bench.connect()
        peer.send(["a", "b", "c", "d"].flatMap { wire($0) })
        try bench.reactor.turn(until: { bench.texts.count == 4 })
        #expect(bench.texts == ["a", "b", "| c", "d"])
    }

    @Test func `a body that returns or throws closes its session, and what it sent leaves`() throws
    {
        for fails in [false, true] {
            let bench = try bench { session, _ in
                try await session.send(category: 1, data: "bye")
                if fails { throw RequestError.timedOut }
            }
            let peer = try bench.connect()
            try bench.reactor.turn(until: { peer.drained.isAtEnd })
            peer.close()
            try bench.turnUntilClosed()
            #expect(peer.texts == ["bye"] && bench.reasons == [.requested])
            #expect(bench.log.notes == [fails ? "\(RequestError.timedOut)" : "done"])
        }
    }

    @Test func `half-closed by its peer, iteration ends and sending goes on`() throws {
        var options = SessionOptions()
        options.allowsHalfClose = true
        let bench = try bench(options) { session, log in
            try await Self.note(session, log)
            try await session.send(category: 1, data: "after")
        }
        let peer = try bench.connect()
        peer.send(wire("a"))
        peer.finish()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(bench.texts == ["a"] && peer.texts == ["after"])
        try bench.turnUntilClosed()
        #expect(bench.log.notes == ["done"])
    }

    /// How a session ends that nobody cuts off.
    enum GentleEnd: CaseIterable {
        case peerFinishes, drain

        var reason: CloseReason { self == .drain ? .requested : .peerClosed }
    }

    private func end(_ bench: Bench, _ peer: Peer, by end: GentleEnd) {
        switch end {
        case .peerFinishes: peer.finish()
        case .drain: bench.server.drain(within: .seconds(60)) { _ in }
        }
    }

    @Test(arguments: GentleEnd.allCases)
    func `a gentle end waits for the answer to what the task has taken`(by end: GentleEnd) throws {
        let stop = Stop()
        let bench = try bench { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                await stop.pass()
                try await session.reply(to: packet, data: Array("to \(packet.text)".utf8))
            }
        }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b"))
        try bench.reactor.turn(until: { bench.texts == ["a"] })
        bench.kernel.isFrozen = true
        self.end(bench, peer, by: end)
        try bench.reactor.turn(times: 5)
        #expect(bench.sessions[0].isOpen)
        stop.open()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == ["to a", "to b"])
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [end.reason])
    }

    @Test(arguments: GentleEnd.allCases)
    func `a gentle end does not wait for a task that is at no packet`(by end: GentleEnd) throws {
        let stop = Stop()
        let bodies: [nonisolated(nonsending) (AsyncSession, Log) async throws -> Void] = [
            { session, log in try await Self.note(session, log) },
            { _, _ in await stop.pass() },
        ]
        // The peer's end is not read while nobody takes packets.
        for (index, body) in bodies.enumerated() where index == 0 || end == .drain {
            let bench = try bench { try await body($0, $1) }
            let peer = try bench.connect()
            if index == 0 { peer.send(wire("a")) }
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 5)
            self.end(bench, peer, by: end)
            try bench.reactor.turn(until: { peer.drained.isAtEnd }, atMost: 10)
            peer.finish()
            try bench.turnUntilClosed()
            #expect(bench.reasons == [end.reason])
        }
        stop.open()
    }

    @Test func `the reactor's stop ends the task`() throws {
        let bench = try bench { try await Self.note($0, $1) }
        _ = try bench.connect()
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(bench.log.notes == ["the reactor stopped"])
    }

    @Test func `nothing is left of a session whose task is over`() throws {
        let bench = try bench { try await Self.note($0, $1) }
        let peer = try bench.connect()
        weak let session = bench.sessions[0]
        bench.log.sessions = []
        peer.finish()
        try bench.reactor.turn(until: { bench.log.notes == ["done"] })
        try bench.reactor.turn(times: 2)
        #expect(session == nil)
    }

    @Test func `a session that closes has no task any more`() throws {
        let bench = try Bench { session, log in
            session.close()
            log.notes.append("\(session.task { _ in log.notes.append("called") } == nil)")
        }
        _ = try bench.connect()
        try bench.reactor.turn(times: 3)
        #expect(bench.log.notes == ["true"])
    }
}

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

@Suite(.timeLimit(.minutes(10))) struct SessionTaskSendTests {
    private static var options: SessionOptions {
        var options = SinkBench.options
        options.limits.maximumQueuedBytes = 64 << 10
        return options
    }

    /// A task that sends 100 packets and notes each.
    private func sender(_ options: SessionOptions = options) throws -> SinkBench {
        try SinkBench(options) { session, log in
            session.task { session in
                do {
                    for number in 0..<100 {
                        let data = [UInt8](repeating: 0, count: 4000)
                        try await session.send(sequence: Int32(number), category: 1, data: data)
                        log.texts.append("\(number)")
                    }
                } catch {
                    log.notes.append("\(error)")
                }
            }
        }
    }

    @Test func `a send waits while the peer does not read, and goes on when it does`() throws {
        let stage = try sender()
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        try stage.reactor.turn(times: 5)
        let queued = stage.bench.texts.count
        #expect(queued < 50 && (30 << 10...64 << 10).contains(stage.session.queuedBytes))
        try stage.reactor.turn(times: 5)
        #expect(stage.bench.texts.count == queued && stage.reasons == [])
        stage.kernel.fault = { _, _, _ in nil }
        try stage.reactor.turn(until: { stage.packets().count == 100 })
        let sequences = stage.packets().map(\.sequence)
        #expect(sequences == Array(0..<100))
        #expect(stage.session.counters.packetsRefused == 0)
    }

    @Test func `a peer that reads at once gets a high mark's worth a turn`() throws {
        let stage = try sender()
        var before = stage.taken()
        for _ in 0..<20 {
            try stage.reactor.turn()
            #expect(stage.taken() - before <= (64 << 10) + 4011)
            before = stage.taken()
        }
        #expect(before == 100 * 4011)
    }

    @Test(arguments: [false, true]) func `a send that waits ends with its session`(
        closes: Bool
    ) throws {
        let stage = try sender()
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        try stage.reactor.turn(times: 5)
        if closes { stage.session.close() } else { stage.session.abort() }
        try stage.reactor.turn(times: 3)
        #expect(stage.notes == ["closed"])
    }

    @Test func `what can never be sent is refused at once`() throws {
        let stage = try SinkBench(Self.options) { session, log in
            session.task { session in
                for length in [5000, 100_000] {
                    do {
                        let data = [UInt8](repeating: 0, count: length)
                        try await session.send(category: 1, data: data)
                    } catch {
                        log.notes.append("\(error)")
                    }
                }
                try await session.send(category: 1, data: "fits")
            }
        }
        try stage.reactor.turn(until: { stage.packets().count == 1 })
        #expect(stage.notes == ["tooLarge", "tooLarge"])
    }

    @Test func `after the reactor's stop sends throw, wherever the task goes on`() async throws {
        let outcome = Locked("")
        let waiting = Locked<CheckedContinuation<Void, Never>?>(nil)
        let loop = try ReactorThread { reactor in
            let name = Bench.unixName()
            _ = try reactor.listen(on: name) { session in
                session.task { session in
                    await withCheckedContinuation { new in waiting.withLock { $0 = new } }
                    do {
                        try await session.send(category: 1, data: "x")
                    } catch {
                        outcome.withLock { $0 = "\(error)" }
                    }
                }
            }
            reactor.makeClient(to: name)
        }
        for _ in 0..<10_000 where waiting.withLock({ $0 == nil }) {
            try await Task.sleep(for: .milliseconds(1))
        }
        await loop.stop()
        waiting.withLock { $0 }?.resume()
        for _ in 0..<10_000 where outcome.withLock({ $0 == "" }) {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(outcome.withLock { $0 } == "closed")
    }
}
