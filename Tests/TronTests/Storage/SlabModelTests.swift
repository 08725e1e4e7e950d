// The slab beside a dictionary: random operations agree, and stale keys find nothing.
import Testing

@testable import Tron

@Suite struct SlabModelTests {
    @Test("random operations agree with a dictionary")
    func model() {
        var run = SlabRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations {
            let agrees = run.perform() && (step % 10_000 != 0 || run.agreesInFull())
            if !agrees {
                Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
                return
            }
        }
        #expect(run.agreesInFull(), "TRON_SEED=\(RandomRun.seed)")
    }
}

/// A slab beside a dictionary, with some stale keys at hand.
private struct SlabRun {
    private let slab = Slab<Int>()
    private var model: [SlabKey: Int] = [:]
    private var live: [SlabKey] = []
    private var stale = [SlabKey(rawValue: 0)]
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func perform() -> Bool {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...2 where live.count < 1_000: return insert()
        case 3...5: return remove()
        case 6: return live.isEmpty || look(live.randomElement(using: &generator)!)
        default: return look(stale.randomElement(using: &generator)!)
        }
    }

    private mutating func insert() -> Bool {
        let element = Int.random(in: 0...Int.max, using: &generator)
        let key = slab.insert(element)
        live.append(key)
        return model.updateValue(element, forKey: key) == nil && slab.count == model.count
    }

    private mutating func remove() -> Bool {
        guard !live.isEmpty else { return true }
        let place = Int.random(in: 0..<live.count, using: &generator)
        live.swapAt(place, live.count - 1)
        let key = live.removeLast()
        if stale.count < 100 { stale.append(key) } else { stale[place % 100] = key }
        return slab.remove(key) == model.removeValue(forKey: key) && slab.remove(key) == nil
    }

    private func look(_ key: SlabKey) -> Bool {
        slab[key] == model[key]
    }

    func agreesInFull() -> Bool {
        var visited: [SlabKey: Int] = [:]
        slab.forEach { visited[$0] = $1 }
        return visited == model && slab.checkInvariant(thoroughly: true)
    }
}
