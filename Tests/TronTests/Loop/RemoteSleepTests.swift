// Tasks that wait on a reactor's clock: how long, and what ends a wait before its time.
import Testing
import TronTestKit

@testable import Tron

/// What waits came to, in the order of their ends.
private typealias Ends = Locked<[String]>

extension RemoteReactor {
    /// Waits, and notes how that ended.
    fileprivate nonisolated(nonsending) func sleep(for time: Duration, noting log: Ends) async {
        do throws(SleepError) {
            try await sleep(for: time)
            log.withLock { $0.append("\(time)") }
        } catch {
            log.withLock { $0.append("\(error)") }
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct RemoteSleepTests {
    private let log = Ends([])
    private var noted: [String] { log.withLock { $0 } }

    /// A reactor with a task for each of these times.
    private func sleepers(
        _ times: [Duration], on network: SimulatedNetwork
    ) throws -> (SimulatedReactor, [Task<Void, Never>]) {
        var tasks: [Task<Void, Never>] = []
        let reactor = try network.reactor(named: "bed") { [log] reactor in
            let remote = reactor.remote
            tasks = times.map { time in
                Task(executorPreference: reactor.executor) {
                    await remote.sleep(for: time, noting: log)
                }
            }
        }
        return (reactor, tasks)
    }

    @Test(arguments: [1, 7, 1000, 90_000])
    func `a wait is never shorter than asked, and a few milliseconds longer at most`(
        milliseconds: Int
    ) throws {
        let network = SimulatedNetwork()
        let time = Duration.milliseconds(milliseconds)
        _ = try sleepers([time], on: network)
        network.advance(by: time - .nanoseconds(1))
        #expect(noted.isEmpty)
        network.advance(by: .milliseconds(3))
        #expect(noted == ["\(time)"])
        try network.finish()
    }

    @Test func `waits end in the order of their times, zero and less first`() throws {
        let network = SimulatedNetwork()
        let times: [Duration] = [.seconds(3), .seconds(-5), .seconds(1), .zero, .seconds(2)]
        _ = try sleepers(times, on: network)
        network.advance(by: .milliseconds(3))
        #expect(Set(noted) == ["\(times[1])", "\(times[3])"])
        network.advance(by: .seconds(5))
        #expect(noted.dropFirst(2) == ["\(times[2])", "\(times[4])", "\(times[0])"])
        try network.finish()
    }

    @Test func `a cancelled task waits no longer, whether it has begun or not`() throws {
        let network = SimulatedNetwork()
        let (_, tasks) = try sleepers([.seconds(60), .seconds(60)], on: network)
        tasks[0].cancel()
        network.advance(by: .seconds(1))
        #expect(noted == ["cancelled"])
        tasks[1].cancel()
        network.advance(by: .milliseconds(1))
        #expect(noted == ["cancelled", "cancelled"])
        try network.finish()
    }

    @Test func `a reactor that stops ends all waits, and lets nobody begin one`() throws {
        let network = SimulatedNetwork()
        var executor: ReactorExecutor?
        var remote: RemoteReactor?
        let (bed, _) = try sleepers([.seconds(60), .seconds(61)], on: network)
        executor = bed.reactor?.executor
        remote = bed.reactor?.remote
        network.advance(by: .seconds(1))
        remote?.stop()
        try network.run(until: { !bed.isRunning })
        #expect(noted == ["stopped", "stopped"])
        if let executor, let remote {
            Task(executorPreference: executor) { [log] in
                await remote.sleep(for: .seconds(1), noting: log)
            }
        }
        #expect(noted == ["stopped", "stopped", "stopped"])
        try network.finish()
    }

    @Test func `any task may wait on a reactor's clock`() async throws {
        let loop = try ReactorThread()
        try await loop.remote.sleep(for: .milliseconds(1))
        let endless = Task { await loop.remote.sleep(for: .seconds(1 << 40), noting: log) }
        endless.cancel()
        await endless.value
        #expect(noted == ["cancelled"])
        let last = Task { await loop.remote.sleep(for: .seconds(1 << 40), noting: log) }
        await loop.stop()
        await last.value
        #expect(noted == ["cancelled", "stopped"])
    }
}
