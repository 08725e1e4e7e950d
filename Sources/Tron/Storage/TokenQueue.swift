// A list of keys that grows and is then walked, without reference counting.

/// Keys in the order they were added.
///
/// Invariant: 0 <= next <= count <= capacity; keys before `next` have been taken.
@safe
final class TokenQueue {
    private var keys: UnsafeMutablePointer<SlabKey>
    private var capacity = 64
    private var count = 0
    private var next = 0

    init() { unsafe keys = .allocate(capacity: 64) }

    deinit { unsafe keys.deallocate() }

    @inline(__always)
    var isEmpty: Bool { next == count }

    @inline(__always)
    func append(_ key: SlabKey) {
        if count == capacity { grow() }
        unsafe (keys + count).initialize(to: key)
        count &+= 1
    }

    /// The oldest key. Keys that are added in between are found too.
    @inline(__always)
    func take() -> SlabKey? {
        guard next < count else {
            next = 0
            count = 0
            return nil
        }
        defer { next &+= 1 }
        return unsafe keys[next]
    }

    /// How many keys a walk may take that is to leave those which are added while it goes on.
    var waiting: Int { count &- next }

    private func grow() {
        let larger = UnsafeMutablePointer<SlabKey>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: keys, count: count)
        unsafe keys.deallocate()
        unsafe keys = larger
        capacity *= 2
    }
}
