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
    private struct Slot {
        /// First, so that a slot's address is its element's.
        var element: Element?
        var generation: UInt32
        var nextFree: UInt32
    }

    static var bytesPerElement: Int { MemoryLayout<Slot>.stride }

    private(set) var count = 0

    private var slots: UnsafeMutablePointer<Slot>
    private var capacity = 16
    /// Slots from here on were never initialised, so that growing does not touch their memory.
    private var used: UInt32 = 0
    private var firstFree = Slab.none

    private static var none: UInt32 { .max }

    init() {
        unsafe slots = .allocate(capacity: capacity)
    }

    deinit {
        unsafe slots.deinitialize(count: Int(used))
        unsafe slots.deallocate()
    }

    func insert(_ element: Element) -> SlabKey {
        let index = takeFreeSlot()
        let slot = unsafe slots + Int(index)
        unsafe slot.pointee.element = element
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

    /// Nil when the key is stale or was never given out.
    @discardableResult
    func remove(_ key: SlabKey) -> Element? {
        guard let element = self[key] else { return nil }
        let slot = unsafe slots + Int(key.index)
        unsafe slot.pointee.element = nil
        unsafe slot.pointee.generation = SlabKey.generation(after: key.generation)
        unsafe slot.pointee.nextFree = firstFree
        firstFree = key.index
        count &-= 1
        assert(checkInvariant())
        return element
    }

    /// Puts another element in the place of a live key's; a stale key changes nothing.
    func replace(_ key: SlabKey, with element: Element) {
        guard self[key] != nil else { return }
        unsafe slots[Int(key.index)].element = element
    }

    /// Visits the elements in the order of their indices. The body may remove and insert; what it
    /// removes is not visited any more, what it inserts may or may not be.
    func forEach(_ body: (SlabKey, Element) -> Void) {
        var index: UInt32 = 0
        while index < used {
            let slot = unsafe slots[Int(index)]
            if let element = slot.element {
                body(SlabKey(index: index, generation: slot.generation), element)
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
        if Int(used) == capacity { grow() }
        let index = used
        let slot = Slot(element: nil, generation: 1, nextFree: Slab.none)
        unsafe (slots + Int(index)).initialize(to: slot)
        used &+= 1
        return index
    }

    /// Traps at 2³² slots, the end of the keys.
    private func grow() {
        demand(capacity < Int(UInt32.max), "a slab holds fewer than 2^32 elements")
        let doubled = min(capacity * 2, Int(UInt32.max))
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: doubled)
        unsafe larger.moveInitialize(from: slots, count: Int(used))
        unsafe slots.deallocate()
        unsafe slots = larger
        capacity = doubled
    }

    /// Compares the counters; walks every slot too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        count >= 0 && count <= Int(used) && Int(used) <= capacity
            && (count == Int(used)) == (firstFree == Slab.none)
            && (!thoroughly || everySlotIsLiveOrFree())
    }

    private func everySlotIsLiveOrFree() -> Bool {
        let all = unsafe UnsafeBufferPointer(start: slots, count: Int(used))
        let live = unsafe all.count { $0.element != nil }
        var free = 0
        var index = firstFree
        while index < used, free < all.count, unsafe all[Int(index)].element == nil {
            free += 1
            index = unsafe all[Int(index)].nextFree
        }
        return unsafe live == count && live + free == all.count && index == Slab.none
            && all.allSatisfy { $0.generation != 0 }
    }
}

extension Slab where Element: AnyObject {
    /// A live key's element without a reference counted to it, which would cost as much as a third
    /// of what the element does in a turn. It must stay in the slab while it is used.
    @inline(__always)
    func unretained(_ key: SlabKey) -> Unmanaged<Element>? {
        guard let slot = unsafe slot(of: key) else { return nil }
        // An optional reference and an optional unmanaged one are the same word.
        return unsafe UnsafeRawPointer(slot).load(as: Unmanaged<Element>?.self)
    }
}
