// Fuzzes the slab: any order of its operations, against a dictionary, with keys of all kinds.

/// Each operation is a byte for what to do and some for whom.
enum SlabFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        Element.alive = 0
        withExtendedLifetime(SlabRun()) { run in
            var choices = Choices(input)
            while !choices.isEmpty { run.perform(&choices) }
            run.finish()
        }
        require(Element.alive == 0, "\(Element.alive) elements were not released")
    }
}

private final class Element {
    nonisolated(unsafe) static var alive = 0

    init() { Element.alive += 1 }

    deinit { Element.alive -= 1 }
}

private final class SlabRun {
    private let slab = Slab<Element>()
    private var model: [SlabKey: ObjectIdentifier] = [:]
    private var keys: [SlabKey] = []
    private var given: Set<SlabKey> = []

    func perform(_ choices: inout Choices) {
        let operation = choices.byte()
        switch operation % 8 {
        case 0, 1: insert()
        case 2, 3: remove(someKey(&choices))
        case 4: replace(someKey(&choices))
        case 5: insertWhileLent(someKey(&choices), Int(operation / 8))
        case 6: walk(Int(operation / 8))
        default: look(someKey(&choices))
        }
        require(slab.count == model.count && slab.checkInvariant(), "count")
    }

    /// One that was given out, perhaps with a generation near its own; or any at all.
    private func someKey(_ choices: inout Choices) -> SlabKey {
        let choice = choices.byte()
        guard choice < 250, !keys.isEmpty else {
            return SlabKey(rawValue: choices.numberOfAnyMagnitude())
        }
        let key = keys[choices.number(below: keys.count)]
        let distance: UInt32 = choice < 200 ? 0 : UInt32(choice % 5)
        return SlabKey(index: key.index, generation: key.generation &+ distance)
    }

    private func insert() {
        guard model.count < 500 else { return }
        let element = Element()
        let key = slab.insert(element)
        require(key.rawValue != 0, "a key without a value")
        require(SlabKey(rawValue: key.rawValue) == key, "the raw value is another key")
        require(given.insert(key).inserted, "a key given out twice")
        model[key] = ObjectIdentifier(element)
        keys.append(key)
    }

    /// The slab may grow while an element is lent.
    private func insertWhileLent(_ key: SlabKey, _ count: Int) {
        slab.withElement(key) { _ in insert() }
        for _ in 0..<count { insert() }
    }

    private func remove(_ key: SlabKey) {
        let removed = slab.remove(key)
        require(removed.map { ObjectIdentifier($0) } == model.removeValue(forKey: key), "removed")
        look(key)
    }

    private func replace(_ key: SlabKey) {
        let element = Element()
        slab.replace(key, with: element)
        if model[key] != nil { model[key] = ObjectIdentifier(element) }
        look(key)
    }

    private func look(_ key: SlabKey) {
        require(slab[key].map { ObjectIdentifier($0) } == model[key], "looked up")
        var lent: ObjectIdentifier?
        slab.withElement(key) { lent = ObjectIdentifier($0) }
        require(lent == model[key], "lent")
        require((slab.key(at: key.index) == key) == (model[key] != nil), "the key of an index")
    }

    /// Visits all, and removes every so many.
    private func walk(_ interval: Int) {
        var visited: [SlabKey: ObjectIdentifier] = [:]
        let before = model
        var last: UInt32?
        slab.forEach { key, element in
            visited[key] = ObjectIdentifier(element)
            require(last.map { $0 < key.index } ?? true, "the order of a walk")
            last = key.index
            if interval > 0, visited.count % interval == 0 { remove(key) }
        }
        require(visited == before, "a walk that left one out, or made one up")
    }

    func finish() {
        walk(0)
        require(slab.checkInvariant(thoroughly: true), "the slab's invariant")
    }
}
