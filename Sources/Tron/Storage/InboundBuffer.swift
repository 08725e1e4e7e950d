// Received bytes that a session has to keep until more arrive or its handler may take them.

/// A queue of bytes in one piece, because a handler is given a packet's data in one piece. Empty
/// ones hold no memory.
///
///     base      start              end             capacity
///      | taken    | kept bytes ...   | room           |
///
/// Invariant: 0 <= start <= end <= capacity, and the block is borrowed from the pool.
@safe
struct InboundBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var start: UInt32 = 0
    private var end: UInt32 = 0
    private var capacity: UInt32 = 0

    init() { unsafe base = nil }

    var count: Int { Int(end &- start) }

    @inline(__always)
    var isEmpty: Bool { start == end }

    @inline(__always)
    var hasBlock: Bool { unsafe base != nil }

    /// The kept bytes; valid until the buffer is next changed, but for `consume`.
    @inline(__always)
    var bytes: UnsafeRawBufferPointer {
        guard let base = unsafe base else { return unsafe .init(start: nil, count: 0) }
        return unsafe .init(start: base + Int(start), count: count)
    }

    /// Room for exactly `count` bytes after the kept ones. It is the buffer's until it is changed.
    mutating func room(for count: Int, from pool: BufferPool) -> UnsafeMutableRawBufferPointer {
        if Int(capacity) - Int(end) < count { makeRoom(count, from: pool) }
        return unsafe .init(start: base.map { unsafe $0 + Int(end) }, count: count)
    }

    /// Adds `count` bytes that were written into `room`.
    mutating func commit(_ count: Int) {
        end += UInt32(count)
        assert(invariantHolds)
    }

    /// Copies bytes to the end.
    mutating func append(_ bytes: UnsafeRawBufferPointer, from pool: BufferPool) {
        guard unsafe !bytes.isEmpty else { return }
        unsafe room(for: bytes.count, from: pool).copyMemory(from: bytes)
        commit(bytes.count)
    }

    /// Drops the first `count` bytes; they stay readable until the next `room` or `release`.
    @inline(__always)
    mutating func consume(_ count: Int) {
        start &+= UInt32(truncatingIfNeeded: count)
        assert(invariantHolds)
    }

    /// Gives the block back. Kept bytes are gone.
    mutating func release(to pool: BufferPool) {
        guard let base = unsafe base else { return }
        unsafe pool.give(Block(base: base, capacity: Int(capacity)))
        unsafe self.base = nil
        start = 0
        end = 0
        capacity = 0
    }

    /// Moves the bytes to the front when that frees at least half of the block, and else to a
    /// block of twice the size: either way a byte is moved O(1) times on average.
    private mutating func makeRoom(_ count: Int, from pool: BufferPool) {
        let kept = self.count
        if let base = unsafe base, kept + count <= Int(capacity), start >= capacity / 2 {
            unsafe base.copyMemory(from: base + Int(start), byteCount: kept)
            start = 0
            end = UInt32(kept)
            return
        }
        let block = unsafe pool.take(atLeast: max(kept + count, 2 * kept))
        if let base = unsafe base {
            unsafe block.base.copyMemory(from: base + Int(start), byteCount: kept)
        }
        release(to: pool)
        unsafe base = block.base
        capacity = unsafe UInt32(block.capacity)
        end = UInt32(kept)
        assert(invariantHolds)
    }

    /// The stated invariant.
    var invariantHolds: Bool {
        unsafe start <= end && end <= capacity && (base == nil) == (capacity == 0)
    }
}
