// Seeded randomness for the tests: every random run can be repeated from the seed it reports.
import Glibc

/// SplitMix64, written here a second time so that tests do not depend on what they test.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// A random number with a random number of digits, so that all magnitudes are tried.
    mutating func nextOfAnyMagnitude() -> UInt64 {
        next() >> UInt64.random(in: 0...63, using: &self)
    }
}

/// What the environment asks of random tests.
enum RandomRun {
    /// TRON_SEED, or another one in every run.
    static let seed: UInt64 = number("TRON_SEED") ?? .random(in: .min ... .max)
    /// TRON_OPERATIONS, or as many as a debug build does in a second or two.
    static let operations = number("TRON_OPERATIONS").map { Int($0) } ?? 100_000

    /// Whether a run is long enough for each kind of operation to come often, and all faults.
    /// Shorter ones are for sanitizers.
    static var meetsEveryKind: Bool { operations >= 100_000 }

    private static func number(_ name: String) -> UInt64? {
        guard let text = getenv(name) else { return nil }
        return UInt64(String(cString: text))
    }
}
