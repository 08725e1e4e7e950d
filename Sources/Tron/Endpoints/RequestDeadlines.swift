// When the requests of a client are over: one timer for all that have the same time.

/// The deadlines of a client's requests.
///
/// Requests with the same time end in the order they were made, so that a queue has their deadlines
/// in order, and one timer, for the first, serves them all: a request costs no timer, and nothing
/// is done here when it is answered. Names of requests that have ended are passed over, and dropped
/// before the queue would grow for them. The timer may so ring once when none waits any more. While
/// requests of one time wait in the queue, one with another time has a timer of its own.
///
/// Invariant: deadlines in the queue never fall, and while there are any, `timer` rings no later
/// than the first.
final class RequestDeadlines {
    private struct Entry {
        let sequence: Int32
        let deadline: Int64
    }

    private let registry: Registry
    private let requests: RequestTable
    private let queue = Queue<Entry>()
    /// The time of the requests in the queue, as given and in nanoseconds.
    private var time: (given: Duration, nanoseconds: Int64) = (.zero, 0)
    private var timer = TimerKey.none

    init(of requests: RequestTable, _ registry: Registry) {
        self.requests = requests
        self.registry = registry
    }

    /// Names in the queue, those included that have ended.
    var queuedCount: Int { queue.count }

    /// Has the source of this key told when the time of a request is over that is about to be
    /// added. The request's own timer, which rings with its sequence; `none` if it is in the queue.
    @inline(__always)
    func add(_ sequence: Int32, _ timeout: Duration, for source: SlabKey) -> TimerKey {
        if timeout.attoseconds != time.given.attoseconds && !take(timeout) {
            let deadline = registry.kernel.now() + timeout.clampedNanoseconds
            return registry.arm(source, at: deadline, payload: UInt32(bitPattern: sequence))
        }
        let deadline = registry.kernel.now() + time.nanoseconds
        if queue.isEmpty {
            arm(source, by: deadline)
        } else if queue.isFull {
            dropEnded()
        }
        queue.append(Entry(sequence: sequence, deadline: deadline))
        return .none
    }

    /// Whether it is the queue's timer that has rung, and no request's own.
    func isOfQueue(_ timer: TimerKey) -> Bool { timer == self.timer }

    /// The queue's timer has rung: a request whose time is over, if there is one. The timer is set
    /// for the next, which may be due as well.
    func takeDue(for source: SlabKey) -> Int32? {
        timer = .none
        passOverEnded()
        guard let first = queue.oldest else { return nil }
        guard first.deadline <= registry.now else {
            arm(source, by: first.deadline)
            return nil
        }
        _ = queue.take()
        passOverEnded()
        if let next = queue.oldest { arm(source, by: next.deadline) }
        return first.sequence
    }

    /// No request waits any more, and none will.
    func end() {
        queue.removeAll()
        registry.wheel.cancel(timer)
    }

    /// Makes this the time of the queue, if no request waits there.
    @inline(never)
    private func take(_ timeout: Duration) -> Bool {
        passOverEnded()
        guard queue.isEmpty else { return false }
        time = (timeout, timeout.clampedNanoseconds)
        return true
    }

    @inline(never)
    private func arm(_ source: SlabKey, by deadline: Int64) {
        if registry.rings(timer, by: deadline) { return }
        registry.wheel.cancel(timer)
        timer = registry.arm(source, at: deadline)
    }

    private func passOverEnded() {
        while let first = queue.oldest, !requests.isPending(first.sequence) { _ = queue.take() }
    }

    /// Answers mostly come in order, so that those that have ended are the first. The others are
    /// looked for only when they are the most.
    @inline(never)
    private func dropEnded() {
        passOverEnded()
        guard queue.count > 2 * requests.count else { return }
        queue.removeAll { !requests.isPending($0.sequence) }
    }
}
