// The queue of keys: order, growth, and walks during which keys are added.
import Testing

@testable import Tron

@Suite struct TokenQueueTests {
    @Test func `keys come out in the order they were added, those added in between included`() {
        let queue = TokenQueue()
        #expect(queue.isEmpty && queue.take() == nil)
        queue.append(SlabKey(rawValue: 1))
        queue.append(SlabKey(rawValue: 2))
        #expect(queue.waiting == 2 && queue.take()?.rawValue == 1)
        queue.append(SlabKey(rawValue: 3))
        #expect(queue.waiting == 2 && !queue.isEmpty)
        #expect(queue.take()?.rawValue == 2 && queue.take()?.rawValue == 3)
        #expect(queue.take() == nil && queue.isEmpty)
    }

    @Test(arguments: [1, 2, 63, 1000])
    func `a queue stays as small as what waits in it, also when it never empties`(waiting: Int) {
        let queue = TokenQueue()
        for index in 0..<waiting { queue.append(SlabKey(rawValue: UInt64(index))) }
        for index in 0..<100_000 {
            queue.append(SlabKey(rawValue: UInt64(waiting + index)))
            guard queue.take()?.rawValue == UInt64(index) else {
                Issue.record("another key at \(index)")
                return
            }
        }
        #expect(queue.waiting == waiting && queue.capacity <= max(64, 4 * waiting))
    }

    /// As the loop takes woken sources: never more than wait, so that nil is not reached.
    @Test func `a queue from which just what waits is taken starts anew`() {
        let queue = TokenQueue()
        for index in 0..<100_000 {
            queue.append(SlabKey(rawValue: UInt64(index)))
            for _ in 0..<queue.waiting { _ = queue.take() }
        }
        #expect(queue.isEmpty && queue.capacity == 64)
    }

    @Test func `random operations agree with an array`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let queue = TokenQueue()
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
            guard agrees, queue.waiting == model.count, queue.isEmpty == model.isEmpty else {
                Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
                return
            }
        }
    }
}
