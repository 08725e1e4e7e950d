// Requests by await: from any task, cancelled anywhere, also after the reactor's end.
import Synchronization
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct ClientAwaitTests {
    private static let patient = Duration.seconds(600)

    @Test func `a task on another thread gets its answer`() async throws {
        let loop = try ReactorThread()
        let answer = try await loop.client.request(category: 1, data: "a", timeout: Self.patient)
        #expect(answer.text == "re:a" && answer.category == 1)
        await loop.stop()
    }

    @Test func `an error is thrown with its type`() async throws {
        let loop = try ReactorThread()
        do {
            _ = try await loop.client.request(category: 0, data: "", timeout: .milliseconds(5))
            Issue.record("answered")
        } catch {
            #expect(error == .timedOut)
        }
        await loop.stop()
    }

    @Test func `requests by many tasks are not mixed up`() async throws {
        let loop = try ReactorThread()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    let answer = try await loop.client.request(
                        category: 1, data: "\(number)", timeout: Self.patient)
                    return answer.text == "re:\(number)"
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        await loop.stop()
    }

    @Test func `a task that is cancelled before asks nothing`() async throws {
        let loop = try ReactorThread()
        let task = Task {
            for _ in 0..<10_000 where !Task.isCancelled { await Task.yield() }
            return await Self.outcome(of: loop.client, category: 0)
        }
        task.cancel()
        #expect(await task.value == .failure(.cancelled))
        await loop.stop()
    }

    @Test func `a request that waits for its answer ends when its task is cancelled`() async throws
    {
        let loop = try ReactorThread()
        let task = Task { await Self.outcome(of: loop.client, category: 0) }
        await loop.awaitPending(1)
        task.cancel()
        #expect(await task.value == .failure(.cancelled))
        await loop.stop()
    }

    @Test(arguments: [false, true]) func `ten thousand cancellations at random points`(
        isOnLoop: Bool
    ) async throws {
        let loop = try ReactorThread()
        let counts = Locked([String: Int]())
        for _ in 0..<100 {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask(executorPreference: isOnLoop ? loop.executor : nil) {
                        let result = await Self.cancelledSomewhere(loop.client, number)
                        let end =
                            switch result {
                            case .success: "answered"
                            case .failure(let error): "\(error)"
                            }
                        counts.withLock { $0[end, default: 0] += 1 }
                    }
                }
            }
        }
        let ends = counts.withLock { $0 }
        #expect(Set(ends.keys).isSubset(of: ["answered", "cancelled"]), "\(ends)")
        #expect(ends.values.reduce(0, +) == 10_000 && ends["cancelled", default: 0] > 1000)
        let pending = Locked(-1)
        _ = loop.remote.submit { _ in pending.withLock { $0 = loop.client.pendingRequestCount } }
        await loop.stop()
        #expect(pending.withLock { $0 } == 0)
    }

    /// A request whose task is cancelled before it, at once, or a little later.
    private static func cancelledSomewhere(
        _ client: Client, _ number: Int
    ) async -> Result<OwnedPacket, RequestError> {
        let task = Task {
            await outcome(of: client, category: UInt8(number % 2), text: "\(number)")
        }
        if number % 5 > 0 {
            for _ in 0..<Int.random(in: 0...20) { await Task.yield() }
        }
        task.cancel()
        return await task.value
    }

    private static func outcome(
        of client: Client, category: UInt8, text: String = ""
    ) async -> Result<OwnedPacket, RequestError> {
        do {
            let answer = try await client.request(
                category: category, data: text, timeout: patient)
            return answer.text == "re:" + text ? .success(answer) : .failure(.overflow)
        } catch {
            return .failure(error)
        }
    }

    @Test func `requests that wait end with the reactor, and later ones at once`() async throws {
        let loop = try ReactorThread()
        let tasks = (0..<100).map { _ in
            Task { await Self.outcome(of: loop.client, category: 0) }
        }
        await loop.awaitPending(100)
        await loop.stop()
        for task in tasks { #expect(await task.value == .failure(.closed)) }
        #expect(await Self.outcome(of: loop.client, category: 1) == .failure(.closed))
    }

    @Test func `requests race with the reactor's stop, and all end`() async throws {
        for round in 0..<50 {
            let loop = try ReactorThread()
            await withTaskGroup(of: Result<OwnedPacket, RequestError>.self) { group in
                for number in 0..<20 {
                    group.addTask(executorPreference: number % 2 == 0 ? loop.executor : nil) {
                        for _ in 0..<number + round { await Task.yield() }
                        return await Self.outcome(of: loop.client, category: 0)
                    }
                }
                loop.remote.stop()
                for await result in group { #expect(result == .failure(.closed)) }
            }
            await loop.stop()
        }
    }

    @Test func `a closed client refuses awaited requests`() async throws {
        let loop = try ReactorThread()
        _ = loop.remote.submit { _ in loop.client.close() }
        for _ in 0..<10 {
            #expect(await Self.outcome(of: loop.client, category: 1) == .failure(.closed))
        }
        await loop.stop()
    }
}
