// Durations in the units that the kernel and the timer wheel count in.

extension Duration {
    /// The longest time that is told apart from for ever: 146 years. Its sum with any clock
    /// reading still fits 64 bits.
    static let longest = Duration.nanoseconds(Int64.max / 2)

    /// Whole nanoseconds, at least 0 and at most `longest`.
    package var clampedNanoseconds: Int64 {
        if attoseconds <= 0 { return 0 }
        // Up to 18 s fit 64 bits even in attoseconds, and divide there at a tenth of the cost.
        if let short = UInt64(exactly: attoseconds) { return Int64(short / 1_000_000_000) }
        if self >= .longest { return Int64.max / 2 }
        return Int64(attoseconds / 1_000_000_000)
    }

    /// How many of `unit` cover this time: 1.2 s is 2 seconds.
    func roundedUp(to unit: Duration) -> Int64 {
        let size = unit.clampedNanoseconds
        return (clampedNanoseconds + size - 1) / size
    }
}
