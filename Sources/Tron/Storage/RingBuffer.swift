// The bytes that wait to be sent: a ring whose storage is borrowed from a pool.

/// A first-in-first-out queue of bytes in one power-of-two block.
///
///     base          head & mask              tail & mask        capacity
///      |  free       | first part ...          | free             |
///
/// Positions only grow; `& mask` finds the byte. The queue lies in at most two parts: it wraps
/// once. Invariant: head <= tail <= head + capacity, and capacity is 0 or a power of two.
@safe
struct RingBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private var head = 0
    private var tail = 0

    init() { unsafe base = nil }

    /// Bytes that wait.
    var count: Int { tail &- head }

    var isEmpty: Bool { head == tail }

    /// Makes room for `count` further bytes, in a larger block if need be. The bytes that already
    /// wait are copied then, so that a queue which grows to n bytes costs O(n) in all.
    @inline(__always)
    mutating func reserve(_ count: Int, from pool: BufferPool) {
        if capacity &- (tail &- head) >= count { return }
        if capacity == 0 {
            let block = unsafe pool.take(atLeast: count)
            unsafe base = block.base
            capacity = unsafe block.capacity
        } else {
            grow(by: count, from: pool)
        }
    }

    /// Bytes that have room at the tail in one piece.
    var contiguousRoom: Int {
        min(capacity &- (tail & (capacity &- 1)), capacity &- count)
    }

    /// Where the next byte goes. Only with room; `commit` adds what was written here.
    @inline(__always)
    var tailAddress: UnsafeMutableRawPointer {
        unsafe base.unsafelyUnwrapped + (tail & (capacity &- 1))
    }

    /// Adds the `count` bytes written to `tailAddress` to the queue.
    @inline(__always)
    mutating func commit(_ count: Int) {
        tail &+= count
        assert(invariantHolds)
    }

    /// Copies bytes to the tail. Call `reserve` before.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let base = unsafe base else { return }
        let start = tail & (capacity &- 1)
        let first = min(bytes.count, capacity &- start)
        unsafe (base + start).copyMemory(from: source, byteCount: first)
        unsafe base.copyMemory(from: source + first, byteCount: bytes.count &- first)
        commit(bytes.count)
    }

    /// The oldest waiting bytes as far as they lie in one piece, and whether that is all of them.
    @inline(__always)
    var firstPart: (UnsafeRawBufferPointer, isAll: Bool) {
        guard let base = unsafe base else { return unsafe (.init(start: nil, count: 0), true) }
        let start = head & (capacity &- 1)
        let room = capacity &- start
        return unsafe (.init(start: base + start, count: min(count, room)), count <= room)
    }

    /// The waiting bytes, oldest first. The second part is empty unless the queue wraps.
    var parts: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        let (first, _) = unsafe firstPart
        return unsafe (first, .init(start: base, count: count &- first.count))
    }

    /// Drops the oldest `count` bytes. A queue that empties starts at its block's beginning again.
    @inline(__always)
    mutating func consume(_ count: Int) {
        head &+= count
        assert(invariantHolds)
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Gives the block back. Bytes that still waited are gone.
    @inline(__always)
    mutating func release(to pool: BufferPool) {
        guard let base = unsafe base else { return }
        unsafe pool.give(Block(base: base, capacity: capacity))
        unsafe self.base = nil
        capacity = 0
        head = 0
        tail = 0
    }

    /// Takes the pool's shared block for storage. Only while it has none.
    @inline(__always)
    mutating func borrowShared(of pool: BufferPool) {
        assert(unsafe base == nil)
        unsafe base = pool.shared.base
        capacity = unsafe pool.shared.capacity
    }

    /// Leaves the shared block for one of its own, or for none when nothing waits.
    @inline(__always)
    mutating func leaveShared(of pool: BufferPool) {
        guard unsafe base == pool.shared.base else { return }
        if isEmpty { release(to: pool) } else { grow(by: 0, from: pool) }
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
        unsafe pool.give(old)
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
        unsafe base = block.base
        unsafe capacity = block.capacity
        head = 0
        tail = filled
        assert(invariantHolds)
    }

    /// The stated invariant.
    var invariantHolds: Bool {
        unsafe head <= tail && tail &- head <= capacity
            && capacity & (capacity &- 1) == 0 && (base == nil) == (capacity == 0)
    }
}
