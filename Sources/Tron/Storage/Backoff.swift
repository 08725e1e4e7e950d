// How long to wait before each attempt: delays that multiply up to a cap, with jitter.

/// The delays before repeated attempts, as a pure function of the attempt's number.
///
///     let backoff = Backoff(initial: .seconds(3), multiplier: 2)      // 3 s, 6 s, 12 s, 24 s …
public struct Backoff: Sendable, Hashable {
    /// How a delay is spread, so that many clients which lost one server do not return as one.
    public enum Jitter: Sendable, Hashable {
        /// Exactly the delay.
        case none
        /// Anything between nothing and the delay.
        case full
        /// Anything between half the delay and the delay.
        case equal
    }

    /// Jitter never draws less, so that attempts do not follow one another at once; only a delay
    /// that is shorter without jitter stays so. 1 ms, the tick of the reactor's timers.
    public static let minimum: Duration = .milliseconds(1)

    /// The delay before the first attempt.
    public let initial: Duration
    /// What a delay is multiplied by to give the next one.
    public let multiplier: Double
    /// No delay is longer.
    public let cap: Duration
    /// How many attempts there are, nil for no end.
    public let attempts: Int?
    /// How a delay is spread.
    public let jitter: Jitter

    /// Traps on values outside the ranges below.
    ///
    /// - Parameters:
    ///   - initial: More than zero.
    ///   - multiplier: Finite, and at least 1. 1 repeats the initial delay.
    ///   - cap: At least `initial`; nil for a minute, or `initial` if that is longer. One attempt
    ///     a minute is cheap, and a longer wait would prolong an outage.
    ///   - attempts: At least 1, or nil for no end.
    ///   - jitter: How a delay is spread.
    public init(
        initial: Duration = .seconds(3), multiplier: Double = 2, cap: Duration? = nil,
        attempts: Int? = nil, jitter: Jitter = .none
    ) {
        let cap = cap ?? max(.seconds(60), initial)
        demand(initial > .zero, "the initial delay must be more than zero")
        demand(multiplier >= 1 && multiplier.isFinite, "the multiplier must be at least 1")
        demand(cap >= initial, "the cap must not be less than the initial delay")
        demand(attempts.map { $0 >= 1 } ?? true, "there must be at least one attempt")
        self.initial = initial
        self.multiplier = multiplier
        self.cap = cap
        self.attempts = attempts
        self.jitter = jitter
    }

    /// The delay before an attempt, drawn anew each time if there is jitter.
    ///
    /// - Parameters:
    ///   - attempt: The attempt's number; the first is 1, and what is less counts as 1.
    ///   - generator: What jitter is drawn from. Not used without jitter.
    /// - Returns: Nil when the attempts are used up.
    public func delay(
        beforeAttempt attempt: Int, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        if let attempts, attempt > attempts { return nil }
        let delay = unspreadDelay(beforeAttempt: attempt)
        switch jitter {
        case .none: return delay
        case .full: return draw(from: .zero, through: delay, using: &generator)
        case .equal: return draw(from: delay / 2, through: delay, using: &generator)
        }
    }

    /// The multiplication by a whole power is done in integers, so that it has no error.
    private func unspreadDelay(beforeAttempt attempt: Int) -> Duration {
        let factor = power(attempt > 1 ? attempt - 1 : 0)
        let unit = initial.attoseconds
        if let whole = Int128(exactly: factor) {
            let (product, overflow) = unit.multipliedReportingOverflow(by: whole)
            return overflow ? cap : min(Duration(attoseconds: product), cap)
        }
        let product = Double(unit) * factor
        guard product < Double(cap.attoseconds) else { return cap }
        return min(Duration(attoseconds: Int128(product)), cap)
    }

    /// The multiplier to the power of `exponent` by repeated squaring, since the exponent may be
    /// huge. May be infinite. Whole powers are exact as far as a double is, to 2⁵³ at least.
    private func power(_ exponent: Int) -> Double {
        var result = 1.0
        var square = multiplier
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }

    private func draw(
        from shortest: Duration, through longest: Duration,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let shortest = max(shortest, min(Backoff.minimum, longest))
        let range = shortest.attoseconds...longest.attoseconds
        return Duration(attoseconds: .random(in: range, using: &generator))
    }
}
