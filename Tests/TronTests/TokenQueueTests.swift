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
