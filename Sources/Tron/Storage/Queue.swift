// First in, first out: a list that grows and is walked without reference counting.

/// Elements in the order they were added. Those that are taken are moved out.
///
/// Memory once taken is used again, and kept until the queue goes.
///
/// Invariant: exactly the `count` elements from `first` on are initialised, within `capacity`;
/// `first` is 0 when there are none.
@safe
final class Queue<Element> {
    private var storage = GrowableStorage<Element>(capacity: 64)
    private var first = 0
    private(set) var count = 0

    deinit {
        unsafe (storage.base + first).deinitialize(count: count)
        storage.deallocate()
    }

    var capacity: Int { storage.capacity }

    @inline(__always)
    var isEmpty: Bool { count == 0 }

    /// Whether one more element takes a move of the others, or more memory.
    @inline(__always)
    var isFull: Bool { first &+ count == storage.capacity }

    @inline(__always)
    func append(_ element: consuming Element) {
        if isFull { makeRoom() }
        unsafe (storage.base + (first &+ count)).initialize(to: element)
        count &+= 1
        assert(invariantHolds)
    }

    /// The oldest element. A walk that is to leave what is added meanwhile takes `count` elements,
    /// read before it begins.
    @inline(__always)
    func take() -> Element? {
        guard count > 0 else { return nil }
        let element = unsafe (storage.base + first).move()
        count &-= 1
        first = count == 0 ? 0 : first &+ 1
        assert(invariantHolds)
        return element
    }

    /// The oldest element, which stays.
    var oldest: Element? { count > 0 ? unsafe storage.base[first] : nil }

    /// Drops all elements.
    func removeAll() {
        while take() != nil {}
    }

    /// Drops the elements for which `condition` holds, which must not reach this queue. The others
    /// keep their order, and no memory is taken for them.
    func removeAll(where condition: (borrowing Element) -> Bool) {
        let elements = unsafe storage.base + first
        var kept = 0
        for index in 0..<count {
            let element = unsafe elements + index
            if condition(unsafe element.pointee) {
                unsafe element.deinitialize(count: 1)
            } else {
                if kept < index { unsafe (elements + kept).moveInitialize(from: element, count: 1) }
                kept += 1
            }
        }
        count = kept
        if kept == 0 { first = 0 }
        assert(invariantHolds)
    }

    /// Exchanges all elements, and the memory, with another queue's.
    func exchange(with other: Queue) {
        (storage, other.storage) = (other.storage, storage)
        (first, other.first) = (other.first, first)
        (count, other.count) = (other.count, count)
    }

    /// Moves what waits to the front, and doubles when that is more than half: so a queue that
    /// never empties stays as small as what waits in it.
    @inline(never)
    private func makeRoom() {
        unsafe storage.base.moveInitialize(from: storage.base + first, count: count)
        first = 0
        if 2 * count > storage.capacity {
            storage = storage.grown(keeping: count, in: "a queue")
        }
    }

    private var invariantHolds: Bool {
        0 <= count && 0 <= first && first &+ count <= storage.capacity
            && (count > 0 || first == 0)
    }
}
