// What waits to be sent: bytes in a ring, and behind them a run of bytes that nobody has copied yet.

/// A first-in-first-out queue of bytes. The last of them may be a run that lies in memory of somebody
/// else's, who lends it until `ownRun` or `release`.
///
/// Invariant: nothing is queued behind a run but what continues it in memory; a run that is empty
/// has no address.
@safe
struct OutputQueue: ~Copyable {
    private var ring = RingBuffer()
    private var runLength: UInt32 = 0
    private var run: UnsafeRawPointer?

    init() { unsafe run = nil }

    @inline(__always)
    var hasRun: Bool { runLength != 0 }

    /// Bytes that wait.
    @inline(__always)
    var count: Int { ring.count &+ Int(runLength) }

    @inline(__always)
    var isEmpty: Bool { ring.isEmpty && !hasRun }

    /// The size of the ring's block in bytes.
    @inline(__always)
    var capacity: Int { ring.capacity }

    /// The block of the ring. Only while it has one.
    @inline(__always)
    var block: Block { unsafe ring.block }
}

// MARK: - Queueing

extension OutputQueue {
    /// Makes room in the ring for `count` further bytes. A run is copied there first.
    @inline(__always)
    mutating func reserve(_ count: Int, from pool: BufferPool) {
        if hasRun { ownRun(pool) }
        ring.reserve(count, from: pool)
    }

    /// Bytes that can be queued in one piece where `tailAddress` is.
    var contiguousRoom: Int { hasRun ? 0 : ring.contiguousRoom }

    /// Where the next byte goes. Only with room; `commit` adds what was written here.
    @inline(__always)
    var tailAddress: UnsafeMutableRawPointer { unsafe ring.tailAddress }

    /// Adds the `count` bytes written to `tailAddress` to the queue.
    @inline(__always)
    mutating func commit(_ count: Int) {
        assert(!hasRun)
        ring.commit(count)
    }

    /// Copies bytes to the end. Call `reserve` before.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        assert(!hasRun)
        unsafe ring.append(bytes)
    }

    /// Queues bytes that stay where they are, as a run or as more of it. False, and nothing is
    /// queued, when there is a run that they do not continue.
    mutating func extendRun(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        if let run = unsafe run {
            guard unsafe run + Int(runLength) == start else { return false }
        } else {
            unsafe run = start
        }
        runLength &+= UInt32(truncatingIfNeeded: bytes.count)
        assert(invariantHolds)
        return true
    }

    /// Copies the run into the ring: its memory is about to be used for something else.
    @inline(never)
    mutating func ownRun(_ pool: BufferPool) {
        guard let run = unsafe run else { return }
        let bytes = unsafe UnsafeRawBufferPointer(start: run, count: Int(runLength))
        dropRun()
        ring.reserve(bytes.count, from: pool)
        unsafe ring.append(bytes)
    }

    /// What the run holds is gone.
    mutating func dropRun() {
        unsafe run = nil
        runLength = 0
    }
}

// MARK: - Sending

extension OutputQueue {
    /// The oldest waiting bytes as far as they lie in one piece, and whether that is all of them.
    @inline(__always)
    var firstPart: (UnsafeRawBufferPointer, isAll: Bool) {
        if !hasRun { return unsafe ring.firstPart }
        if ring.isEmpty { return unsafe (.init(start: run, count: Int(runLength)), true) }
        return unsafe (ring.firstPart.0, false)
    }

    /// The waiting bytes, oldest first. The second part is empty unless the ring wraps.
    var parts: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, run: UnsafeRawBufferPointer) {
        let (first, second) = unsafe ring.parts
        return unsafe (first, second, .init(start: run, count: Int(runLength)))
    }

    /// Drops the oldest `count` bytes.
    @inline(__always)
    mutating func consume(_ count: Int) {
        if hasRun { consumeRun(count) } else { ring.consume(count) }
    }

    @inline(never)
    private mutating func consumeRun(_ count: Int) {
        let ofRing = min(count, ring.count)
        ring.consume(ofRing)
        let ofRun = count &- ofRing
        runLength &-= UInt32(truncatingIfNeeded: ofRun)
        unsafe run = hasRun ? run.map { unsafe $0 + ofRun } : nil
        assert(invariantHolds)
    }

    /// Gives the block back. Bytes that still waited are gone.
    @inline(__always)
    mutating func release(to pool: BufferPool) {
        if hasRun { dropRun() }
        ring.release(to: pool)
    }

    /// The stated invariant.
    var invariantHolds: Bool { unsafe (run == nil) == !hasRun && ring.invariantHolds }
}

// MARK: - Its block

extension OutputQueue {
    /// Takes the pool's shared block for the ring. Only while that has none.
    @inline(__always)
    mutating func borrowShared(of pool: BufferPool) { ring.borrowShared(of: pool) }

    /// Leaves the shared block, if the ring still lies there and nothing waits.
    @inline(__always)
    mutating func leavesEmptyShared(of pool: BufferPool) -> Bool {
        !hasRun && ring.leavesEmptyShared(of: pool)
    }

    /// Leaves the shared block, if the ring still lies there, for one of its own.
    mutating func leaveShared(of pool: BufferPool) {
        ownRun(pool)
        ring.leaveShared(of: pool)
    }

    /// Moves to another block of the same size, and leaves its own to the caller.
    mutating func leaveBlock(for pool: BufferPool) { ring.leaveBlock(for: pool) }
}
