// Tasks and actors on a reactor's thread.
import Glibc
import Synchronization
import Testing

@testable import Tron

/// An actor that lives on a reactor's thread.
private actor Resident {
    private let executor: ReactorExecutor
    private let loop: ReactorThread
    private(set) var calls = 0

    init(on loop: ReactorThread) {
        self.loop = loop
        executor = loop.executor
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Whether it was called on the reactor's thread, and was there again after an answer.
    func ask() async throws -> Bool {
        calls += 1
        let before = loop.isOnThread
        preconditionIsolated()
        let answer = try await loop.client.request(category: 1, data: "x", timeout: .seconds(60))
        return before && loop.isOnThread && answer.text == "re:x"
    }

    nonisolated func assumed() -> Bool { assumeIsolated { _ in true } }
}

@Suite(.timeLimit(.minutes(10))) struct ReactorExecutorTests {
    @Test func `a task on the executor stays on the reactor's thread`() async throws {
        let loop = try ReactorThread()
        let elsewhere = await Task { loop.isOnThread }.value
        #expect(!elsewhere)
        let places = try await Task(executorPreference: loop.executor) {
            var places: [Bool] = [loop.isOnThread]
            for _ in 0..<20 {
                await Task.yield()
                places.append(loop.isOnThread)
                _ = try await loop.client.request(category: 1, data: "", timeout: .seconds(60))
                places.append(loop.isOnThread)
            }
            async let child = loop.isOnThread
            places.append(await child)
            return places
        }.value
        #expect(places.count == 42 && places.allSatisfy { $0 })
        await loop.stop()
    }

    @Test func `an actor may have the reactor for its executor`() async throws {
        let loop = try ReactorThread()
        let actor = Resident(on: loop)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { try await actor.ask() } }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(await actor.calls == 100)
        let isAssumed = Locked(false)
        loop.remote.submit { _ in
            let result = actor.assumed()
            isAssumed.withLock { $0 = result }
        }
        await loop.stop()
        #expect(isAssumed.withLock { $0 })
    }

    @Test func `what is enqueued after the reactor has stopped still runs`() async throws {
        let loop = try ReactorThread()
        await loop.stop()
        let value = await Task(executorPreference: loop.executor) {
            await Task.yield()
            return 42
        }.value
        #expect(value == 42)
        let counter = Locked(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask(executorPreference: loop.executor) {
                    await Task.yield()
                    counter.withLock { $0 += 1 }
                }
            }
        }
        let count = counter.withLock { $0 }
        #expect(count == 200)
    }

    @Test func `tasks that are under way when the reactor stops come to their end`() async throws {
        for _ in 0..<50 {
            let loop = try ReactorThread()
            let tasks = (0..<10).map { number in
                Task(executorPreference: loop.executor) {
                    for _ in 0..<number * 5 { await Task.yield() }
                    return number
                }
            }
            loop.remote.stop()
            for (number, task) in tasks.enumerated() { #expect(await task.value == number) }
            await loop.stop()
        }
    }

    private final class Flags: Sendable {
        let isInside = Atomic(false)
        let overlapped = Atomic(false)
        let isDone = Atomic(false)
    }

    private actor Visited {
        private let executor: ReactorExecutor
        private let flags: Flags

        init(_ executor: ReactorExecutor, _ flags: Flags) {
            self.executor = executor
            self.flags = flags
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            executor.asUnownedSerialExecutor()
        }

        /// Has another thread call `second`, and stays for a while.
        func first() {
            flags.isInside.store(true, ordering: .sequentiallyConsistent)
            let executor = executor
            try? startThread {
                Task(executorPreference: executor) { await self.second() }
            }
            for _ in 0..<100_000 where !flags.isDone.load(ordering: .acquiring) { sched_yield() }
            flags.isInside.store(false, ordering: .sequentiallyConsistent)
        }

        func second() {
            if flags.isInside.load(ordering: .sequentiallyConsistent) {
                flags.overlapped.store(true, ordering: .relaxed)
            }
            flags.isDone.store(true, ordering: .releasing)
        }
    }

    @Test func `an actor on a reactor that stops is still in one place at a time`() throws {
        var limits = ReactorLimits()
        limits.maximumWorkPerTurn = 1
        let reactor = try Reactor(limits: limits)
        let flags = Flags()
        let resident = Visited(reactor.executor, flags)
        reactor.remote.submit { $0.stop() }
        // Over the turn's budget: it is run while the reactor ends.
        reactor.remote.submit { _ in resident.assumeIsolated { $0.first() } }
        try reactor.run()
        for _ in 0..<1_000_000 where !flags.isDone.load(ordering: .acquiring) { sched_yield() }
        let isDone = flags.isDone.load(ordering: .acquiring)
        let overlapped = flags.overlapped.load(ordering: .relaxed)
        #expect(isDone && !overlapped)
    }

    @Test func `a task that goes on and on does not keep the stop from returning`() async throws {
        let loop = try ReactorThread()
        let isOver = Locked(false)
        let task = Task(executorPreference: loop.executor) {
            while !isOver.withLock({ $0 }) { await Task.yield() }
            return 7
        }
        await loop.stop()
        isOver.withLock { $0 = true }
        #expect(await task.value == 7)
    }
}
