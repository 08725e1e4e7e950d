// What a session has asked of the loop: readiness to be told of, a flush, a call in the next turn.

/// A session's standing with the loop. Each request is made once, however often it is asked for.
///
/// Invariant: the descriptor is in epoll with `interest`; with nil it is out of it.
struct LoopWatch {
    private var interest: Readiness? = .readable
    private(set) var isToFlush = false
    private(set) var isWoken = false

    /// Whether the loop is to be told of the flush.
    @inline(__always)
    mutating func asksForFlush() -> Bool {
        if isToFlush { return false }
        isToFlush = true
        return true
    }

    @inline(__always)
    mutating func noteFlush() { isToFlush = false }

    /// Whether the loop is to be told of the call.
    mutating func asksForWake() -> Bool {
        if isWoken { return false }
        isWoken = true
        return true
    }

    mutating func noteWake() { isWoken = false }

    /// Whether it waits for nothing but what it has asked for.
    @inline(__always)
    func isInterested(in wanted: Readiness) -> Bool { interest == wanted }

    /// Brings epoll in line with what the session waits for. A descriptor that is out of epoll
    /// stays there while nothing is waited for.
    mutating func change(
        to wanted: Readiness, of descriptor: Int32, _ key: SlabKey, _ epoll: borrowing Epoll
    ) throws(SystemError) {
        if interest != nil {
            try epoll.modify(descriptor, wanted, token: key.rawValue)
        } else if wanted.isEmpty {
            return
        } else {
            try epoll.add(descriptor, wanted, token: key.rawValue)
        }
        interest = wanted
    }

    /// Takes the descriptor out of epoll, where a hang-up cannot be masked (epoll_ctl(2)).
    mutating func leaveEpoll(
        _ descriptor: Int32, _ epoll: borrowing Epoll
    ) throws(SystemError) {
        guard interest != nil else { return }
        try epoll.remove(descriptor)
        interest = nil
    }

    var isInEpoll: Bool { interest != nil }
}
