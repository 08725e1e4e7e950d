// Which request an answer belongs to: sequences out, waiters back, each exactly once.

/// The requests that wait for an answer, by sequence.
///
/// Sequences run from 0 to Int32.max and wrap to 0. They are given out in that order, and one whose
/// slot is still taken is skipped: so a sequence comes again only after all the others have had
/// their turn, and a late answer to a request that has ended finds nobody, not somebody else.
///
/// A waiter lies in the slot that its sequence's low bits name. At most half of the slots are
/// taken, so that the next free one is near; the table doubles to keep it so, and then allocates
/// nothing more.
///
/// Invariant: `count` slots have a sequence, each the slot that its sequence names, and exactly
/// these hold a waiter; count <= maximum, and 2 * count <= capacity, a power of two.
@safe
final class PendingRequests<Waiter> {
    /// In the place of a sequence: nobody waits here.
    private static var free: Int32 { -1 }

    let maximum: Int
    private(set) var count = 0
    private var next: Int32
    private let first: Int32
    /// Whether every sequence has been given out at least once.
    private var hasWrapped = false
    /// Every slot's sequence, or `free`.
    private var taken = GrowableStorage<Int32>(capacity: 64)
    /// Of as many slots; initialised where one is taken.
    private var waiters = GrowableStorage<Waiter>(capacity: 64)

    /// `maximum` requests may wait at the same time. A test may start near the wrap, or as if so
    /// many sequences had been given out before.
    init(maximum: Int, firstSequence: Int32 = 0, givenOutBefore: Int32 = 0) {
        demand(maximum > 0 && maximum <= 1 << 30, "1 to 2^30 pending requests")
        self.maximum = maximum
        next = (firstSequence &+ givenOutBefore) & .max
        first = firstSequence
        unsafe taken.base.initialize(repeating: Self.free, count: taken.capacity)
    }

    deinit {
        for index in 0..<capacity where unsafe taken.base[index] != Self.free {
            unsafe (waiters.base + index).deinitialize(count: 1)
        }
        taken.deallocate()
        waiters.deallocate()
    }

    private var capacity: Int { taken.capacity }

    /// Adds a waiter and names its sequence; nil when `maximum` wait already.
    func add(_ waiter: consuming Waiter) -> Int32? {
        guard let sequence = nextSequence() else { return nil }
        add(waiter, as: sequence)
        return sequence
    }

    /// The sequence that will be given out next, for a waiter that is made knowing it; nil when
    /// `maximum` wait already.
    @inline(__always)
    func nextSequence() -> Int32? {
        guard count < maximum else { return nil }
        if 2 &* (count &+ 1) > capacity { grow() }
        while unsafe taken.base[slot(of: next)] != Self.free { advance() }
        return next
    }

    /// Adds a waiter under the sequence that `nextSequence` just named.
    @inline(__always)
    func add(_ waiter: consuming Waiter, as sequence: Int32) {
        let slot = slot(of: sequence)
        assert(unsafe sequence == next && taken.base[slot] == Self.free)
        unsafe taken.base[slot] = sequence
        unsafe (waiters.base + slot).initialize(to: waiter)
        advance()
        count &+= 1
        assert(checkInvariant())
    }

    /// The waiter of a sequence that waits; nil for every other.
    func waiter(of sequence: Int32) -> Waiter? {
        isWaiting(sequence) ? unsafe waiters.base[slot(of: sequence)] : nil
    }

    @inline(__always)
    func isWaiting(_ sequence: Int32) -> Bool {
        unsafe sequence >= 0 && taken.base[slot(of: sequence)] == sequence
    }

    /// Puts another waiter in the place of one that waits.
    func replace(_ sequence: Int32, with waiter: Waiter) {
        demand(isWaiting(sequence), "nobody waits under this sequence")
        unsafe waiters.base[slot(of: sequence)] = waiter
    }

    /// Whether a sequence is one of those that were given out, whether it waits still or not.
    func hasGivenOut(_ sequence: Int32) -> Bool {
        if hasWrapped || sequence < 0 { return sequence >= 0 }
        return Self.distance(first, to: sequence) < Self.distance(first, to: next)
    }

    /// Ends a request: its waiter, the first time; nil after that.
    func take(_ sequence: Int32) -> Waiter? {
        take(sequence) { _ in true }
    }

    /// The same for a waiter that fulfils the condition. It is moved, not copied.
    @inline(__always)
    func take(_ sequence: Int32, if condition: (borrowing Waiter) -> Bool) -> Waiter? {
        guard isWaiting(sequence) else { return nil }
        let slot = slot(of: sequence)
        guard unsafe condition(waiters.base[slot]) else { return nil }
        let waiter = unsafe (waiters.base + slot).move()
        unsafe taken.base[slot] = Self.free
        count &-= 1
        assert(checkInvariant())
        return waiter
    }

    /// The sequences that wait, in the order they were given out.
    func sequences() -> [Int32] {
        var found: [Int32] = []
        for index in 0..<capacity where unsafe taken.base[index] != Self.free {
            found.append(unsafe taken.base[index])
        }
        // The older a sequence is, the farther ahead of it the next one lies.
        let next = next
        return found.sorted { Self.distance($0, to: next) > Self.distance($1, to: next) }
    }

    @inline(__always)
    private func slot(of sequence: Int32) -> Int { Int(sequence) & (capacity &- 1) }

    private func advance() {
        next = next == .max ? 0 : next + 1
        if next == first { hasWrapped = true }
    }

    private static func distance(_ sequence: Int32, to next: Int32) -> Int32 {
        (next &- sequence) & .max
    }

    /// Two sequences that differ in their low bits still do when more bits count.
    @inline(never)
    private func grow() {
        let (oldTaken, oldWaiters) = (taken, waiters)
        taken = GrowableStorage(capacity: 2 * oldTaken.capacity)
        waiters = GrowableStorage(capacity: taken.capacity)
        unsafe taken.base.initialize(repeating: Self.free, count: capacity)
        for index in 0..<oldTaken.capacity where unsafe oldTaken.base[index] != Self.free {
            let slot = unsafe slot(of: oldTaken.base[index])
            unsafe taken.base[slot] = oldTaken.base[index]
            unsafe (waiters.base + slot).moveInitialize(from: oldWaiters.base + index, count: 1)
        }
        oldTaken.deallocate()
        oldWaiters.deallocate()
    }

    /// Compares the counters; looks at every slot too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        count >= 0 && count <= maximum && 2 * count <= capacity
            && capacity & (capacity - 1) == 0 && next >= 0
            && (!thoroughly || everySlotIsItsSequences())
    }

    private func everySlotIsItsSequences() -> Bool {
        let slots = (0..<capacity).filter { unsafe taken.base[$0] != Self.free }
        return waiters.capacity == capacity && slots.count == count
            && slots.allSatisfy { unsafe slot(of: taken.base[$0]) == $0 }
    }
}
