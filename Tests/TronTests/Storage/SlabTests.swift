// The slab: keys that go stale, slots that are reused, elements that are released.
import Testing

@testable import Tron

@Suite struct SlabTests {
    @Test("a key answers until its element is removed, and never after")
    func staleKeys() {
        let slab = Slab<Int>()
        let first = slab.insert(1)
        #expect(slab[first] == 1)
        #expect(slab.remove(first) == 1)
        let second = slab.insert(2)
        #expect(second.index == first.index)
        #expect(slab[first] == nil)
        #expect(slab.remove(first) == nil)
        slab.replace(first, with: 3)
        #expect(slab[second] == 2)
        #expect(slab.count == 1)
    }

    @Test("a replaced element keeps its key")
    func replacement() {
        let slab = Slab<Int>()
        let key = slab.insert(1)
        slab.replace(key, with: 2)
        #expect(slab[key] == 2)
        #expect(slab.count == 1)
    }

    @Test("a key that was never given out has no element")
    func foreignKeys() {
        let slab = Slab<Int>()
        let key = slab.insert(1)
        slab.remove(slab.insert(2))
        let next = SlabKey(index: key.index, generation: key.generation + 1).rawValue
        let raws: [UInt64] = [0, 1, .max, 1 << 32 | 16, 2 << 32 | 1, next]
        for raw in raws {
            #expect(slab[SlabKey(rawValue: raw)] == nil)
            #expect(slab.remove(SlabKey(rawValue: raw)) == nil)
        }
        #expect(slab.count == 1)
    }

    @Test("a key survives the way through its raw value, which is never 0")
    func rawValues() {
        let key = SlabKey(index: 7, generation: 0x8000_0001)
        #expect(key.rawValue == 0x8000_0001_0000_0007)
        #expect(SlabKey(rawValue: key.rawValue) == key)
        #expect(Slab<Int>().insert(1).rawValue != 0 && SlabKey.none.rawValue == 0)
        #expect(SlabKey.generation(after: .max) == 1)
    }

    @Test("freed slots are reused before new ones are taken")
    func reuse() {
        let slab = Slab<Int>()
        let keys = (0..<100).map(slab.insert)
        for key in keys where key.index % 2 == 0 { slab.remove(key) }
        let reused = (0..<50).map { slab.insert($0).index }
        let freed = keys.map(\.index).filter { $0.isMultiple(of: 2) }
        #expect(Set(reused) == Set(freed))
        #expect(slab.insert(0).index == 100)
        #expect(slab.checkInvariant(thoroughly: true))
    }

    @Test("a walk visits each element once, and may remove any and insert more")
    func walk() {
        let slab = Slab<Int>()
        let keys = (0..<40).map(slab.insert)
        var visited: [Int] = []
        slab.forEach { key, element in
            visited.append(element)
            slab.remove(key)
            if element + 1 < 40, element % 2 == 0 { slab.remove(keys[element + 1]) }
            if element < 40 { for _ in 0..<3 { _ = slab.insert(1_000) } }
        }
        #expect(visited.filter { $0 < 40 } == Array(stride(from: 0, to: 40, by: 2)))
        #expect(keys.allSatisfy { slab[$0] == nil })
        #expect(slab.checkInvariant(thoroughly: true))
    }

    @Test("an element is lent by a live key only")
    func lending() {
        let slab = Slab<Int>()
        func lent(_ key: SlabKey) -> Int? {
            var found: Int?
            slab.withElement(key) { found = $0 }
            return found
        }
        let other = slab.insert(1)
        let key = slab.insert(2)
        #expect(lent(key) == 2 && lent(other) == 1 && lent(.none) == nil)
        slab.remove(key)
        #expect(lent(key) == nil)
        #expect(lent(SlabKey(index: key.index, generation: key.generation + 1)) == nil)
        #expect(lent(SlabKey(index: 100, generation: 1)) == nil)
        #expect(lent(other) == 1)
    }

    @Test func `the slab may grow while an element is lent, which then acts`() {
        let slab = Slab<any Growing>()
        let key = slab.insert(Grower(slab))
        slab.withElement(key) { $0.grow() }
        #expect((slab[key] as? Grower)?.insertions == 1000 && slab.count == 1001)
    }

    @Test("an index has a key exactly while it has an element")
    func keysByIndex() {
        let slab = Slab<Int>()
        #expect(slab.key(at: 0) == nil)
        let first = slab.insert(1)
        #expect(slab.key(at: first.index) == first && slab.key(at: 1) == nil)
        slab.remove(first)
        #expect(slab.key(at: first.index) == nil)
        let second = slab.insert(2)
        #expect(second != first && slab.key(at: first.index) == second)
    }

    @Test("a slot takes no more than its element and 8 bytes")
    func size() {
        #expect(Slab<Counted>.bytesPerElement == 16)
        #expect(Slab<any Growing>.bytesPerElement == 24)
    }

    @Test("elements are released when removed, replaced, or left in a slab that goes")
    func release() {
        let counter = Counter()
        do {
            let slab = Slab<Counted>()
            let keys = (0..<50).map { _ in slab.insert(Counted(counter)) }
            #expect(counter.released == 0)
            slab.remove(keys[3])
            #expect(counter.released == 1)
            slab.replace(keys[4], with: Counted(counter))
            #expect(counter.released == 2)
        }
        #expect(counter.released == 51)
    }

    @Test("an element that is released may use the slab")
    func reentrantRelease() {
        let slab = Slab<Reentrant>()
        let other = slab.insert(Reentrant {})
        let key = slab.insert(
            Reentrant { [unowned slab] in
                slab.remove(other)
                for _ in 0..<100 { _ = slab.insert(Reentrant {}) }
            })
        slab.remove(key)
        #expect(slab.count == 100)
        #expect(slab.checkInvariant(thoroughly: true))
    }
}

private protocol Growing: AnyObject {
    func grow()
}

private final class Grower: Growing {
    private unowned let slab: Slab<any Growing>
    private(set) var insertions = 0

    init(_ slab: Slab<any Growing>) { self.slab = slab }

    func grow() {
        for _ in 0..<1000 {
            _ = slab.insert(Grower(slab))
            insertions += 1
        }
    }
}

private final class Counter {
    var released = 0
}

private final class Counted {
    private let counter: Counter

    init(_ counter: Counter) {
        self.counter = counter
    }

    deinit {
        counter.released += 1
    }
}

private final class Reentrant {
    private let action: () -> Void

    init(_ action: @escaping () -> Void) {
        self.action = action
    }

    deinit {
        action()
    }
}
