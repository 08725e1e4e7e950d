// Counts of values in log-linear buckets: percentiles with a bounded relative error.

/// How often values of each size occurred, as with HdrHistogram: exact below 2^`significantBits`,
/// and above in buckets no wider than the value divided by that, whatever its size. Of values in
/// nanoseconds 5 bits tell percentiles to 3 %, 10 bits to three digits.
///
/// Invariant: `count` is the sum of all buckets, and `total` that of all values.
public struct Histogram: Hashable, Sendable {
    /// The resolution, 1 to 16.
    public let significantBits: Int

    /// Values from this one on share the last bucket.
    public let limit: UInt64

    /// How many values were recorded.
    public private(set) var count: UInt64 = 0

    /// The sum of the values; it wraps around after 584 years in nanoseconds.
    public private(set) var total: UInt64 = 0

    /// The largest value, exactly; 0 when there is none.
    public private(set) var maximum: UInt64 = 0

    private var buckets: [UInt64]

    /// An empty one. It takes 8 bytes for each of the 2^`significantBits` buckets of an octave:
    /// 9 KB with 5 bits and a limit of a minute in nanoseconds.
    public init(significantBits: Int = 5, limit: UInt64 = 1 << 36) {
        demand((1...16).contains(significantBits), "significantBits: 1 to 16")
        demand(limit > 0, "limit: at least 1")
        self.significantBits = significantBits
        self.limit = limit
        buckets = Array(repeating: 0, count: Self.index(of: limit, significantBits) + 1)
    }

    /// Counts a value that occurred, or occurred so many times.
    public mutating func record(_ value: UInt64, times: UInt64 = 1) {
        buckets[Self.index(of: min(value, limit), significantBits)] &+= times
        count &+= times
        total &+= value &* times
        if value > maximum, times > 0 { maximum = value }
    }

    /// Counts all that another of the same shape has counted.
    public mutating func add(_ other: Histogram) {
        requireSameShape(other)
        for index in buckets.indices { buckets[index] &+= other.buckets[index] }
        count &+= other.count
        total &+= other.total
        maximum = max(maximum, other.maximum)
        assert(isConsistent)
    }

    /// What was recorded since an earlier state of the same histogram. Its `maximum` is exact only
    /// when it exceeds the earlier one; else it is the upper end of the last bucket that grew.
    public func since(_ earlier: Histogram) -> Histogram {
        requireSameShape(earlier)
        var difference = self
        var last: Int?
        for index in buckets.indices {
            difference.buckets[index] &-= earlier.buckets[index]
            if difference.buckets[index] != 0 { last = index }
        }
        difference.count &-= earlier.count
        difference.total &-= earlier.total
        if maximum == earlier.maximum {
            difference.maximum = last.map { min(maximum, upperEnd(of: $0)) } ?? 0
        }
        assert(difference.isConsistent)
        return difference
    }

    /// The value that the share `quantile` (0 to 1) of all values does not exceed: 0.99 for the
    /// 99th percentile. It is the upper end of the value's bucket, at most `maximum`; 0 when
    /// nothing was recorded.
    public func value(atQuantile quantile: Double) -> UInt64 {
        demand((0...1).contains(quantile), "a quantile is between 0 and 1")
        let rank = max(1, UInt64((quantile * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            seen &+= bucket
            if seen >= rank { return min(maximum, upperEnd(of: index)) }
        }
        return maximum
    }

    /// How many values do not exceed `bound`, to the resolution of its bucket.
    public func count(upTo bound: UInt64) -> UInt64 {
        if bound >= limit { return bound >= maximum ? count : count &- buckets[buckets.count - 1] }
        return buckets[...Self.index(of: bound, significantBits)].reduce(0, &+)
    }
}

extension Histogram {
    /// Each octave above 2^(bits + 1) is shifted down to as many buckets.
    @inline(__always)
    private static func index(of value: UInt64, _ bits: Int) -> Int {
        let octave = 63 &- (value | 1).leadingZeroBitCount
        let shift = max(0, octave &- bits)
        return (shift &<< bits) &+ Int(truncatingIfNeeded: value &>> UInt64(shift))
    }

    /// The largest value of a bucket.
    private func upperEnd(of index: Int) -> UInt64 {
        let shift = max(0, (index >> significantBits) - 1)
        if index == buckets.count - 1 { return .max }
        return (UInt64(index - shift << significantBits) + 1) << UInt64(shift) - 1
    }

    private func requireSameShape(_ other: Histogram) {
        demand(
            significantBits == other.significantBits && limit == other.limit,
            "histograms of different shapes")
    }

    private var isConsistent: Bool { buckets.reduce(0, &+) == count }
}
