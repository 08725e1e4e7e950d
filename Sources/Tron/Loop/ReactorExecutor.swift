// Tasks and actors on the reactor's own thread.

extension Reactor {
    /// Runs tasks and actors on this reactor's thread, between its own work: with it, an `await` of
    /// an answer does not leave the thread.
    ///
    ///     Task(executorPreference: reactor.executor) { … }
    ///
    /// Tasks run while the reactor does. What is enqueued after it has stopped is still run, one
    /// job after another, on the threads that enqueue it: no task is left hanging. If tasks go on
    /// and on then, loops that yield for example, a thread of no reactor has all that are left.
    public var executor: ReactorExecutor { ownExecutor }
}

/// A reactor's thread as an executor: of tasks by preference, and of actors as their
/// `unownedExecutor`.
public final class ReactorExecutor: TaskExecutor, SerialExecutor {
    private struct Strays {
        var jobs: [@Sendable () -> Void] = []
        /// Whether somebody is at them: at first the loop, which runs jobs until it has ended.
        var isRunning = true
    }

    /// Rounds of strays, each of those that came in the one before, that whoever runs them waits
    /// for: few tasks take as many steps to end, and those that do not end at all are left alone.
    private static let maximumRounds = 1000

    let remote: RemoteReactor
    private let strays = Locked(Strays())

    init(of remote: RemoteReactor) { self.remote = remote }

    /// Called by the language's runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        // The job may drop the last reference to whoever holds this executor, before this returns.
        let retained = unsafe Unmanaged.passRetained(self)
        defer { unsafe retained.release() }
        let job = UnownedJob(job)
        if !remote.submitAlways({ _ in self.run(job) }) { runStray { self.run(job) } }
    }

    /// Called by the language's runtime: whether the calling code runs on the reactor's thread.
    public func isIsolatingCurrentContext() -> Bool? { remote.isOnLoop }

    /// Traps unless the calling code runs on the reactor's thread.
    public func checkIsolated() {
        demand(remote.isOnLoop, "this is not the reactor's thread")
    }

    private func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(
            isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    /// Whoever finds nobody at it runs the strays, until there are none.
    fileprivate func runStray(_ job: @escaping @Sendable () -> Void) {
        let isFirst = strays.withLock { strays in
            strays.jobs.append(job)
            defer { strays.isRunning = true }
            return !strays.isRunning
        }
        if isFirst { runStrays() }
    }

    /// The loop has ended: jobs that came meanwhile are run, and later ones where they come.
    func runStrays() {
        if runStrays(rounds: Self.maximumRounds) { return }
        do throws(SystemError) {
            try startThread { _ = self.runStrays(rounds: .max) }
        } catch {
            // Nobody else can.
            _ = runStrays(rounds: .max)
        }
    }

    /// Whether there are none any more.
    private func runStrays(rounds: Int) -> Bool {
        for _ in 0..<rounds {
            let jobs = strays.withLock { strays in
                defer { strays.jobs = [] }
                strays.isRunning = !strays.jobs.isEmpty
                return strays.jobs
            }
            if jobs.isEmpty { return true }
            for job in jobs { job() }
        }
        return false
    }
}

/// The reactor's thread for tasks that belong to no actor. A job of `ReactorExecutor` is run as an
/// actor's might be, so that each call of a function without isolation is queued anew, for the next
/// turn; here they are plain calls.
final class ReactorTaskExecutor: TaskExecutor {
    private let executor: ReactorExecutor

    init(_ executor: ReactorExecutor) { self.executor = executor }

    var remote: RemoteReactor { executor.remote }

    func enqueue(_ job: consuming ExecutorJob) {
        // As in `ReactorExecutor.enqueue`.
        let retained = unsafe Unmanaged.passRetained(self)
        defer { unsafe retained.release() }
        let job = UnownedJob(job)
        if !remote.submitAlways({ _ in self.run(job) }) { executor.runStray { self.run(job) } }
    }

    private func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
}
