// What the task of a session sends: it waits for room, and learns when there is none any more.
import Glibc
import Testing

@testable import Tron

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
