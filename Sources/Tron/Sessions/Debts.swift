// The replies that a session owes: which ones, and how many were never given.

/// The requests whose reply addresses were asked for and whose replies are neither given nor
/// refused. Does no I/O and calls no handler.
///
/// Invariant: at most as many are open as the limit said when the last was added.
struct Debts {
    /// The names of the open ones, none of which ever names another; nil while there never were
    /// any, and again once the session gives no more replies.
    private var open: Slab<Void>?
    /// The packet that last had its address asked for, by its number in the session.
    private var newest: (packet: Int, debt: SlabKey)?
    /// Replies that can never be given any more.
    private(set) var lost = 0
    /// What is queued now is one of them.
    private(set) var isGiving = false

    var count: Int { open?.count ?? 0 }

    /// The debt of the packet at hand, which has this number in the session: one, however often it
    /// is asked for. None beyond the limit, which the session's pause keeps it from reaching.
    mutating func owe(packet number: Int, atMost limit: Int) -> SlabKey {
        if let newest, newest.packet == number { return newest.debt }
        let slab = open ?? Slab<Void>()
        open = slab
        guard slab.count < limit else { return .none }
        let debt = slab.insert(())
        newest = (number, debt)
        return debt
    }

    func owes(_ debt: SlabKey) -> Bool { open?[debt] != nil }

    /// From here to `endGiving()` what is queued is one that is owed.
    mutating func beginGiving() { isGiving = true }

    mutating func endGiving() { isGiving = false }

    /// One that is owed cannot be given. False when it is not owed.
    mutating func lose(_ debt: SlabKey) -> Bool {
        let isOwed = settle(debt)
        if isOwed { lost += 1 }
        return isOwed
    }

    /// The reply is given or refused. False when it had been, or was never owed.
    mutating func settle(_ debt: SlabKey) -> Bool { open?.remove(debt) != nil }

    /// The session gives no more replies.
    mutating func abandon() {
        lost += count
        open = nil
    }

    /// The most bytes that so many debts take: their slab doubles from 16, and while it grows its
    /// predecessor is still there.
    static func memoryBound(_ limit: Int) -> Int {
        3 * max(16, limit) * Slab<Void>.bytesPerElement
    }
}
