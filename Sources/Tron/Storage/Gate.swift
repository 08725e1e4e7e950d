// A limit on how many do something at the same time, with a queue for the others.

/// Admits at most `limit` holders; the others wait their turn, by key.
///
/// Invariant: holders <= limit, and nobody waits while there is room.
final class Gate {
    private let limit: Int
    private var holders = 0
    private let waiting = TokenQueue()

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
        if let key = waiting.take() { return key }
        holders -= 1
        return nil
    }

    /// The stated invariant.
    private var isConsistent: Bool {
        0 <= holders && holders <= limit && (waiting.isEmpty || holders == limit)
    }
}
