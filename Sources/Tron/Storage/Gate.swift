// A limit on how many do something at the same time, with a queue for the others.

/// Admits at most `limit` holders; the others wait their turn, by key.
///
/// Invariant: nobody waits while there is room.
final class Gate {
    private(set) var limit: Int
    private var holders = 0
    private let waiting = Queue<SlabKey>()

    init(limit: Int) {
        demand(limit > 0, "a gate admits at least one")
        self.limit = limit
    }

    /// Whether `key` may go on now; otherwise it waits, and a `leave` will name it.
    func enter(_ key: SlabKey) -> Bool {
        defer { assert(isConsistent) }
        if holders < limit {
            holders += 1
            return true
        }
        waiting.append(key)
        return false
    }

    /// A holder leaves: the key that holds its place now, if one waited.
    func leave() -> SlabKey? {
        defer { assert(isConsistent) }
        if holders <= limit, let key = waiting.take() { return key }
        holders -= 1
        return nil
    }

    /// Sets another limit: the keys that hold a place now of those that waited. A lower one holds
    /// as soon as so many have left.
    func setLimit(_ limit: Int) -> [SlabKey] {
        demand(limit > 0, "a gate admits at least one")
        defer { assert(isConsistent) }
        self.limit = limit
        var admitted: [SlabKey] = []
        while holders < limit, let key = waiting.take() {
            holders += 1
            admitted.append(key)
        }
        return admitted
    }

    /// The stated invariant.
    private var isConsistent: Bool {
        0 <= holders && (waiting.isEmpty || holders >= limit)
    }
}
