// A hierarchical timer wheel: any number of deadlines, each scheduled and cancelled in O(1).

/// Eight levels of 256 slots cover all ticks. A slot of level n is 256ⁿ ticks wide; a timer waits
/// at the level of the highest byte in which its deadline differs from `now`:
///
///     level 2  | 65536 ticks a slot  | . . . x . .     the timers of a slot move down
///     level 1  |   256 ticks a slot  | . x x . . .     when `now` reaches its first tick,
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
    static var bytesPerTimer: Int { TimerLists.bytesPerTimer }

    /// Timers that are neither taken nor cancelled, those that are due included.
    private(set) var count = 0
    /// The tick reached by `advance`: what is not later is due.
    private(set) var now: UInt64

    private static var levels: Int { 8 }
    /// The list after those of the slots.
    private static var due: UInt32 { UInt32(levels * 256) }

    /// One list for each slot (level * 256 + slot), and the due list.
    private let timers = TimerLists(lists: TimerWheel.due + 1)
    /// One bit for each slot, four words for each level.
    private let occupiedSlots: UnsafeMutablePointer<UInt64>
    /// One bit for each word that has an occupied slot.
    private var occupiedWords: UInt32 = 0

    init(now tick: UInt64 = 0) {
        now = tick
        unsafe occupiedSlots = .allocate(capacity: TimerWheel.levels * 4)
        unsafe occupiedSlots.initialize(repeating: 0, count: TimerWheel.levels * 4)
    }

    deinit {
        unsafe occupiedSlots.deallocate()
    }

    // MARK: Scheduling

    /// A tick that has passed counts as `now`: the timer is due at once. Owner and payload mean
    /// nothing here; `takeDue` hands them back.
    func schedule(at tick: UInt64, owner: UInt64, payload: UInt32 = 0) -> TimerKey {
        let index = timers.insert(deadline: max(tick, now), owner: owner, payload: payload)
        place(index)
        count &+= 1
        assert(checkInvariant())
        return timers.key(of: index)
    }

    /// False when the timer was taken or cancelled before, and for `TimerKey.none`.
    @discardableResult
    @inline(__always)
    func cancel(_ key: TimerKey) -> Bool { key != .none && cancelNamed(key) }

    private func cancelNamed(_ key: TimerKey) -> Bool {
        guard timers.isLive(key) else { return false }
        if let list = timers.unlink(key.index) { markEmpty(list) }
        timers.remove(key.index)
        count &-= 1
        assert(checkInvariant())
        return true
    }

    /// The tick at which the timer is due; nil when it was taken or cancelled.
    func deadline(of key: TimerKey) -> UInt64? {
        timers.isLive(key) ? timers.deadline(of: key.index) : nil
    }

    // MARK: Expiry

    /// Makes due what expires until `tick`, that tick included. Never looks at an empty slot: the
    /// cost depends on the timers (each moves at most once a level), not on the time that passed.
    func advance(to tick: UInt64) {
        guard tick > now else { return }
        while let slot = firstOccupiedSlot() {
            let start = firstTick(of: slot)
            guard start <= tick else { break }
            now = start
            markEmpty(slot)
            if slot < 256 {
                timers.moveTimers(of: slot, to: TimerWheel.due)
            } else {
                moveDown(slot)
            }
        }
        now = tick
        assert(checkInvariant())
    }

    /// The timer is gone before this returns, so that whoever is called for it may schedule and
    /// cancel anything.
    func takeDue() -> (key: TimerKey, owner: UInt64, payload: UInt32)? {
        guard let index = timers.first(of: TimerWheel.due) else { return nil }
        let taken = (
            key: timers.key(of: index), owner: timers.owner(of: index),
            payload: timers.payload(of: index)
        )
        _ = timers.unlink(index)
        timers.remove(index)
        count &-= 1
        assert(checkInvariant())
        return taken
    }

    /// The tick of the earliest timer, nil without timers. A cancellation may leave it too early,
    /// never too late, until the slot of the cancelled timer empties or its first tick is reached.
    var nextExpiry: UInt64? {
        if let index = timers.first(of: TimerWheel.due) { return timers.deadline(of: index) }
        guard let slot = firstOccupiedSlot() else { return nil }
        return timers.earliest(in: slot)
    }

    // MARK: Slots

    private func list(for deadline: UInt64) -> UInt32 {
        guard deadline > now else { return TimerWheel.due }
        let level = UInt64(63 &- (deadline ^ now).leadingZeroBitCount) / 8
        let slot = (deadline &>> (level &* 8)) & 255
        return UInt32(truncatingIfNeeded: level &* 256 &+ slot)
    }

    private func firstOccupiedSlot() -> UInt32? {
        guard occupiedWords != 0 else { return nil }
        let word = occupiedWords.trailingZeroBitCount
        let bit = unsafe occupiedSlots[word].trailingZeroBitCount
        return UInt32(truncatingIfNeeded: word &* 64 &+ bit)
    }

    /// The slot's first tick in the present turn of its level.
    private func firstTick(of slot: UInt32) -> UInt64 {
        let shift = UInt64(slot / 256) &* 8
        return ((now &>> shift) & ~255 | UInt64(slot % 256)) &<< shift
    }

    private func place(_ index: UInt32) {
        let list = list(for: timers.deadline(of: index))
        if timers.append(index, to: list) { markOccupied(list) }
    }

    /// Places each timer of the slot anew: `now` is the slot's first tick, so they all go lower.
    private func moveDown(_ slot: UInt32) {
        var index = timers.detach(slot)
        while index != slot {
            let next = timers.next(after: index)
            place(index)
            index = next
        }
    }

    private func markOccupied(_ list: UInt32) {
        guard list != TimerWheel.due else { return }
        unsafe occupiedSlots[Int(list / 64)] |= 1 &<< UInt64(list % 64)
        occupiedWords |= 1 &<< (list / 64)
    }

    private func markEmpty(_ list: UInt32) {
        guard list != TimerWheel.due else { return }
        let word = Int(list / 64)
        let others = unsafe occupiedSlots[word] & ~(1 &<< UInt64(list % 64))
        unsafe occupiedSlots[word] = others
        if others == 0 { occupiedWords &= ~(1 &<< (list / 64)) }
    }

    // MARK: Invariant

    /// Compares the counters; walks every list too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        timers.checkInvariant(timers: count, thoroughly: thoroughly)
            && (!thoroughly || (0..<timers.lists).allSatisfy(isSound))
    }

    private func isSound(_ list: UInt32) -> Bool {
        var index = timers.next(after: list)
        let isRightlyMarked =
            list == TimerWheel.due || isMarkedOccupied(list) == (index != list)
        while index != list, self.list(for: timers.deadline(of: index)) == list {
            index = timers.next(after: index)
        }
        return isRightlyMarked && index == list
    }

    private func isMarkedOccupied(_ slot: UInt32) -> Bool {
        let word = unsafe occupiedSlots[Int(slot / 64)]
        let wordIsMarked = occupiedWords & (1 &<< (slot / 64)) != 0
        return wordIsMarked == (word != 0) && word & (1 &<< UInt64(slot % 64)) != 0
    }
}
