// The bytes that wait to be sent: a ring whose storage is borrowed from a pool.

/// A first-in-first-out queue of bytes in one power-of-two block.
///
///     base          head & mask              tail & mask        capacity
///      |  free       | first part ...          | free             |
///
/// Positions only grow, modulo 2³²; `& mask` finds the byte. The queue lies in at most two parts:
/// it wraps once. Or it is a run: bytes in memory of somebody else's, which are read and not added
/// to, until they are copied to a block. A run has an address and no capacity.
///
/// Invariant: head + count = tail, count <= capacity but of a run, and capacity is 0 or a power of
/// two, at most 2³¹.
@safe
struct RingBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var size: UInt32 = 0
    private var head: UInt32 = 0
    private var tail: UInt32 = 0

    init() { unsafe base = nil }

    /// The size of its block in bytes.
    @inline(__always)
    var capacity: Int { Int(size) }

    /// Bytes that wait.
    @inline(__always)
    var count: Int { Int(tail &- head) }

    /// Where in the block a position lies.
    @inline(__always)
    private func offset(of position: UInt32) -> Int { Int(position & (size &- 1)) }

    var isEmpty: Bool { head == tail }

    /// Makes room for `count` further bytes, in a larger block if need be. The bytes that already
    /// wait are copied then, so that a queue which grows to n bytes costs O(n) in all.
    @inline(__always)
    mutating func reserve(_ count: Int, from pool: BufferPool) {
        if capacity &- self.count >= count { return }
        if unsafe base == nil {
            let block = unsafe pool.take(atLeast: count)
            unsafe take(block)
        } else {
            grow(by: count, from: pool)
        }
    }

    /// Bytes that have room at the tail in one piece.
    var contiguousRoom: Int {
        min(capacity &- offset(of: tail), capacity &- count)
    }

    /// Where the next byte goes. Only with room; `commit` adds what was written here.
    @inline(__always)
    var tailAddress: UnsafeMutableRawPointer {
        unsafe base.unsafelyUnwrapped + offset(of: tail)
    }

    /// Adds the `count` bytes written to `tailAddress`, or lying at `runEnd`, to the queue.
    @inline(__always)
    mutating func commit(_ count: Int) {
        tail &+= UInt32(truncatingIfNeeded: count)
        assert(invariantHolds)
    }

    /// Copies bytes to the tail. Call `reserve` before.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let base = unsafe base else { return }
        let start = offset(of: tail)
        let first = min(bytes.count, capacity &- start)
        unsafe (base + start).copyMemory(from: source, byteCount: first)
        unsafe base.copyMemory(from: source + first, byteCount: bytes.count &- first)
        commit(bytes.count)
    }

    /// The oldest waiting bytes as far as they lie in one piece, and whether that is all of them.
    @inline(__always)
    var firstPart: (UnsafeRawBufferPointer, isAll: Bool) {
        guard let base = unsafe base else { return unsafe (.init(start: nil, count: 0), true) }
        let start = offset(of: head)
        let room = capacity &- start
        if count <= room { return unsafe (.init(start: base + start, count: count), true) }
        return unsafe (.init(start: base + start, count: isRun ? count : room), isRun)
    }

    /// The waiting bytes, oldest first. The second part is empty unless the queue wraps.
    var parts: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        let (first, _) = unsafe firstPart
        return unsafe (first, .init(start: base, count: count &- first.count))
    }

    /// Drops the oldest `count` bytes. A queue that empties starts at its block's beginning again.
    @inline(__always)
    mutating func consume(_ count: Int) {
        head &+= UInt32(truncatingIfNeeded: count)
        assert(invariantHolds)
        if head == tail {
            head = 0
            tail = 0
            if size == 0 { unsafe base = nil }
        }
    }

    /// Gives the block back. Bytes that still waited are gone.
    @inline(__always)
    mutating func release(to pool: BufferPool) {
        guard let base = unsafe base else { return }
        if size != 0 { unsafe pool.give(Block(base: base, capacity: capacity)) }
        clear()
    }

    @inline(__always)
    private mutating func clear() {
        unsafe base = nil
        size = 0
        head = 0
        tail = 0
    }

    /// Takes the pool's shared block for storage. Only while it has none.
    @inline(__always)
    mutating func borrowShared(of pool: BufferPool) {
        assert(unsafe base == nil)
        unsafe take(pool.shared)
    }

    /// Leaves the shared block, if it still lies there and nothing waits.
    @inline(__always)
    mutating func leavesEmptyShared(of pool: BufferPool) -> Bool {
        guard isEmpty, unsafe base == pool.shared.base else { return false }
        clear()
        return true
    }

    /// Leaves the shared block, if it still lies there, or a run, for a block of its own.
    mutating func leaveShared(of pool: BufferPool) {
        if unsafe base == pool.shared.base || isRun { grow(by: 0, from: pool) }
    }

    // MARK: Runs

    /// Whether its bytes are a run, which is never empty.
    var isRun: Bool { unsafe size == 0 && base != nil }

    /// Where the run's next byte would lie; nil without a run.
    @inline(__always)
    var runEnd: UnsafeRawPointer? {
        guard isRun, let base = unsafe base else { return nil }
        return unsafe UnsafeRawPointer(base) + Int(tail)
    }

    /// Queues bytes that stay where they are, as a run or as more of it; whoever owns them lends
    /// them until `leaveShared`. False, and nothing is queued, when something waits that they do
    /// not continue.
    mutating func extendRun(_ bytes: UnsafeRawBufferPointer, _ pool: BufferPool) -> Bool {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
        if isEmpty {
            release(to: pool)
            unsafe base = UnsafeMutableRawPointer(mutating: start)
        }
        guard isRun, unsafe base.map({ unsafe $0 + Int(tail) == start }) == true else {
            return false
        }
        tail &+= UInt32(truncatingIfNeeded: bytes.count)
        assert(invariantHolds)
        return true
    }

    /// The block that it lies in. Only while it has one.
    @inline(__always)
    var block: Block { unsafe Block(base: base.unsafelyUnwrapped, capacity: capacity) }

    /// Moves to another block of the same size, and leaves its own to the caller.
    mutating func leaveBlock(for pool: BufferPool) { unsafe move(to: pool.take(atLeast: capacity)) }

    @inline(never)
    private mutating func grow(by count: Int, from pool: BufferPool) {
        let old = unsafe block
        unsafe move(to: pool.take(atLeast: self.count &+ count))
        if unsafe old.capacity != 0 { unsafe pool.give(old) }
    }

    private mutating func move(to block: Block) {
        let filled = self.count
        if filled > 0 {
            let (first, second) = unsafe parts
            let target = unsafe UnsafeMutableRawBufferPointer(start: block.base, count: filled)
            unsafe target.copyMemory(from: first)
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[first.count...])
                .copyMemory(from: second)
        }
        unsafe take(block)
        head = 0
        tail = UInt32(truncatingIfNeeded: filled)
        assert(invariantHolds)
    }

    @inline(__always)
    private mutating func take(_ block: Block) {
        unsafe base = block.base
        size = unsafe UInt32(truncatingIfNeeded: block.capacity)
    }

    /// The stated invariant.
    var invariantHolds: Bool {
        unsafe (count <= capacity || isRun) && capacity & (capacity &- 1) == 0
            && (size == 0 || base != nil)
    }
}
