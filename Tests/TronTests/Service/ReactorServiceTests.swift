// A reactor as a service: cancelling its task drains it, and what comes second stops it at once.
import Glibc
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct ReactorServiceTests {
    private struct SetupError: Error {}

    @Test func `cancelling the task stops the reactor, and run returns`() async throws {
        let isUp = Locked(false)
        let ends = Locked(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await ReactorService { reactor in
                    reactor.makeClient(to: Bench.unixName()).onStateChange { _, state in
                        isUp.withLock { $0 = true }
                        if state == .closed { ends.withLock { $0 += 1 } }
                    }
                }.run()
            }
            for _ in 0..<10_000 where !isUp.withLock({ $0 }) {
                try await Task.sleep(for: .milliseconds(1))
            }
            group.cancelAll()
        }
        let count = ends.withLock { $0 }
        #expect(count == 1)
    }

    @Test func `a service that is cancelled before it starts returns as well`() async throws {
        let task = Task {
            for _ in 0..<10_000 where !Task.isCancelled { await Task.yield() }
            try await ReactorService { _ in }.run()
        }
        task.cancel()
        try await task.value
    }

    @Test func `what the setup throws is thrown by run`() async {
        await #expect(throws: SetupError.self) {
            try await ReactorService { _ in throw SetupError() }.run()
        }
    }

    @Test func `a service whose reactor stops by itself can run again`() async throws {
        let runs = Locked(0)
        let service = ReactorService { reactor in
            runs.withLock { $0 += 1 }
            reactor.schedule(after: .milliseconds(1)) { [remote = reactor.remote] in remote.stop() }
        }
        try await service.run()
        try await service.run()
        let count = runs.withLock { $0 }
        #expect(count == 2)
    }
}

/// A service whose server owes each request its reply, and what has happened to it.
private final class Stage: Sendable {
    let address = Bench.unixName()
    let addresses = Locked<[ReplyAddress]>([])
    let remote = Locked<RemoteReactor?>(nil)
    let reports = Locked<[DrainReport]>([])

    func service(within deadline: Duration, spread: Duration = .zero) -> ReactorService {
        ReactorService(drainingWithin: deadline, spread: spread) { [self] reactor in
            try reactor.listen(on: address) { [addresses] session in
                session.onPacket { session, packet in
                    let address = session.replyAddress(of: packet)
                    addresses.withLock { $0.append(address) }
                }
            }
            reactor.onEvent { [reports] event in
                if case .drained(_, let report) = event { reports.withLock { $0.append(report) } }
            }
            remote.withLock { $0 = reactor.remote }
        }
    }

    func wait(until condition: () -> Bool) async throws {
        for _ in 0..<10_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition())
    }

    /// A peer whose request waits for its reply.
    func ask() async throws -> Peer {
        try await wait { self.remote.withLock { $0 } != nil }
        let peer = try Peer(to: SocketAddress(address))
        peer.send(wire("question"))
        try await wait { !self.addresses.withLock { $0.isEmpty } }
        return peer
    }

    /// Whether the server has stopped listening, so that a drain has begun.
    func hasBegunToDrain() -> Bool { (try? Peer(to: SocketAddress(address))) == nil }

    func reply() {
        let address = addresses.withLock { $0[0] }
        _ = remote.withLock { $0?.reply(to: address, data: "answer") }
    }
}

@Suite(.timeLimit(.minutes(10))) struct ReactorServiceDrainTests {
    /// How the first request to end comes.
    enum Request: CaseIterable {
        case cancellation, shutDown
    }

    @Test(arguments: Request.allCases)
    func `a run ends by a drain that gives what is owed`(request: Request) async throws {
        let stage = Stage()
        let service = stage.service(within: .seconds(50))
        let run = Task { try await service.run() }
        let peer = try await stage.ask()
        if request == .cancellation { run.cancel() } else { service.shutDown() }
        try await stage.wait { stage.hasBegunToDrain() }
        stage.reply()
        try await stage.wait { peer.drained.isAtEnd }
        #expect(peer.texts == ["answer"])
        peer.finish()
        try await run.value
        let reports = stage.reports.withLock { $0 }
        // Who looked whether the server listens may have had sessions, too.
        #expect(reports.count == 1 && reports[0].closed >= 1)
        #expect(reports[0].aborted == 0 && reports[0].unanswered == 0)
    }

    @Test func `the deadline ends a run whose replies do not come`() async throws {
        let stage = Stage()
        let service = stage.service(within: .milliseconds(30), spread: .milliseconds(10))
        let run = Task { try await service.run() }
        let peer = try await stage.ask()
        run.cancel()
        try await run.value
        let reports = stage.reports.withLock { $0 }
        #expect(reports.map(\.unanswered) == [1] && reports.map(\.aborted) == [1])
        withExtendedLifetime(peer) {}
    }

    /// What ends a drain at once.
    enum Second: CaseIterable {
        case shutDown, cancellation, stop
    }

    @Test(arguments: Second.allCases)
    func `a second request stops at once`(second: Second) async throws {
        let stage = Stage()
        let service = stage.service(within: .seconds(600))
        let run = Task { try await service.run() }
        let peer = try await stage.ask()
        if second == .cancellation { service.shutDown() } else { run.cancel() }
        try await stage.wait { stage.hasBegunToDrain() }
        switch second {
        case .shutDown: service.shutDown()
        case .cancellation: run.cancel()
        case .stop: stage.remote.withLock { $0?.stop() }
        }
        try await run.value
        let reports = stage.reports.withLock { $0 }
        #expect(reports.map(\.unanswered) == [1] && reports[0].aborted >= 1)
        withExtendedLifetime(peer) {}
    }

    @Test func `what is shut down before it runs ends when it is set up, once`() async throws {
        let runs = Locked(0)
        let service = ReactorService { reactor in
            runs.withLock { $0 += 1 }
            reactor.schedule(after: .milliseconds(1)) { [remote = reactor.remote] in
                if runs.withLock({ $0 }) == 2 { remote.stop() }
            }
            try reactor.listen(on: Bench.unixName()) { _ in }
        }
        service.shutDown()
        try await service.run()
        try await service.run()
        #expect(runs.withLock { $0 } == 2)
    }
}
