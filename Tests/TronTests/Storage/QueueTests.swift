// The queue: order, growth, walks during which elements are added, and who is released when.
import Testing

@testable import Tron

@Suite struct QueueTests {
    @Test func `elements come out in the order they were added, those added in between included`() {
        let queue = Queue<SlabKey>()
        #expect(queue.isEmpty && queue.take() == nil && queue.oldest == nil)
        queue.append(SlabKey(rawValue: 1))
        queue.append(SlabKey(rawValue: 2))
        #expect(queue.oldest?.rawValue == 1)
        #expect(queue.count == 2 && queue.take()?.rawValue == 1)
        queue.append(SlabKey(rawValue: 3))
        #expect(queue.count == 2 && !queue.isEmpty)
        #expect(queue.take()?.rawValue == 2 && queue.oldest?.rawValue == 3)
        #expect(queue.take()?.rawValue == 3)
        #expect(queue.take() == nil && queue.isEmpty)
    }

    @Test(arguments: [1, 2, 63, 1000])
    func `a queue stays as small as what waits in it, also when it never empties`(waiting: Int) {
        let queue = Queue<SlabKey>()
        for index in 0..<waiting { queue.append(SlabKey(rawValue: UInt64(index))) }
        for index in 0..<100_000 {
            queue.append(SlabKey(rawValue: UInt64(waiting + index)))
            guard queue.take()?.rawValue == UInt64(index) else {
                Issue.record("another key at \(index)")
                return
            }
        }
        #expect(queue.count == waiting && queue.capacity <= max(64, 4 * waiting))
    }

    /// As the loop takes woken sources: never more than wait, so that nil is not reached.
    @Test func `a queue from which just what waits is taken starts anew`() {
        let queue = Queue<SlabKey>()
        for index in 0..<100_000 {
            queue.append(SlabKey(rawValue: UInt64(index)))
            for _ in 0..<queue.count { _ = queue.take() }
        }
        #expect(queue.isEmpty && queue.capacity == 64)
    }

    @Test func `what is taken is released by its taker, what is left with the queue`() {
        let counter = Counter()
        do {
            let queue = Queue<Counted>()
            for _ in 0..<100 { queue.append(Counted(counter)) }
            for _ in 0..<70 { _ = queue.take() }
            #expect(counter.released == 70)
            // Through the end of the memory and to its front.
            for _ in 0..<90 { queue.append(Counted(counter)) }
            #expect(counter.released == 70 && queue.count == 120)
        }
        #expect(counter.released == 190)
        do {
            let queue = Queue<Counted>()
            for _ in 0..<50 { queue.append(Counted(counter)) }
            for _ in 0..<40 { _ = queue.take() }
        }
        #expect(counter.released == 240)
    }

    @Test func `what is dropped by a condition is released, and the others keep their order`() {
        let counter = Counter()
        let queue = Queue<(number: Int, counted: Counted)>()
        // From the middle of the memory to its end: there is no room behind.
        for number in 0..<64 { queue.append((number, Counted(counter))) }
        for _ in 0..<20 { _ = queue.take() }
        #expect(queue.isFull)
        queue.removeAll { !$0.number.isMultiple(of: 3) }
        #expect(counter.released == 20 + 29 && queue.capacity == 64)
        var left: [Int] = []
        while let (number, _) = queue.take() { left.append(number) }
        #expect(left == Array(stride(from: 21, to: 64, by: 3)))
        #expect(counter.released == 64)
        queue.append((1, Counted(counter)))
        queue.removeAll { _ in true }
        #expect(queue.isEmpty && counter.released == 65)
    }

    @Test(arguments: 0...3) func `one that a condition leaves is the next`(kept: Int) {
        let queue = Queue<Int>()
        for number in 0..<30 { queue.append(number) }
        for _ in 0..<10 { _ = queue.take() }
        queue.removeAll { $0 >= 20 + kept || $0 < 20 }
        #expect(queue.count == kept && queue.oldest == (kept == 0 ? nil : 20))
        queue.append(30)
        #expect((0..<kept).allSatisfy { queue.take() == 20 + $0 } && queue.take() == 30)
    }

    @Test func `calls may add calls, which are made after all those that waited`() {
        let queue = Queue<() -> Void>()
        var made: [Int] = []
        for number in 0..<3 {
            queue.append {
                made.append(number)
                for _ in 0..<100 { queue.append { made.append(number + 10) } }
            }
        }
        for _ in 0..<queue.count { queue.take()?() }
        #expect(made == [0, 1, 2] && queue.count == 300)
        while let call = queue.take() { call() }
        #expect(made.dropFirst(3) == (10...12).flatMap { Array(repeating: $0, count: 100) }[...])
    }

    @Test func `all elements can be dropped, and the queue goes on`() {
        let counter = Counter()
        let queue = Queue<Counted>()
        for _ in 0..<200 { queue.append(Counted(counter)) }
        queue.removeAll()
        #expect(counter.released == 200 && queue.isEmpty && queue.take() == nil)
        queue.append(Counted(counter))
        #expect(queue.count == 1 && counter.released == 200)
    }

    @Test func `two queues exchange what waits in them`() {
        let (one, other) = (Queue<Int>(), Queue<Int>())
        for number in 0..<200 { one.append(number) }
        for _ in 0..<100 { _ = one.take() }
        other.append(-1)
        one.exchange(with: other)
        #expect(one.count == 1 && other.count == 100)
        other.append(200)
        #expect(one.take() == -1 && one.isEmpty)
        #expect((100...200).allSatisfy { other.take() == $0 } && other.isEmpty)
    }

    @Test func `random operations agree with an array`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let queue = Queue<SlabKey>()
        var model: [SlabKey] = []
        for step in 0..<RandomRun.operations {
            // Now additions, now removals prevail, so that it grows and is emptied.
            let adds = Int.random(in: 0..<5, using: &generator) < (step / 500 % 2 == 0 ? 3 : 2)
            var agrees = true
            if adds {
                let key = SlabKey(rawValue: generator.next())
                queue.append(key)
                model.append(key)
            } else {
                agrees = queue.take() == (model.isEmpty ? nil : model.removeFirst())
            }
            guard agrees, queue.count == model.count, queue.isEmpty == model.isEmpty else {
                Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
                return
            }
        }
    }
}

private final class Counter {
    var released = 0
}

private final class Counted {
    private let counter: Counter

    init(_ counter: Counter) { self.counter = counter }

    deinit { counter.released += 1 }
}
