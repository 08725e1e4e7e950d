// The delays that a backoff allows, computed another way than the library does.

@testable import Tron

enum BackoffRule {
    /// The delays, in nanoseconds, that may come before an attempt of this number; nil when there
    /// is to be none.
    static func delays(beforeAttempt attempt: Int, _ backoff: Backoff) -> ClosedRange<Int64>? {
        if let attempts = backoff.attempts, attempt > attempts { return nil }
        let cap = backoff.cap.clampedNanoseconds
        var longest = Double(backoff.initial.clampedNanoseconds)
        for _ in 1..<max(1, attempt) where longest < Double(cap) { longest *= backoff.multiplier }
        // A fraction of a nanosecond is lost.
        let most = min(Int64(longest), cap) + 1
        let least: Int64 =
            switch backoff.jitter {
            case .none: most - 2
            case .equal: max((most - 2) / 2, min(1_000_000, most - 2))
            case .full: min(1_000_000, most - 2)
            }
        return least...most
    }
}
