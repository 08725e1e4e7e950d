// What a rate allows, computed another way than the library does.
import TronTestKit

@testable import Tron

/// How many there may have been of what a limit bounds, by the time since it began.
struct RateRule {
    private let limit: RateLimit
    private let beginning: Int64
    private var count = 0

    init(_ limit: RateLimit, from time: Int64) {
        self.limit = limit
        beginning = time
    }

    /// One more. False when that is more than there may be, whatever came when.
    mutating func allowsOneMore(at time: Int64) -> Bool {
        count += 1
        let most = Double(limit.burst) + Double(time - beginning) * Double(limit.perSecond) / 1e9
        return Double(count) <= most + 0.001
    }

    /// The longest that it may take until there are some again.
    static func pause(_ limit: RateLimit) -> Int64 {
        max(10_000_000, 1_000_000_000 / Int64(limit.perSecond))
    }
}
