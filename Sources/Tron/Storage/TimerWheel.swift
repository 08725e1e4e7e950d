// A hierarchical timer wheel: any number of deadlines, each scheduled and cancelled in O(1).

typealias TimerKey = SlabKey

/// A timer, or the end of a list: the lists are rings through one node that stands for the list
/// itself, so that a timer is unlinked without knowing its list. 32 bytes.
private struct TimerNode {
    /// In a list's end: the first timer. In a free node: the next free one.
    var next: UInt32
    /// In a list's end: the last timer.
    var previous: UInt32
    /// In the end of a list with timers: a tick not later than any of their deadlines.
    var deadline: UInt64
    var owner: UInt64 = 0
    var generation: UInt32 = 1
    var isLive = false

    static func emptyList(_ index: UInt32) -> TimerNode {
        TimerNode(next: index, previous: index, deadline: .max)
    }
}

/// Eleven levels of 64 slots cover all ticks. A slot of level n is 64ⁿ ticks wide; a timer waits at
/// the level of the highest group of six bits in which its deadline differs from `now`:
///
///     level 2  |  4096 ticks a slot  | . . . x . .     the timers of a slot move down
///     level 1  |    64 ticks a slot  | . x x . . .     when `now` reaches its first tick,
///     level 0  |     1 tick a slot   | . . x . x x     and from level 0 to the due list
///
/// So all slots of a level come before those of the next, a slot behind `now` is empty, and equal
/// deadlines share a list: timers become due in the order of their deadlines, and equal ones in
/// the order of their scheduling.
///
/// Invariant: each timer is in the list that `list(for:)` names, and a slot's bit is set exactly
/// while its list has timers.
@safe
final class TimerWheel {
    /// Timers that are neither taken nor cancelled, those that are due included.
    private(set) var count = 0
    /// The tick reached by `advance`: what is not later is due.
    private(set) var now: UInt64

    private static var levels: Int { 11 }
    private static var due: UInt32 { UInt32(levels * 64) }
    private static var lists: UInt32 { due + 1 }
    private static var none: UInt32 { .max }

    /// One bit for each slot, a word for each level.
    private let occupiedSlots: UnsafeMutablePointer<UInt64>
    /// One bit for each level that has an occupied slot.
    private var occupiedLevels: UInt32 = 0

    /// The ends of the lists first (level * 64 + slot, then the due list), the timers after them.
    private var nodes: UnsafeMutablePointer<TimerNode>
    private var capacity = 1024
    /// Nodes from here on were never initialised, so that growing does not touch their memory.
    private var used = TimerWheel.lists
    private var firstFree = TimerWheel.none

    init(now tick: UInt64 = 0) {
        now = tick
        unsafe occupiedSlots = .allocate(capacity: TimerWheel.levels)
        unsafe occupiedSlots.initialize(repeating: 0, count: TimerWheel.levels)
        unsafe nodes = .allocate(capacity: capacity)
        for list in 0..<TimerWheel.lists {
            unsafe (nodes + Int(list)).initialize(to: .emptyList(list))
        }
    }

    deinit {
        unsafe occupiedSlots.deallocate()
        unsafe nodes.deallocate()
    }

    // MARK: Scheduling

    /// A tick that has passed counts as `now`: the timer is due at once. The owner means nothing
    /// here and is handed back by `takeDue`.
    func schedule(at tick: UInt64, owner: UInt64) -> TimerKey {
        let index = takeFreeNode()
        let node = unsafe nodes + Int(index)
        unsafe node.pointee.deadline = max(tick, now)
        unsafe node.pointee.owner = owner
        unsafe node.pointee.isLive = true
        link(index)
        count &+= 1
        assert(checkInvariant())
        return unsafe TimerKey(index: index, generation: node.pointee.generation)
    }

    /// False when the timer was taken or cancelled before.
    @discardableResult
    func cancel(_ key: TimerKey) -> Bool {
        guard key.index < used else { return false }
        let node = unsafe nodes + Int(key.index)
        guard unsafe node.pointee.generation == key.generation, unsafe node.pointee.isLive else {
            return false
        }
        release(key.index)
        return true
    }

    // MARK: Expiry

    /// Makes due what expires until `tick`, that tick included. Never looks at an empty slot, so
    /// that the cost depends on the timers, not on the time that has passed.
    func advance(to tick: UInt64) {
        guard tick > now else { return }
        while let slot = firstOccupiedSlot() {
            let start = firstTick(of: slot)
            guard start <= tick else { break }
            now = start
            if slot < 64 { appendToDue(slot) } else { moveDown(slot) }
        }
        now = tick
        assert(checkInvariant())
    }

    /// The timer is gone before this returns, so that whoever is called for it may schedule and
    /// cancel anything.
    func takeDue() -> (key: TimerKey, owner: UInt64)? {
        let index = unsafe nodes[Int(TimerWheel.due)].next
        guard index != TimerWheel.due else { return nil }
        let node = unsafe nodes + Int(index)
        let key = unsafe TimerKey(index: index, generation: node.pointee.generation)
        let owner = unsafe node.pointee.owner
        release(index)
        return (key, owner)
    }

    /// The tick of the earliest timer, nil without timers. After a cancellation it may be too
    /// early, never too late: each slot remembers its earliest tick, and forgets it when it empties.
    var nextExpiry: UInt64? {
        let firstDue = unsafe nodes[Int(TimerWheel.due)].next
        if firstDue != TimerWheel.due { return unsafe nodes[Int(firstDue)].deadline }
        guard let slot = firstOccupiedSlot() else { return nil }
        return unsafe nodes[Int(slot)].deadline
    }

    // MARK: Slots

    private func firstOccupiedSlot() -> UInt32? {
        guard occupiedLevels != 0 else { return nil }
        let level = occupiedLevels.trailingZeroBitCount
        let slot = unsafe occupiedSlots[level].trailingZeroBitCount
        return UInt32(truncatingIfNeeded: level &* 64 &+ slot)
    }

    /// The slot's first tick in the present turn of its level.
    private func firstTick(of slot: UInt32) -> UInt64 {
        let shift = UInt64(slot / 64) &* 6
        return ((now &>> shift) & ~63 | UInt64(slot % 64)) &<< shift
    }

    private func list(for deadline: UInt64) -> UInt32 {
        guard deadline > now else { return TimerWheel.due }
        let level = UInt64(63 &- (deadline ^ now).leadingZeroBitCount) / 6
        let slot = (deadline &>> (level &* 6)) & 63
        return UInt32(truncatingIfNeeded: level &* 64 &+ slot)
    }

    private func markOccupied(_ slot: UInt32) {
        guard slot != TimerWheel.due else { return }
        unsafe occupiedSlots[Int(slot / 64)] |= 1 &<< UInt64(slot % 64)
        occupiedLevels |= 1 &<< (slot / 64)
    }

    private func markEmpty(_ slot: UInt32) {
        guard slot != TimerWheel.due else { return }
        let level = Int(slot / 64)
        let others = unsafe occupiedSlots[level] & ~(1 &<< UInt64(slot % 64))
        unsafe occupiedSlots[level] = others
        if others == 0 { occupiedLevels &= ~(1 &<< (slot / 64)) }
    }

    /// Moves a whole list at once: the slot is one tick wide, and its timers keep their order.
    private func appendToDue(_ slot: UInt32) {
        let first = unsafe nodes[Int(slot)].next
        let last = unsafe nodes[Int(slot)].previous
        let lastDue = unsafe nodes[Int(TimerWheel.due)].previous
        connect(lastDue, first)
        connect(last, TimerWheel.due)
        connect(slot, slot)
        markEmpty(slot)
    }

    /// Places each timer of the slot anew: `now` is the slot's first tick, so they all go lower.
    private func moveDown(_ slot: UInt32) {
        var index = unsafe nodes[Int(slot)].next
        connect(slot, slot)
        markEmpty(slot)
        while index != slot {
            let next = unsafe nodes[Int(index)].next
            link(index)
            index = next
        }
    }

    // MARK: Nodes

    private func connect(_ first: UInt32, _ second: UInt32) {
        unsafe nodes[Int(first)].next = second
        unsafe nodes[Int(second)].previous = first
    }

    private func link(_ index: UInt32) {
        let deadline = unsafe nodes[Int(index)].deadline
        let list = list(for: deadline)
        let end = unsafe nodes + Int(list)
        let last = unsafe end.pointee.previous
        if last == list {
            unsafe end.pointee.deadline = deadline
            markOccupied(list)
        } else if unsafe deadline < end.pointee.deadline {
            unsafe end.pointee.deadline = deadline
        }
        connect(last, index)
        connect(index, list)
    }

    /// Unlinks the timer and frees its node.
    private func release(_ index: UInt32) {
        let node = unsafe nodes + Int(index)
        let (previous, next) = unsafe (node.pointee.previous, node.pointee.next)
        connect(previous, next)
        if previous == next { markEmpty(next) }
        unsafe node.pointee.generation = SlabKey.generation(after: node.pointee.generation)
        unsafe node.pointee.isLive = false
        unsafe node.pointee.next = firstFree
        firstFree = index
        count &-= 1
        assert(checkInvariant())
    }

    private func takeFreeNode() -> UInt32 {
        if firstFree != TimerWheel.none {
            let index = firstFree
            firstFree = unsafe nodes[Int(index)].next
            return index
        }
        if Int(used) == capacity { grow() }
        let index = used
        unsafe (nodes + Int(index)).initialize(to: .emptyList(index))
        used &+= 1
        return index
    }

    /// Traps at 2³² nodes, the end of the keys.
    private func grow() {
        precondition(capacity < Int(UInt32.max), "a wheel holds fewer than 2^32 timers")
        let doubled = min(capacity * 2, Int(UInt32.max))
        let larger = UnsafeMutablePointer<TimerNode>.allocate(capacity: doubled)
        unsafe larger.moveInitialize(from: nodes, count: Int(used))
        unsafe nodes.deallocate()
        unsafe nodes = larger
        capacity = doubled
    }

    // MARK: Invariant

    /// Compares the counters; walks every list too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        guard count >= 0, count <= Int(used - TimerWheel.lists), Int(used) <= capacity else {
            return false
        }
        return !thoroughly || everyTimerIsInItsList()
    }

    private func everyTimerIsInItsList() -> Bool {
        var live = 0
        for list in 0..<TimerWheel.lists {
            guard let length = lengthOfSoundList(list), isMarked(list) == (length > 0) else {
                return false
            }
            live += length
        }
        var free = 0
        var index = firstFree
        while index != TimerWheel.none, free <= Int(used) {
            guard index < used, unsafe !nodes[Int(index)].isLive else { return false }
            free += 1
            index = unsafe nodes[Int(index)].next
        }
        return live == count && live + free == Int(used - TimerWheel.lists)
    }

    private func isMarked(_ list: UInt32) -> Bool {
        guard list != TimerWheel.due else { return unsafe nodes[Int(list)].next != list }
        let word = unsafe occupiedSlots[Int(list / 64)]
        let isMarked = word & (1 &<< UInt64(list % 64)) != 0
        return isMarked && occupiedLevels & (1 &<< (list / 64)) != 0
    }

    /// Nil when a timer of the list is elsewhere, earlier than the list's tick, or badly linked.
    private func lengthOfSoundList(_ end: UInt32) -> Int? {
        var length = 0
        var previous = end
        var index = unsafe nodes[Int(end)].next
        while index != end, length <= count {
            let timer = unsafe nodes[Int(index)]
            guard timer.isLive, timer.previous == previous, list(for: timer.deadline) == end,
                unsafe end == TimerWheel.due || timer.deadline >= nodes[Int(end)].deadline
            else { return nil }
            length += 1
            previous = index
            index = timer.next
        }
        return unsafe nodes[Int(end)].previous == previous ? length : nil
    }
}
