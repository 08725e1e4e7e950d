// A list of keys that grows and is then walked, without reference counting.

/// Keys in the order they were added.
///
/// Invariant: 0 <= next <= count <= capacity; keys before `next` have been taken; when all have
/// been, both are 0.
@safe
final class TokenQueue {
    private var keys: UnsafeMutablePointer<SlabKey>
    private(set) var capacity = 64
    private var count = 0
    private var next = 0

    init() { unsafe keys = .allocate(capacity: 64) }

    deinit { unsafe keys.deallocate() }

    @inline(__always)
    var isEmpty: Bool { next == count }

    @inline(__always)
    func append(_ key: SlabKey) {
        if count == capacity { makeRoom() }
        unsafe (keys + count).initialize(to: key)
        count &+= 1
        assert(isConsistent)
    }

    /// The oldest key. Keys that are added in between are found too.
    @inline(__always)
    func take() -> SlabKey? {
        guard next < count else { return nil }
        let key = unsafe keys[next]
        next &+= 1
        if next == count {
            next = 0
            count = 0
        }
        assert(isConsistent)
        return key
    }

    /// How many keys a walk may take that is to leave those which are added while it goes on.
    var waiting: Int { count &- next }

    /// Drops the keys that were taken when they are at least half, so that a queue which never
    /// empties stays as small as what waits in it; and else doubles.
    @inline(never)
    private func makeRoom() {
        let room = next >= capacity / 2 ? capacity : capacity * 2
        let keys = UnsafeMutablePointer<SlabKey>.allocate(capacity: room)
        unsafe keys.moveInitialize(from: self.keys + next, count: waiting)
        unsafe self.keys.deallocate()
        count = waiting
        next = 0
        unsafe self.keys = keys
        capacity = room
        assert(isConsistent)
    }

    /// The stated invariant.
    private var isConsistent: Bool {
        0 <= next && (next < count || count == 0 && next == 0) && count <= capacity
    }
}
