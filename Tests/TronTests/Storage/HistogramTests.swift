// The histogram beside a sorted list of all that was recorded.
import Testing

@testable import Tron

@Suite("Histogram")
struct HistogramTests {
    @Test("small values are told exactly, large ones to the resolution", arguments: [1, 5, 10])
    func resolution(bits: Int) {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<100 {
            let value = generator.nextOfAnyMagnitude() >> 24
            var histogram = Histogram(significantBits: bits, limit: 1 << 40)
            histogram.record(value)
            // A larger one, so that the maximum does not stand in for the bucket's end.
            histogram.record(1 << 40)
            let told = histogram.value(atQuantile: 0.5)
            #expect(told >= value, "seed \(RandomRun.seed)")
            #expect(told - value <= value >> UInt64(bits), "seed \(RandomRun.seed)")
            if value < 2 << UInt64(bits) { #expect(told == value) }
        }
    }

    @Test("percentiles, counts and sums are those of a sorted list")
    func percentiles() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        var histogram = Histogram(significantBits: 10, limit: 1 << 40)
        var values: [UInt64] = []
        for _ in 0..<10_000 {
            let value = generator.nextOfAnyMagnitude() >> 24
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        for quantile in [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
            let rank = max(1, Int((quantile * Double(values.count)).rounded(.up)))
            let exact = values[rank - 1]
            let told = histogram.value(atQuantile: quantile)
            #expect(told >= exact && told - exact <= exact >> 10, "seed \(RandomRun.seed)")
        }
        #expect(histogram.count == 10_000)
        #expect(histogram.total == values.reduce(0, +))
        #expect(histogram.maximum == values.last)
        for bound in [UInt64(0), 5, 1000, 2047, 1 << 40, .max] {
            #expect(histogram.count(upTo: bound) == values.filter { $0 <= bound }.count)
        }
    }

    @Test("a value that occurred many times counts as often")
    func repeated() {
        var together = Histogram()
        var singly = Histogram()
        for (value, times) in [(UInt64(7), UInt64(3)), (90_000, 64), (91_000, 0)] {
            together.record(value, times: times)
            for _ in 0..<times { singly.record(value) }
        }
        #expect(together == singly)
    }

    @Test("an empty one has no values")
    func empty() {
        let histogram = Histogram()
        #expect(histogram.value(atQuantile: 0.99) == 0)
        #expect(histogram.maximum == 0)
        #expect(histogram.count(upTo: .max) == 0)
    }

    @Test("what exceeds the limit counts, and its maximum is exact")
    func beyondTheLimit() {
        var histogram = Histogram(significantBits: 5, limit: 1000)
        histogram.record(5000)
        histogram.record(1)
        #expect(histogram.value(atQuantile: 1) == 5000)
        #expect(histogram.value(atQuantile: 0.5) == 1)
        #expect(histogram.count(upTo: 2000) == 1)
        #expect(histogram.count(upTo: 5000) == 2)
    }

    @Test("two of them add, and a later less an earlier is what came between")
    func sumsAndDifferences() {
        var earlier = Histogram()
        for value in 0..<1000 { earlier.record(UInt64(value * value)) }
        var later = earlier
        var between = Histogram()
        for value in 0..<100 {
            later.record(UInt64(value))
            between.record(UInt64(value))
        }
        var difference = later.since(earlier)
        #expect(difference.count == 100)
        #expect(difference.total == between.total)
        #expect(difference.maximum >= 99 && difference.maximum <= 99 + 99 >> 5)
        for quantile in [0.1, 0.5, 0.9] {
            #expect(difference.value(atQuantile: quantile) == between.value(atQuantile: quantile))
        }
        #expect(later.since(later).maximum == 0)
        difference.add(earlier)
        #expect(difference.count == later.count)
        #expect(difference.value(atQuantile: 0.5) == later.value(atQuantile: 0.5))
        later.record(5_000_000)
        #expect(later.since(earlier).maximum == 5_000_000)
    }

    @Test("the sum of the values wraps around")
    func wrapping() {
        var histogram = Histogram()
        histogram.record(.max)
        histogram.record(3)
        #expect(histogram.total == 2 && histogram.maximum == .max && histogram.count == 2)
    }
}
