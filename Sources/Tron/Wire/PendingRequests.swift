// Which request an answer belongs to: sequences out, waiters back, each exactly once.

/// The requests that wait for an answer, by sequence.
///
/// Sequences run from 0 to Int32.max and wrap to 0. They are given out in that order, and one that
/// still waits is skipped: so a sequence comes again only after all the others have been given out
/// once, and a late answer to a request that has ended finds nobody, not somebody else.
///
/// A waiter lies in the slot that its sequence's low bits name. At most half of the slots are
/// taken, so that the next free one is near; the table doubles to keep it so, and then allocates
/// nothing more.
///
/// Invariant: `count` slots hold a waiter, each in the slot of its sequence; count <= maximum, and
/// 2 * count <= capacity, a power of two.
@safe
final class PendingRequests<Waiter> {
    private struct Slot {
        var sequence: Int32
        var waiter: Waiter?
    }

    let maximum: Int
    private(set) var count = 0
    private var next: Int32
    private let first: Int32
    /// Whether every sequence has been given out at least once.
    private var hasWrapped = false
    private var slots: UnsafeMutablePointer<Slot>
    private var capacity = 64

    /// `maximum` requests may wait at the same time. A test may start near the wrap.
    init(maximum: Int, firstSequence: Int32 = 0) {
        precondition(maximum > 0 && maximum <= 1 << 30, "1 to 2^30 pending requests")
        self.maximum = maximum
        next = firstSequence
        first = firstSequence
        unsafe slots = Self.emptySlots(capacity)
    }

    deinit {
        unsafe slots.deinitialize(count: capacity)
        unsafe slots.deallocate()
    }

    /// Adds a waiter and names its sequence; nil when `maximum` wait already.
    func add(_ waiter: Waiter) -> Int32? {
        guard count < maximum else { return nil }
        if 2 * (count + 1) > capacity { grow() }
        while unsafe slots[slot(of: next)].waiter != nil { advance() }
        let sequence = next
        unsafe slots[slot(of: sequence)] = Slot(sequence: sequence, waiter: waiter)
        advance()
        count += 1
        assert(checkInvariant())
        return sequence
    }

    /// The waiter of a sequence that waits; nil for every other.
    func waiter(of sequence: Int32) -> Waiter? {
        let slot = unsafe slots + slot(of: sequence)
        return unsafe slot.pointee.sequence == sequence ? slot.pointee.waiter : nil
    }

    /// Puts another waiter in the place of one that waits.
    func replace(_ sequence: Int32, with waiter: Waiter) {
        let slot = unsafe slots + slot(of: sequence)
        precondition(unsafe slot.pointee.sequence == sequence && slot.pointee.waiter != nil)
        unsafe slot.pointee.waiter = waiter
    }

    /// Whether a sequence is one of those that were given out, whether it waits still or not.
    func hasGivenOut(_ sequence: Int32) -> Bool {
        if hasWrapped || sequence < 0 { return sequence >= 0 }
        return Self.distance(first, to: sequence) < Self.distance(first, to: next)
    }

    /// Ends a request: its waiter, the first time; nil after that. Nil, too, and nothing ends, when
    /// the waiter does not meet the condition.
    @inline(__always)
    func take(
        _ sequence: Int32, if condition: (borrowing Waiter) -> Bool = { _ in true }
    ) -> Waiter? {
        let slot = unsafe slots + slot(of: sequence)
        guard unsafe slot.pointee.sequence == sequence, unsafe slot.pointee.waiter != nil,
            unsafe condition(slot.pointee.waiter.unsafelyUnwrapped)
        else { return nil }
        let waiter = unsafe slot.pointee.waiter.take()
        count -= 1
        assert(checkInvariant())
        return waiter
    }

    /// The sequences that wait, in the order they were given out.
    func sequences() -> [Int32] {
        var found: [Int32] = []
        for index in 0..<capacity where unsafe slots[index].waiter != nil {
            found.append(unsafe slots[index].sequence)
        }
        // The older a sequence is, the farther ahead of it the next one lies.
        let next = next
        return found.sorted { Self.distance($0, to: next) > Self.distance($1, to: next) }
    }

    private func slot(of sequence: Int32) -> Int { Int(sequence) & (capacity - 1) }

    private func advance() {
        next = next == .max ? 0 : next + 1
        if next == first { hasWrapped = true }
    }

    private static func distance(_ sequence: Int32, to next: Int32) -> Int32 {
        (next &- sequence) & .max
    }

    /// Two sequences that differ in their low bits still do when more bits count.
    private func grow() {
        let old = unsafe slots
        let oldCapacity = capacity
        capacity *= 2
        unsafe slots = Self.emptySlots(capacity)
        for index in 0..<oldCapacity where unsafe old[index].waiter != nil {
            unsafe slots[slot(of: old[index].sequence)] = old[index]
        }
        unsafe old.deinitialize(count: oldCapacity)
        unsafe old.deallocate()
    }

    private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        unsafe slots.initialize(repeating: Slot(sequence: -1, waiter: nil), count: count)
        return unsafe slots
    }

    /// Compares the counters; looks at every slot too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        guard count >= 0, count <= maximum, 2 * count <= capacity else { return false }
        guard capacity & (capacity - 1) == 0, next >= 0 else { return false }
        guard thoroughly else { return true }
        var found = 0
        for index in 0..<capacity where unsafe slots[index].waiter != nil {
            guard unsafe slot(of: slots[index].sequence) == index else { return false }
            found += 1
        }
        return found == count
    }
}
