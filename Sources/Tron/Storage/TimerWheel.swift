// A hierarchical timer wheel: any number of deadlines, each scheduled and cancelled in O(1).

/// Eight levels of 256 slots cover all ticks. A slot of level n is 256ⁿ ticks wide; a timer waits
/// at the level of the highest byte in which its deadline differs from `position`, which follows
/// `now` from one slot with timers to the next:
///
///     level 2  | 65536 ticks a slot  | . . . x . .     the timers of a slot move down
///     level 1  |   256 ticks a slot  | . x x . . .     when `position` reaches its first tick,
///     level 0  |     1 tick a slot   | . . x . x x     and in level 0 they are due then
///
/// So all slots of a level come before those of the next, a slot behind `position` is empty, and
/// equal deadlines share a list: timers become due in the order of their deadlines, and equal ones
/// in the order of their scheduling.
///
/// Invariant: position <= now; each timer is in the list that `list(for:)` names; a slot's bit is
/// set exactly while its list has timers; and no slot with timers begins before `nextMove`.
@safe
final class TimerWheel {
    static var bytesPerTimer: Int { TimerLists.bytesPerTimer }

    /// Timers that are neither taken nor cancelled, those that are due included.
    private(set) var count = 0
    /// The tick reached by `advance`: what is not later is due.
    private(set) var now: UInt64

    /// Where the due timers are taken from: what begins until then has been moved down.
    private var position: UInt64
    /// Until then nothing is due, and nothing moves down.
    private var nextMove = UInt64.max

    private static var levels: Int { 8 }

    /// One list for each slot: level * 256 + slot.
    private let timers = TimerLists(lists: UInt32(TimerWheel.levels * 256))
    /// One bit for each slot, four words for each level.
    private let occupiedSlots: UnsafeMutablePointer<UInt64>
    /// One bit for each word that has an occupied slot.
    private var occupiedWords: UInt32 = 0

    init(now tick: UInt64 = 0) {
        now = tick
        position = tick
        unsafe occupiedSlots = .allocate(capacity: TimerWheel.levels * 4)
        unsafe occupiedSlots.initialize(repeating: 0, count: TimerWheel.levels * 4)
    }

    deinit {
        unsafe occupiedSlots.deallocate()
    }

    // MARK: Scheduling

    /// A tick that has passed counts as `now`: the timer is due at once. Owner and payload mean
    /// nothing here; `takeDue` hands them back.
    @inline(__always)
    func schedule(at tick: UInt64, owner: UInt64, payload: UInt32 = 0) -> TimerKey {
        let deadline = max(tick, now)
        let index = timers.insert(deadline: deadline, owner: owner, payload: payload)
        let slot = list(for: deadline)
        if timers.append(index, to: slot) { noteFirst(in: slot) }
        count &+= 1
        assert(checkInvariant())
        return timers.key(of: index)
    }

    /// Out of line: most timers join others.
    @inline(never)
    private func noteFirst(in slot: UInt32) {
        markOccupied(slot)
        nextMove = min(nextMove, firstTick(of: slot))
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

    /// Makes due what expires until `tick`, that tick included.
    @inline(__always)
    func advance(to tick: UInt64) { now = max(now, tick) }

    /// The timer is gone before this returns, so that whoever is called for it may schedule and
    /// cancel anything.
    @inline(__always)
    func takeDue() -> (key: TimerKey, owner: UInt64, payload: UInt32)? {
        guard let index = firstDue() else { return nil }
        let slot = due
        if timers.unlinkFirst(index, of: slot) { markEmpty(slot) }
        let taken = (
            key: timers.key(of: index), owner: timers.owner(of: index),
            payload: timers.payload(of: index)
        )
        timers.remove(index)
        count &-= 1
        assert(checkInvariant())
        return taken
    }

    /// The tick of the earliest timer, nil without timers. A cancellation may leave it too early,
    /// never too late, until the slot of the cancelled timer empties or its first tick is reached.
    var nextExpiry: UInt64? {
        if firstDue() != nil { return position }
        guard let slot = firstOccupiedSlot() else { return nil }
        return timers.earliest(in: slot)
    }

    /// The first timer that is due, which is at `position` then.
    @inline(__always)
    private func firstDue() -> UInt32? {
        if now < nextMove {
            position = now
            return nil
        }
        let first = timers.next(after: due)
        if first != due { return first }
        return moveOn() ? timers.next(after: due) : nil
    }

    /// Goes to the next slot with timers that are due. Never looks at an empty one: the cost
    /// depends on the timers (each moves at most once a level), not on the time that passed.
    @inline(never)
    private func moveOn() -> Bool {
        while let slot = firstOccupiedSlot() {
            let start = firstTick(of: slot)
            guard start <= now else {
                nextMove = start
                position = now
                return false
            }
            position = start
            if slot < 256 { return true }
            moveDown(slot)
        }
        nextMove = .max
        position = now
        return false
    }

    // MARK: Slots

    /// The list of the timers whose deadline is `position`, which are due.
    private var due: UInt32 { UInt32(truncatingIfNeeded: position & 255) }

    /// Of a deadline from `position` on.
    @inline(__always)
    private func list(for deadline: UInt64) -> UInt32 {
        let shift = UInt64(63 &- (deadline ^ position | 1).leadingZeroBitCount) & 56
        let slot = (deadline &>> shift) & 255
        return UInt32(truncatingIfNeeded: shift &* 32 &+ slot)
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
        return ((position &>> shift) & ~255 | UInt64(slot % 256)) &<< shift
    }

    /// Places each timer of the slot anew: `position` is the slot's first tick, so they all go
    /// lower.
    @inline(never)
    private func moveDown(_ slot: UInt32) {
        markEmpty(slot)
        var index = timers.detach(slot)
        while index != slot {
            let next = timers.next(after: index)
            let lower = list(for: timers.deadline(of: index))
            if timers.append(index, to: lower) { markOccupied(lower) }
            index = next
        }
    }

    @inline(__always)
    private func markOccupied(_ slot: UInt32) {
        unsafe occupiedSlots[Int(slot / 64)] |= 1 &<< UInt64(slot % 64)
        occupiedWords |= 1 &<< (slot / 64)
    }

    @inline(__always)
    private func markEmpty(_ slot: UInt32) {
        let word = Int(slot / 64)
        let others = unsafe occupiedSlots[word] & ~(1 &<< UInt64(slot % 64))
        unsafe occupiedSlots[word] = others
        if others == 0 { occupiedWords &= ~(1 &<< (slot / 64)) }
    }

    // MARK: Invariant

    /// Compares the counters; walks every list too when `thoroughly`.
    func checkInvariant(thoroughly: Bool = false) -> Bool {
        position <= now && timers.checkInvariant(timers: count, thoroughly: thoroughly)
            && (!thoroughly || (0..<timers.lists).allSatisfy(isSound))
    }

    private func isSound(_ slot: UInt32) -> Bool {
        guard timers.hasTimers(slot) else { return !isMarkedOccupied(slot) }
        var index = timers.next(after: slot)
        while index != slot, list(for: timers.deadline(of: index)) == slot {
            index = timers.next(after: index)
        }
        return isMarkedOccupied(slot) && index == slot
            && firstTick(of: slot) >= nextMove
    }

    private func isMarkedOccupied(_ slot: UInt32) -> Bool {
        let word = unsafe occupiedSlots[Int(slot / 64)]
        let wordIsMarked = occupiedWords & (1 &<< (slot / 64)) != 0
        return wordIsMarked == (word != 0) && word & (1 &<< UInt64(slot % 64)) != 0
    }
}
