// The backoff: exact delays, their cap and end, and the ranges of jitter.
import Testing

@testable import Tron

@Suite struct BackoffTests {
    @Test("3 s and a multiplier of 2 give exactly 3, 6, 12 and 24 s")
    func doubling() {
        let delays = delays(of: Backoff(initial: .seconds(3), multiplier: 2), count: 4)
        #expect(delays == [.seconds(3), .seconds(6), .seconds(12), .seconds(24)])
    }

    @Test("whole multiples are exact for any initial delay")
    func exactMultiples() {
        let odd = Duration(attoseconds: 3_000_000_000_000_000_001)
        let backoff = Backoff(initial: odd, multiplier: 3, cap: .seconds(1 << 60))
        #expect(delays(of: backoff, count: 30).last == odd * Int(68_630_377_364_883))
    }

    @Test("a fractional multiplier is followed too")
    func fractions() {
        let backoff = Backoff(initial: .milliseconds(500), multiplier: 1.5, cap: .seconds(1.5))
        let expected: [Duration] = [.seconds(0.5), .seconds(0.75), .seconds(1.125), .seconds(1.5)]
        #expect(delays(of: backoff, count: 4) == expected)
    }

    @Test("a multiplier of 1 repeats the delay for ever")
    func constant() {
        let backoff = Backoff(initial: .seconds(3), multiplier: 1)
        #expect(delay(of: backoff, beforeAttempt: .max) == .seconds(3))
    }

    @Test("no delay is over the cap, which is a minute unless the initial delay is longer")
    func capping() {
        let backoff = Backoff(initial: .seconds(3), multiplier: 2)
        #expect(delay(of: backoff, beforeAttempt: 5) == .seconds(48))
        #expect(delay(of: backoff, beforeAttempt: 6) == .seconds(60))
        #expect(delay(of: Backoff(initial: .seconds(90)), beforeAttempt: 2) == .seconds(90))
    }

    @Test(
        "no attempt's number overflows",
        arguments: [63, 64, 127, 128, 1_024, 5_000, Int.max - 1, Int.max], [1.000_1, 2, 3, 1e300])
    func hugeAttempts(attempt: Int, multiplier: Double) {
        let longest = Duration(attoseconds: .max)
        let backoff = Backoff(initial: .seconds(3), multiplier: multiplier, cap: longest)
        let delay = delay(of: backoff, beforeAttempt: attempt)!
        #expect(delay > .seconds(3) && delay <= longest)
        if attempt == .max { #expect(delay == longest) }
    }

    @Test("the delays end after the last attempt")
    func attempts() {
        let backoff = Backoff(initial: .seconds(1), multiplier: 2, attempts: 2)
        #expect(delay(of: backoff, beforeAttempt: 2) == .seconds(2))
        #expect(delay(of: backoff, beforeAttempt: 3) == nil)
        #expect(delay(of: backoff, beforeAttempt: .max) == nil)
    }

    @Test("an attempt below the first counts as the first")
    func lowAttempts() {
        #expect(delay(of: Backoff(), beforeAttempt: 0) == .seconds(3))
        #expect(delay(of: Backoff(), beforeAttempt: .min) == .seconds(3))
    }

    @Test(
        "jitter stays in its range and uses all of it",
        arguments: [(Backoff.Jitter.full, 0.0), (.equal, 0.5), (.none, 1.0)])
    func jitter(jitter: Backoff.Jitter, lowest: Double) {
        let backoff = Backoff(initial: .seconds(4), multiplier: 2, jitter: jitter)
        var generator = SeededGenerator(seed: RandomRun.seed)
        let shares = (0..<10_000).map { _ in
            backoff.delay(beforeAttempt: 2, using: &generator)! / .seconds(8)
        }
        #expect(shares.allSatisfy { $0 >= lowest && $0 <= 1 }, "TRON_SEED=\(RandomRun.seed)")
        #expect(shares.min()! < lowest + 0.01, "TRON_SEED=\(RandomRun.seed)")
        #expect(shares.max()! > 0.99, "TRON_SEED=\(RandomRun.seed)")
        let mean = shares.reduce(0, +) / 10_000
        #expect(abs(mean - (lowest + 1) / 2) < 0.03, "TRON_SEED=\(RandomRun.seed)")
    }

    @Test("jitter never draws less than a millisecond, nor more than a delay that is shorter")
    func shortestDelay() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let backoff = Backoff(initial: .microseconds(1_010), jitter: .full)
        let short = Backoff(initial: .microseconds(5), jitter: .equal)
        for _ in 0..<1_000 {
            let delay = backoff.delay(beforeAttempt: 1, using: &generator)!
            #expect(delay >= .milliseconds(1), "TRON_SEED=\(RandomRun.seed)")
            #expect(short.delay(beforeAttempt: 1, using: &generator) == .microseconds(5))
        }
    }

    @Test("one seed gives one sequence of delays")
    func repetition() {
        let backoff = Backoff(initial: .seconds(1), jitter: .full)
        var first = SplitMix64(seed: 42)
        var second = SplitMix64(seed: 42)
        for attempt in 1...20 {
            let delay = backoff.delay(beforeAttempt: attempt, using: &first)
            #expect(delay == backoff.delay(beforeAttempt: attempt, using: &second))
        }
    }

    @Test("SplitMix64 gives the published sequence")
    func splitMix() {
        var generator = SplitMix64(seed: 1_234_567)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("values outside the documented ranges trap")
    func ranges() async {
        await #expect(processExitsWith: .failure) { _ = Backoff(initial: .zero) }
        await #expect(processExitsWith: .failure) { _ = Backoff(multiplier: 0.99) }
        await #expect(processExitsWith: .failure) { _ = Backoff(multiplier: .nan) }
        await #expect(processExitsWith: .failure) { _ = Backoff(cap: .seconds(2.9)) }
        await #expect(processExitsWith: .failure) { _ = Backoff(attempts: 0) }
    }

    private func delay(of backoff: Backoff, beforeAttempt attempt: Int) -> Duration? {
        var generator = SeededGenerator(seed: 0)
        return backoff.delay(beforeAttempt: attempt, using: &generator)
    }

    private func delays(of backoff: Backoff, count: Int) -> [Duration?] {
        (1...count).map { delay(of: backoff, beforeAttempt: $0) }
    }
}
