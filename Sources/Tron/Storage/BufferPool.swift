// Memory for buffers, in blocks of a power of two that are used again.

/// A piece of raw memory out of a `BufferPool`.
@unsafe
struct Block {
    let base: UnsafeMutableRawPointer
    let capacity: Int
}

/// Lends blocks, and keeps those that come back, up to a bound, so that the steady state
/// allocates nothing. Sessions hold a block only while bytes wait in it.
///
/// Invariant: `idleBytes` is the sum of the capacities in the free lists, and at most
/// `maximumIdleBytes`; every capacity is a power of two.
@safe
final class BufferPool {
    /// The smallest block: two pages, which a batch of small packets seldom outgrows.
    static let minimumCapacity = 8192

    /// Blocks above this size go back to the system: they are rare, and few would fill the pool. A
    /// packet of 1 MiB of data, the default limit, needs one of this size; to get that anew for
    /// each costs a fault for each page that is written.
    static let maximumKeptCapacity = 2 << 20

    private static let classes =
        maximumKeptCapacity.trailingZeroBitCount - minimumCapacity.trailingZeroBitCount + 1

    let maximumIdleBytes: Int

    /// One block for whoever needs a block only for a moment: it stays in the cache. It is lent to
    /// one at a time, and `give` takes it back like any other.
    let shared: Block

    private(set) var idleBytes = 0

    /// Heads of the free lists, one a capacity; the first word of a free block is the next one.
    private let free: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init(maximumIdleBytes: Int, sharedCapacity: Int = minimumCapacity) {
        self.maximumIdleBytes = maximumIdleBytes
        let capacity = Self.capacity(for: sharedCapacity)
        unsafe shared = Block(
            base: PagePlacement.toSend.allocate(byteCount: capacity), capacity: capacity)
        unsafe free = .allocate(capacity: Self.classes)
        unsafe free.initialize(repeating: nil, count: Self.classes)
    }

    deinit {
        for index in 0..<Self.classes {
            while let base = unsafe free[index] { unsafe pop(index, base).deallocate() }
        }
        unsafe free.deallocate()
        unsafe PagePlacement.toSend.deallocate(shared.base)
    }

    /// A block of at least `count` bytes.
    @inline(__always)
    func take(atLeast count: Int) -> Block {
        if count <= Self.minimumCapacity, let base = unsafe free[0] {
            idleBytes &-= Self.minimumCapacity
            assert(boundHolds)
            return unsafe Block(base: pop(0, base), capacity: Self.minimumCapacity)
        }
        return unsafe takeLarge(Self.capacity(for: count))
    }

    /// Takes a block back.
    @inline(__always)
    func give(_ block: Block) {
        if unsafe block.base == shared.base { return }
        let index = Self.index(of: unsafe block.capacity)
        guard index < Self.classes, unsafe idleBytes &+ block.capacity <= maximumIdleBytes else {
            return unsafe block.base.deallocate()
        }
        unsafe block.base.storeBytes(of: free[index], as: UnsafeMutableRawPointer?.self)
        unsafe free[index] = block.base
        unsafe idleBytes &+= block.capacity
        assert(boundHolds)
    }

    @inline(never)
    private func takeLarge(_ capacity: Int) -> Block {
        let index = Self.index(of: capacity)
        if index < Self.classes, let base = unsafe free[index] {
            idleBytes -= capacity
            assert(boundHolds)
            return unsafe Block(base: pop(index, base), capacity: capacity)
        }
        return unsafe Block(
            base: .allocate(byteCount: capacity, alignment: 16), capacity: capacity)
    }

    /// What a request for `count` bytes is rounded up to.
    static func capacity(for count: Int) -> Int {
        count <= minimumCapacity
            ? minimumCapacity : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }

    private static func index(of capacity: Int) -> Int {
        capacity.trailingZeroBitCount - minimumCapacity.trailingZeroBitCount
    }

    @inline(__always)
    private func pop(_ index: Int, _ base: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        unsafe free[index] = base.load(as: UnsafeMutableRawPointer?.self)
        return unsafe base
    }

    private var boundHolds: Bool { 0 <= idleBytes && idleBytes <= maximumIdleBytes }

    /// Walks the free lists: the stated invariant, whole.
    func checkInvariant() -> Bool {
        var bytes = 0
        for index in 0..<Self.classes {
            var next = unsafe free[index]
            while let base = unsafe next {
                bytes += Self.minimumCapacity << index
                unsafe next = base.load(as: UnsafeMutableRawPointer?.self)
            }
        }
        return bytes == idleBytes && idleBytes <= maximumIdleBytes
    }
}
