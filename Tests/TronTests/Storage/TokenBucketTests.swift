// Token buckets: never more than the rate and the burst allow, and no less.
import Testing

@testable import Tron

/// A bucket that `#expect` can ask.
private final class SharedBucket {
    private var bucket: TokenBucket

    init(perSecond: Int, burst: Int) {
        bucket = TokenBucket(RateLimit(perSecond: perSecond, burst: burst), now: 0)
    }

    func take(now: Int64) -> Bool { bucket.take(now: now) }
    func isEmpty(now: Int64) -> Bool { bucket.isEmpty(now: now) }
    func refilled(now: Int64) -> Int64 { bucket.refilled(now: now) }

    /// How many it gives until it is empty, or so many.
    func takeAll(now: Int64, atMost most: Int = 1000) -> Int {
        (0..<most).prefix { _ in take(now: now) }.count
    }
}

@Suite struct TokenBucketTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `a full bucket gives its burst at once, and then what time brings`() {
        let bucket = SharedBucket(perSecond: 10, burst: 3)
        #expect(bucket.takeAll(now: 5) == 3)
        #expect(bucket.isEmpty(now: Self.second / 10 - 1))
        #expect(!bucket.isEmpty(now: 5 + Self.second / 10))
        #expect(bucket.takeAll(now: 5 + Self.second / 10) == 1)
    }

    @Test(arguments: [Int64(2), second, .max])
    func `a bucket holds no more than its burst, however long it waits`(now: Int64) {
        let bucket = SharedBucket(perSecond: 1_000_000_000, burst: 2)
        #expect(bucket.takeAll(now: 0) == 2)
        #expect(bucket.takeAll(now: now) == 2)
    }

    @Test func `a clock that goes back gives nothing, and nothing is taken away`() {
        let bucket = SharedBucket(perSecond: 1, burst: 1)
        #expect(bucket.takeAll(now: 10 * Self.second) == 1)
        #expect(bucket.isEmpty(now: 0) && bucket.isEmpty(now: 10 * Self.second))
        #expect(bucket.takeAll(now: 11 * Self.second) == 1)
    }

    @Test(
        arguments: [
            // Tokens a second, burst, and the nanoseconds until an empty one is refilled.
            (1, 1, 1_000_000_000), (1, 100, 1_000_000_000), (1000, 1000, 10_000_000),
            (1000, 5, 5_000_000), (3, 1, 333_333_334), (1_000_000_000, 1, 1),
        ] as [(Int, Int, Int64)])
    func `an empty bucket tells when going on is worth it`(
        perSecond: Int, burst: Int, wait: Int64
    ) {
        let bucket = SharedBucket(perSecond: perSecond, burst: burst)
        #expect(bucket.takeAll(now: 0) == burst)
        #expect(bucket.refilled(now: 0) == wait)
        #expect(bucket.refilled(now: wait) == wait && !bucket.isEmpty(now: wait))
    }

    @Test func `over any time a bucket gives its burst and its rate, and not one more`() {
        var random = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<200 {
            let limit = RateLimit(
                perSecond: .random(in: 1...5000, using: &random),
                burst: .random(in: 1...50, using: &random))
            var bucket = TokenBucket(limit, now: 0)
            var (now, taken) = (Int64(0), 0)
            while bucket.take(now: now) { taken += 1 }
            for _ in 0..<200 {
                now += .random(in: 0...5_000_000, using: &random)
                // Greedy, so that the bucket is never full and loses nothing.
                while bucket.take(now: now) { taken += 1 }
                let most = limit.burst + Int(now * Int64(limit.perSecond) / Self.second)
                #expect(taken <= most, "\(limit) at \(now), seed \(RandomRun.seed)")
            }
            let sustained = Int(now * Int64(limit.perSecond) / Self.second)
            let isNeverFull = limit.perSecond * 5 / 1000 + 2 <= limit.burst
            if isNeverFull {
                #expect(taken == limit.burst + sustained, "\(limit), seed \(RandomRun.seed)")
            }
        }
    }
}
