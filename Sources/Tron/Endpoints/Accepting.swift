// What a server knows of its accepting: whether it rests, how fast it goes, who has how many.

/// What accepting means for a server now, and what it has to count for it.
///
/// Invariant: a timer is set exactly while it rests.
struct Accepting {
    private enum Phase {
        case listening
        /// Out of epoll's sight until the timer rings, or a descriptor is free.
        case resting(TimerKey)
        case stopped
    }

    private var phase = Phase.listening
    /// In the registry's list of those that wait for a descriptor, once.
    private var isStarved = false
    /// Accepts that failed since one last succeeded.
    private var failuresInARow = 0
    /// What is left of `ServerLimits.maximumAcceptRate`; nil where there is none.
    private var bucket: TokenBucket?
    /// Sessions by host, where their number is limited.
    private var perAddress = AddressCounts()

    /// How long accepting rests when no descriptor is free and none comes back meanwhile from this
    /// reactor: short enough not to be noticed, long enough not to cost anything. Nanoseconds.
    static let pause: Int64 = 50_000_000

    /// After so many accepts in a row that failed for whatever reason accepting rests, too: the
    /// kernel may refuse for good what it reports as ready.
    static let failuresBeforePause = 64

    init(_ limits: ServerLimits, now: Int64) {
        bucket = limits.maximumAcceptRate.map { TokenBucket($0, now: now) }
    }

    var isListening: Bool {
        if case .stopped = phase { false } else { true }
    }

    var isResting: Bool {
        if case .resting = phase { true } else { false }
    }

    /// False when it had stopped already.
    mutating func stop(_ registry: Registry) -> Bool {
        if case .resting(let timer) = phase { registry.wheel.cancel(timer) }
        defer { phase = .stopped }
        return isListening
    }

    mutating func rest(_ timer: TimerKey) {
        phase = .resting(timer)
        failuresInARow = 0
    }

    /// Whether it rested; the timer is not needed any more.
    mutating func wake(_ registry: Registry) -> Bool {
        guard case .resting(let timer) = phase else { return false }
        registry.wheel.cancel(timer)
        phase = .listening
        return true
    }

    /// Whether the registry is to be told that a descriptor is waited for.
    mutating func starves() -> Bool {
        defer { isStarved = true }
        return !isStarved
    }

    mutating func noteDescriptorFree() { isStarved = false }

    /// When accepting may go on that is too fast now; nil while it may.
    mutating func resumption(_ now: Int64) -> Int64? {
        bucket?.isEmpty(now: now) == true ? bucket?.refilled(now: now) : nil
    }

    mutating func noteSuccess(_ now: Int64) {
        failuresInARow = 0
        _ = bucket?.take(now: now)
    }

    /// Whether so many have failed that accepting rests.
    mutating func noteFailure() -> Bool {
        failuresInARow += 1
        return failuresInARow >= Self.failuresBeforePause
    }

    /// Adds a session of this host. False, and nothing is added, above the limit.
    mutating func enter(_ host: SocketAddress.HostKey, limit: Int) -> Bool {
        perAddress.enter(host, limit: limit)
    }

    /// Takes a session of this host off.
    mutating func leave(_ host: SocketAddress.HostKey) { perAddress.leave(host) }
}
