// A limit on how many do something at the same time, with a queue for the others.

/// Admits at most `limit` holders; the others wait their turn, by key.
///
/// Invariant: holders <= limit, and nobody waits while there is room.
final class Gate {
    private let limit: Int
    private var holders = 0
    private var waiting: [SlabKey] = []
    private var next = 0

    init(limit: Int) {
        precondition(limit > 0, "a gate admits at least one")
        self.limit = limit
    }

    /// Whether `key` may go on now; otherwise it waits, and a `leave` will name it.
    func enter(_ key: SlabKey) -> Bool {
        if holders < limit {
            holders += 1
            return true
        }
        waiting.append(key)
        return false
    }

    /// A holder leaves: the key that holds its place now, if one waited.
    func leave() -> SlabKey? {
        guard next < waiting.count else {
            holders -= 1
            return nil
        }
        let key = waiting[next]
        next += 1
        // What was taken is dropped in large pieces, so that a queue which never empties stays
        // short.
        if 2 * next >= waiting.count {
            waiting.removeFirst(next)
            next = 0
        }
        return key
    }
}
