// A slab: elements at stable indices, named by keys that go stale when their element is removed.

/// Names an element of a slab: an index, and the generation that tells it from the slot's earlier
/// owners. The raw value 0 never names anything.
struct SlabKey: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// The generation is in the high half.
    init(rawValue: UInt64) {
        index = UInt32(truncatingIfNeeded: rawValue)
        generation = UInt32(truncatingIfNeeded: rawValue &>> 32)
    }

    /// Never names an element.
    static var none: SlabKey { SlabKey(index: 0, generation: 0) }

    var rawValue: UInt64 { UInt64(generation) &<< 32 | UInt64(index) }

    /// The generation after `generation`. 0 is skipped, so that no live key has the raw value 0.
    static func generation(after generation: UInt32) -> UInt32 {
        generation == .max ? 1 : generation &+ 1
    }
}

/// Insertion, lookup and removal take constant time and allocate only to grow; memory once taken is
/// kept until the slab goes. A key answers until its element is removed, and after that only if the
/// same slot was reused 2³² − 1 times.
///
/// Invariant: each slot below `used` either holds an element or is on the free list, exactly once.
@safe
final class Slab<Element> {
    /// Lends its element without counting a reference to it. For that it cannot be copied and its
    /// element is constant: an element in a plain optional would be retained.
    private struct Holder: ~Copyable {
        let element: Element

        @inline(__always)
        borrowing func lend(to body: (Element) -> Void) { body(element) }

        @inline(__always)
        consuming func taken() -> Element { element }
    }

    private struct Slot: ~Copyable {
        var holder: Holder?
        var generation: UInt32 = 1
        var nextFree = Slab.none

        var element: Element? {
            @inline(__always)
            borrowing get {
                switch holder {
                case .some(let holder): holder.element
                case nil: nil
                }
            }
        }

        @inline(__always)
        borrowing func lend(to body: (Element) -> Void) {
            switch holder {
            case .some(let holder): holder.lend(to: body)
            case nil: break
            }
        }
    }

    static var bytesPerElement: Int { MemoryLayout<Slot>.stride }

    private(set) var count = 0

    private var storage = GrowableStorage<Slot>(capacity: 16)
    /// Slots from here on were never initialised, so that growing does not touch their memory.
    private var used: UInt32 = 0
    private var firstFree = Slab.none

    private static var none: UInt32 { .max }

    deinit {
        unsafe slots.deinitialize(count: Int(used))
        storage.deallocate()
    }

    @inline(__always)
    private var slots: UnsafeMutablePointer<Slot> { unsafe storage.base }

    func insert(_ element: Element) -> SlabKey {
        let index = takeFreeSlot()
        let slot = unsafe slots + Int(index)
        unsafe slot.pointee.holder = Holder(element: element)
        count &+= 1
        assert(checkInvariant())
        return unsafe SlabKey(index: index, generation: slot.pointee.generation)
    }

    /// Nil when the key is stale or was never given out.
    subscript(key: SlabKey) -> Element? {
        unsafe slot(of: key)?.pointee.element
    }

    @inline(__always)
    private func slot(of key: SlabKey) -> UnsafeMutablePointer<Slot>? {
        guard key.index < used else { return nil }
        let slot = unsafe slots + Int(key.index)
        return unsafe slot.pointee.generation == key.generation ? slot : nil
    }

    /// Lends the element to `body`; a stale key calls nothing. No reference is counted to it, which
    /// would cost as much as a third of what a source does in a turn. So it must stay in the slab
    /// meanwhile. The slab may grow in `body`: its slot is not looked at again.
    @inline(__always)
    func withElement(_ key: SlabKey, _ body: (Element) -> Void) {
        if let slot = unsafe slot(of: key) { unsafe slot.pointee.lend(to: body) }
    }

    /// The key of the element at this index, if there is one.
    func key(at index: UInt32) -> SlabKey? {
        guard index < used, unsafe slots[Int(index)].element != nil else { return nil }
        return unsafe SlabKey(index: index, generation: slots[Int(index)].generation)
    }

    /// Nil when the key is stale or was never given out.
    @discardableResult
    func remove(_ key: SlabKey) -> Element? {
        guard let slot = unsafe slot(of: key), let holder = unsafe slot.pointee.holder.take() else {
            return nil
        }
        unsafe slot.pointee.generation = SlabKey.generation(after: key.generation)
        unsafe slot.pointee.nextFree = firstFree
        firstFree = key.index
        count &-= 1
        assert(checkInvariant())
        return holder.taken()
    }

    /// Puts another element in the place of a live key's; a stale key changes nothing.
    func replace(_ key: SlabKey, with element: Element) {
        guard self[key] != nil else { return }
        unsafe slots[Int(key.index)].holder = Holder(element: element)
    }

    /// Visits the elements in the order of their indices. The body may remove and insert; what it
    /// removes is not visited any more, what it inserts may or may not be.
    func forEach(_ body: (SlabKey, Element) -> Void) {
        var index: UInt32 = 0
        while index < used {
            let slot = unsafe slots + Int(index)
            if let element = unsafe slot.pointee.element {
                body(SlabKey(index: index, generation: unsafe slot.pointee.generation), element)
            }
            index &+= 1
        }
    }

    private func takeFreeSlot() -> UInt32 {
        if firstFree != Slab.none {
            let index = firstFree
            firstFree = unsafe slots[Int(index)].nextFree
            return index
        }
        if Int(used) == storage.capacity {
            storage = storage.grown(keeping: Int(used), atMost: Int(UInt32.max), in: "a slab")
        }
        let index = used
        unsafe (slots + Int(index)).initialize(to: Slot(holder: nil))
        used &+= 1
        return index
    }

    /// Compares the counters; walks every slot too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        count >= 0 && count <= Int(used) && Int(used) <= storage.capacity
            && (count == Int(used)) == (firstFree == Slab.none)
            && (!thoroughly || everySlotIsLiveOrFree())
    }

    private func everySlotIsLiveOrFree() -> Bool {
        let live = (0..<used).count { key(at: $0) != nil }
        var free = 0
        var index = firstFree
        while index < used, free < Int(used), key(at: index) == nil {
            free += 1
            index = unsafe slots[Int(index)].nextFree
        }
        return live == count && live + free == Int(used) && index == Slab.none
            && (0..<used).allSatisfy { unsafe slots[Int($0)].generation != 0 }
    }
}
