// How often something may happen: a bucket of tokens that time fills. Owns no clock.

/// So many a second, and so many at once.
public struct RateLimit: Sendable, Hashable {
    /// How many there may be a second, over a long time.
    public let perSecond: Int

    /// How many there may be at once, after a time with few.
    public let burst: Int

    /// Traps on numbers out of their ranges.
    ///
    /// - Parameters:
    ///   - perSecond: 1 to a billion.
    ///   - burst: 1 to a billion; nil for as many as in a second.
    public init(perSecond: Int, burst: Int? = nil) {
        let range = 1...1_000_000_000
        let burst = burst ?? perSecond
        demand(range.contains(perSecond), "RateLimit.perSecond: 1 to a billion")
        demand(range.contains(burst), "RateLimit.burst: 1 to a billion")
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What is left of a `RateLimit`. Times are nanoseconds of any clock that does not go back.
///
/// Invariant: 0 ≤ level ≤ capacity.
struct TokenBucket {
    /// A token, in the units of `level`: so a nanosecond adds a whole number of units at any rate,
    /// and nothing is lost to rounding.
    private static let token: Int64 = 1_000_000_000

    private let perSecond: Int64
    private let capacity: Int64
    private var level: Int64
    private var filledAt: Int64

    /// A full one.
    init(_ limit: RateLimit, now: Int64) {
        perSecond = Int64(limit.perSecond)
        capacity = Int64(limit.burst) * Self.token
        level = capacity
        filledAt = now
    }

    /// Takes a token, if there is one.
    mutating func take(now: Int64) -> Bool {
        fill(now)
        guard level >= Self.token else { return false }
        level -= Self.token
        return true
    }

    /// Whether there is a token to take.
    mutating func isEmpty(now: Int64) -> Bool {
        fill(now)
        return level < Self.token
    }

    /// When there will be some tokens again, if none is taken: as many as come in a hundredth of a
    /// second, so that who waits for them goes on a hundred times a second at the most; but at
    /// least one, and no more than the bucket holds.
    mutating func refilled(now: Int64) -> Int64 {
        fill(now)
        let wanted = min(capacity, max(1, perSecond / 100) * Self.token)
        let missing = max(0, wanted - level)
        return now + (missing + perSecond - 1) / perSecond
    }

    private mutating func fill(_ now: Int64) {
        let (gain, isOver) = max(0, now - filledAt).multipliedReportingOverflow(by: perSecond)
        let (sum, isBeyond) = level.addingReportingOverflow(gain)
        level = isOver || isBeyond ? capacity : min(capacity, sum)
        filledAt = max(filledAt, now)
        assert(0 <= level && level <= capacity)
    }
}
