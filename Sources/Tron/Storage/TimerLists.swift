// The lists of a timer wheel: doubly linked through one growable array, by indices of 4 bytes.

/// Names a timer: an index, and the generation that tells it from the node's earlier timers.
struct TimerKey: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    /// Never names a timer.
    static var none: TimerKey { TimerKey(index: 0, generation: 0) }
}

/// A timer, or the end of a list: a list is a ring through a node that stands for the list itself,
/// so that a timer is unlinked without knowing where it is. 32 bytes.
private struct TimerNode {
    /// In a list's end the first timer, in a free node the next free one.
    var next: UInt32
    /// In a list's end the last timer.
    var previous: UInt32
    /// In the end of a list with timers: a tick not later than any of their deadlines.
    var deadline: UInt64 = 0
    var owner: UInt64 = 0
    /// Odd exactly while the node is a timer, so that a key's generation is odd and finds no other
    /// node. It wraps: a key answers again after 2³¹ timers in the same node.
    var generation: UInt32 = 0
    var payload: UInt32 = 0

    var isLive: Bool { generation & 1 == 1 }
}

/// The ends of the lists are the first nodes, so that an index below their number names a list.
/// A class behind a `let`, because a struct in a property of the wheel would be checked for
/// exclusive access at run time, which doubles the cost of every operation.
///
/// Invariant: each node is the end of a list, on one list, or on the free list.
@safe
final class TimerLists {
    static var bytesPerTimer: Int { MemoryLayout<TimerNode>.stride }

    let lists: UInt32
    private var storage = GrowableStorage<TimerNode>(capacity: 4096)
    /// Nodes from here on were never initialised, so that growing does not touch their memory.
    private var used: UInt32
    private var firstFree = TimerLists.none

    private static var none: UInt32 { .max }

    init(lists: UInt32) {
        demand(lists <= 4096, "the first nodes hold the ends of all lists")
        self.lists = lists
        used = lists
        for list in 0..<lists {
            unsafe (nodes + Int(list)).initialize(to: TimerNode(next: list, previous: list))
        }
    }

    deinit { storage.deallocate() }

    @inline(__always)
    private var nodes: UnsafeMutablePointer<TimerNode> { unsafe storage.base }

    // MARK: Timers

    func insert(deadline: UInt64, owner: UInt64, payload: UInt32) -> UInt32 {
        let index = takeFreeNode()
        let node = unsafe nodes + Int(index)
        unsafe node.pointee.deadline = deadline
        unsafe node.pointee.owner = owner
        unsafe node.pointee.generation &+= 1
        unsafe node.pointee.payload = payload
        return index
    }

    /// The timer must be unlinked.
    func remove(_ index: UInt32) {
        let node = unsafe nodes + Int(index)
        unsafe node.pointee.generation &+= 1
        unsafe node.pointee.next = firstFree
        firstFree = index
    }

    func isLive(_ key: TimerKey) -> Bool {
        guard key.index < used else { return false }
        return unsafe nodes[Int(key.index)].generation == key.generation
            && key.generation & 1 == 1
    }

    func key(of index: UInt32) -> TimerKey {
        unsafe TimerKey(index: index, generation: nodes[Int(index)].generation)
    }

    func deadline(of index: UInt32) -> UInt64 { unsafe nodes[Int(index)].deadline }

    func owner(of index: UInt32) -> UInt64 { unsafe nodes[Int(index)].owner }

    func payload(of index: UInt32) -> UInt32 { unsafe nodes[Int(index)].payload }

    // MARK: Lists

    @inline(__always)
    func hasTimers(_ list: UInt32) -> Bool { unsafe nodes[Int(list)].next != list }

    func next(after index: UInt32) -> UInt32 { unsafe nodes[Int(index)].next }

    /// A tick not later than any deadline in the list, which must not be empty: insertions lower
    /// it, removals leave it alone, and it is forgotten when the list empties.
    func earliest(in list: UInt32) -> UInt64 { unsafe nodes[Int(list)].deadline }

    /// Whether the list was empty before.
    func append(_ index: UInt32, to list: UInt32) -> Bool {
        let deadline = deadline(of: index)
        let end = unsafe nodes + Int(list)
        let last = unsafe end.pointee.previous
        if unsafe last == list || deadline < end.pointee.deadline {
            unsafe end.pointee.deadline = deadline
        }
        connect(last, index)
        connect(index, list)
        return last == list
    }

    /// Takes the first timer of a list off it; whether it was the only one.
    @inline(__always)
    func unlinkFirst(_ index: UInt32, of list: UInt32) -> Bool {
        let next = next(after: index)
        connect(list, next)
        return next == list
    }

    /// The list that is empty now, nil when timers are left.
    func unlink(_ index: UInt32) -> UInt32? {
        let node = unsafe nodes + Int(index)
        let (previous, next) = unsafe (node.pointee.previous, node.pointee.next)
        connect(previous, next)
        return previous == next ? next : nil
    }

    /// Empties the list and gives its first timer; `next(after:)` leads from there to the list.
    func detach(_ list: UInt32) -> UInt32 {
        let first = unsafe nodes[Int(list)].next
        connect(list, list)
        return first
    }

    private func connect(_ first: UInt32, _ second: UInt32) {
        let nodes = unsafe nodes
        unsafe nodes[Int(first)].next = second
        unsafe nodes[Int(second)].previous = first
    }

    // MARK: Memory

    /// The node is on no list, and its generation is even. Whoever takes it sets all else.
    @inline(__always)
    private func takeFreeNode() -> UInt32 {
        if firstFree != TimerLists.none {
            let index = firstFree
            firstFree = unsafe nodes[Int(index)].next
            return index
        }
        if Int(used) == storage.capacity { grow() }
        let index = used
        unsafe nodes[Int(index)].generation = 0
        used &+= 1
        return index
    }

    /// Traps at 2³² nodes, the end of the keys.
    @inline(never)
    private func grow() {
        storage = storage.grown(
            keeping: Int(used), atMost: Int(UInt32.max), in: "a timer wheel")
    }

    // MARK: Invariant

    /// Compares the counters; walks every node too when `thoroughly`.
    func checkInvariant(timers: Int, thoroughly: Bool = false) -> Bool {
        timers >= 0 && Int(lists) + timers <= Int(used) && Int(used) <= storage.capacity
            && (!thoroughly || everyNodeIsOnOneList(timers: timers))
    }

    private func everyNodeIsOnOneList(timers: Int) -> Bool {
        let linked = (0..<lists).reduce(0) { $0 + countLinked(in: $1) }
        return linked == timers && linked + countFree() + Int(lists) == Int(used)
            && (0..<lists).allSatisfy { unsafe next(after: nodes[Int($0)].previous) == $0 }
    }

    /// Stops at a timer that is badly linked, not live, or earlier than the list's earliest tick.
    private func countLinked(in list: UInt32) -> Int {
        var count = 0
        var previous = list
        var index = next(after: list)
        while index != list, isSound(index, after: previous, in: list) {
            count += 1
            previous = index
            index = next(after: index)
        }
        return count
    }

    private func isSound(_ index: UInt32, after previous: UInt32, in list: UInt32) -> Bool {
        let timer = unsafe nodes[Int(index)]
        return timer.isLive && timer.previous == previous && timer.deadline >= earliest(in: list)
    }

    private func countFree() -> Int {
        var count = 0
        var index = firstFree
        while index != TimerLists.none, unsafe !nodes[Int(index)].isLive, count < Int(used) {
            count += 1
            index = unsafe nodes[Int(index)].next
        }
        return count
    }
}
