// Waiting on a reactor's clock, for tasks.

/// Why a wait on a reactor's clock ended early.
public enum SleepError: Error, Hashable, Sendable {
    /// The task was cancelled.
    case cancelled
    /// The reactor has stopped.
    case stopped
}

extension RemoteReactor {
    /// Waits for `time` on the reactor's clock: never less, and as little more as the loop needs to
    /// get to it, which is two turns and about a millisecond.
    ///
    /// A task on the reactor's own executor stays on its thread meanwhile, and in a simulation the
    /// time is the simulated one: neither is so of `Task.sleep`. Zero or less is over in the next
    /// millisecond. From any task and any thread.
    /// - Throws: `.cancelled` as soon as the task is cancelled, and `.stopped` as soon as the
    ///   reactor stops, or at once when it has stopped.
    public nonisolated(nonsending) func sleep(for time: Duration) async throws(SleepError) {
        let ticket = SleepTicket(on: self)
        let result = await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { (continuation: SleepTicket.Continuation) in
                unsafe ticket.begin(time, continuation)
            }
        } onCancel: {
            ticket.cancel()
        }
        try result.get()
    }
}

/// One wait, which its task and the loop both hold.
///
/// Its state is the loop's alone: begin and cancel go through the reactor's queue, in this order or
/// the other.
private final class SleepTicket: @unchecked Sendable {
    typealias Continuation = UnsafeContinuation<Result<Void, SleepError>, Never>

    private let remote: RemoteReactor
    private var sleeper: Sleeper?
    private var isCancelled = false

    init(on remote: RemoteReactor) { self.remote = remote }

    func begin(_ time: Duration, _ continuation: Continuation) {
        let isAccepted = remote.submitAlways { reactor in
            unsafe self.start(reactor.registry, time, continuation)
        }
        if !isAccepted { unsafe continuation.resume(returning: .failure(.stopped)) }
    }

    private func start(_ registry: Registry, _ time: Duration, _ continuation: Continuation) {
        if isCancelled { return unsafe continuation.resume(returning: .failure(.cancelled)) }
        sleeper = unsafe Sleeper(registry, for: time, continuation)
    }

    /// Called wherever the task is cancelled, at most once, also before the wait began.
    func cancel() {
        _ = remote.submitAlways { _ in
            self.isCancelled = true
            self.sleeper?.end(.failure(.cancelled))
        }
    }
}

/// The loop's side of a wait.
///
/// Invariant: it has a continuation exactly as long as its timer is armed.
@safe
private final class Sleeper: EventSource {
    let registry: Registry
    var key = SlabKey.none
    private var timer = TimerKey.none
    private var continuation: SleepTicket.Continuation?

    init(_ registry: Registry, for time: Duration, _ continuation: SleepTicket.Continuation) {
        self.registry = registry
        unsafe self.continuation = continuation
        key = registry.sources.insert(self)
        timer = registry.arm(key, at: registry.kernel.now() + time.clampedNanoseconds)
    }

    func expired(_ timer: TimerKey, payload: UInt32) { end(.success(())) }

    func reactorStops() { end(.failure(.stopped)) }

    func end(_ outcome: Result<Void, SleepError>) {
        guard let continuation = unsafe continuation else { return }
        unsafe self.continuation = nil
        registry.wheel.cancel(timer)
        registry.releaseLater(self)
        unsafe continuation.resume(returning: outcome)
    }
}
