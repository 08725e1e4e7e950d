// The service that runs a run's reactor: its task, what was asked of it, what its drains report.
import TronTestKit

@testable import Tron

/// Runs the jobs of tasks when it is asked to, on the thread that asks.
final class SteppedExecutor: TaskExecutor {
    private let jobs = Locked<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    func runAll() {
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

/// The service of a run. `@unchecked` because its task is on the run's one thread.
final class ServiceRecord: @unchecked Sendable {
    /// What a setup throws that does not want to begin.
    struct Refusal: Error {}

    let service: ReactorService
    let deadline: Int64
    private let executor = SteppedExecutor()
    private(set) var task: Task<Void, Never>?
    /// What `run()` came to, once it has returned.
    private(set) var result: Result<Void, any Error>?
    /// How often the end was asked for.
    var requests = 0
    var isAsked: Bool { requests > 0 }
    var isCancelled = false
    var refuses = false
    /// It has a reactor, which runs or has run.
    var isSetUp = false
    /// The reactor's drain has begun with so many sessions; and its serial, while it goes on.
    var drained: Int?
    var drain: Int?
    /// How many sessions each drain had that is yet to be reported, by the server's address; and of
    /// those that were begun so late that nobody may be told.
    private var counts: [SocketAddress: [Int]] = [:]
    private var lateCounts: [SocketAddress: [Int]] = [:]

    init(_ service: ReactorService, deadline: Int64) {
        self.service = service
        self.deadline = deadline
    }

    func begin() {
        result = nil
        isCancelled = false
        task = Task(executorPreference: executor) { [self] in
            do {
                try await service.run()
                result = .success(())
            } catch {
                result = .failure(error)
            }
        }
        executor.runAll()
    }

    /// Lets its task go on, if it can.
    func goOn() { executor.runAll() }

    /// Before each wait of its reactor.
    func watch(_ run: Run) {
        goOn()
        run.expect(result == nil, "a service has returned, and its reactor runs")
    }

    // MARK: Reports

    func expect(_ count: Int, drainedOf address: SocketAddress, isLate: Bool) {
        if isLate {
            lateCounts[address, default: []].append(count)
        } else {
            counts[address, default: []].append(count)
        }
    }

    func drained(_ address: SocketAddress, _ report: DrainReport, _ run: Run) {
        let count = report.closed + report.aborted
        if let index = counts[address]?.firstIndex(of: count) {
            counts[address]?.remove(at: index)
        } else if lateCounts[address]?.contains(count) != true {
            run.fail(
                "a drain reports \(report), and those that go on had \(counts[address] ?? [])")
        }
    }

    var unreported: [Int] { counts.values.flatMap(\.self) }
}
