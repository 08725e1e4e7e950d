// The ring of waiting output: order across the seam, growth, and the storage it borrows.
import Glibc
import Testing

@testable import Tron

@Suite struct RingBufferTests {
    private let pool = BufferPool(maximumIdleBytes: 1 << 20)

    @Test func `an empty ring holds no storage, and gives back what it borrowed`() {
        var ring = RingBuffer()
        #expect(ring.isEmpty && ring.capacity == 0 && ring.contiguousRoom == 0)
        #expect(ring.parts.0.isEmpty && ring.parts.1.isEmpty)
        ring.release(to: pool)
        ring.reserve(1, from: pool)
        #expect(ring.capacity == BufferPool.minimumCapacity && pool.idleBytes == 0)
        ring.release(to: pool)
        #expect(ring.capacity == 0 && pool.idleBytes == BufferPool.minimumCapacity)
    }

    @Test func `bytes that cross the seam lie in two parts, in their order`() {
        var ring = RingBuffer()
        let size = BufferPool.minimumCapacity
        ring.append([UInt8](repeating: 1, count: size - 3), from: pool)
        ring.consume(size - 5)
        ring.append([2, 3, 4, 5, 6, 7], from: pool)
        #expect([UInt8](ring.parts.0) == [1, 1, 2, 3, 4])
        #expect([UInt8](ring.parts.1) == [5, 6, 7])
        #expect(ring.contiguousRoom == size - 8)
        ring.release(to: pool)
    }

    @Test func `a ring that grows keeps its bytes in their order, in one part`() {
        var ring = RingBuffer()
        let size = BufferPool.minimumCapacity
        ring.append([UInt8](repeating: 1, count: size), from: pool)
        ring.consume(size - 2)
        ring.append([UInt8](repeating: 2, count: size - 2), from: pool)
        ring.append([3], from: pool)
        #expect(ring.capacity == 2 * size && ring.parts.1.isEmpty)
        #expect([UInt8](ring.parts.0) == [1, 1] + [UInt8](repeating: 2, count: size - 2) + [3])
        ring.release(to: pool)
    }

    @Test func `a ring that empties starts at its storage's beginning again`() {
        var ring = RingBuffer()
        ring.append([1, 2, 3], from: pool)
        ring.consume(3)
        #expect(ring.isEmpty && ring.contiguousRoom == BufferPool.minimumCapacity)
        ring.release(to: pool)
    }

    @Test func `a ring with just the room that is asked for does not grow`() {
        var ring = RingBuffer()
        let size = BufferPool.minimumCapacity
        ring.append([1, 2, 3], from: pool)
        ring.consume(2)
        let place = ring.parts.0.baseAddress
        ring.reserve(size - 1, from: pool)
        #expect(ring.capacity == size && ring.parts.0.baseAddress == place)
        ring.reserve(size, from: pool)
        #expect(ring.capacity == 2 * size)
        ring.release(to: pool)
    }

    @Test func `the first part says whether it is all that waits`() {
        var ring = RingBuffer()
        let size = BufferPool.minimumCapacity
        #expect(ring.firstPart.isAll && ring.firstPart.0.isEmpty)
        ring.append([UInt8](repeating: 1, count: size - 1), from: pool)
        ring.consume(size - 3)
        ring.append([2], from: pool)
        #expect(ring.firstPart.isAll && [UInt8](ring.firstPart.0) == [1, 1, 2])
        ring.append([3], from: pool)
        #expect(!ring.firstPart.isAll && [UInt8](ring.firstPart.0) == [1, 1, 2])
        ring.release(to: pool)
    }

    @Test func `a ring that sent all it had gives the shared block back and keeps none`() {
        var ring = RingBuffer()
        ring.borrowShared(of: pool)
        #expect(ring.tailAddress == pool.shared.base && ring.capacity == pool.shared.capacity)
        ring.append([1, 2, 3], from: pool)
        ring.consume(3)
        ring.release(to: pool)
        #expect(ring.capacity == 0 && pool.idleBytes == 0)
    }

    @Test(arguments: [3, BufferPool.minimumCapacity])
    func `what still waits in the shared block moves to one of the ring's own`(count: Int) {
        var ring = RingBuffer()
        ring.borrowShared(of: pool)
        ring.append([UInt8](repeating: 7, count: count), from: pool)
        ring.leaveShared(of: pool)
        #expect(ring.tailAddress != pool.shared.base)
        #expect(ring.capacity == BufferPool.minimumCapacity)
        #expect([UInt8](ring.parts.0) == [UInt8](repeating: 7, count: count))
        let own = ring.parts.0.baseAddress
        ring.leaveShared(of: pool)
        #expect(ring.parts.0.baseAddress == own && ring.count == count)
        ring.release(to: pool)
        #expect(pool.idleBytes == BufferPool.minimumCapacity)
    }

    @Test func `a ring leaves the shared block where nothing waits in it, and no other`() {
        var ring = RingBuffer()
        ring.borrowShared(of: pool)
        #expect(ring.leavesEmptyShared(of: pool) && ring.capacity == 0)
        ring.borrowShared(of: pool)
        ring.append([1], from: pool)
        #expect(!ring.leavesEmptyShared(of: pool) && [UInt8](ring.parts.0) == [1])
        ring.leaveShared(of: pool)
        ring.consume(1)
        #expect(!ring.leavesEmptyShared(of: pool) && ring.capacity > 0)
        ring.release(to: pool)
    }

    @Test func `a ring that fills byte by byte grows as often as its size doubles`() {
        var ring = RingBuffer()
        var growths = 0
        for _ in 0..<100_000 {
            let before = ring.capacity
            ring.append([7], from: pool)
            if ring.capacity != before { growths += 1 }
        }
        #expect(growths == 5 && ring.capacity == 131_072)
        ring.release(to: pool)
    }

    @Test func `random operations agree with an array`() {
        var run = RingRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations where !run.perform() {
            Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
            break
        }
        run.release()
    }
}

extension RingBuffer {
    /// Reserves and appends, as a session does.
    fileprivate mutating func append(_ bytes: [UInt8], from pool: BufferPool) {
        reserve(bytes.count, from: pool)
        bytes.withUnsafeBytes { append($0) }
    }
}

/// A ring beside an array.
private struct RingRun: ~Copyable {
    private let pool = BufferPool(maximumIdleBytes: 1 << 15)
    private var ring = RingBuffer()
    private var model: [UInt8] = []
    private var generator: SeededGenerator
    private let source: RandomBytes

    private static var limit: Int { 40_000 }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        source = RandomBytes(using: &generator)
    }

    mutating func perform() -> Bool {
        switch Int.random(in: 0..<64, using: &generator) {
        case 0..<20: append()
        case 20..<32: writeInPlace()
        case 32..<63: consume()
        default: release()
        }
        return agrees
    }

    private mutating func append() {
        let bytes = source.slice(using: &generator)
        guard model.count + bytes.count <= Self.limit else { return }
        ring.reserve(bytes.count, from: pool)
        ring.append(bytes)
        model.append(contentsOf: bytes)
    }

    private mutating func writeInPlace() {
        let bytes = source.slice(using: &generator)
        guard model.count + bytes.count <= Self.limit else { return }
        ring.reserve(bytes.count, from: pool)
        let written = UnsafeRawBufferPointer(rebasing: bytes.prefix(ring.contiguousRoom))
        guard let start = written.baseAddress, !written.isEmpty else { return }
        ring.tailAddress.copyMemory(from: start, byteCount: written.count)
        ring.commit(written.count)
        model.append(contentsOf: written)
    }

    private mutating func consume() {
        let all = Int.random(in: 0..<8, using: &generator) == 0
        let count = all ? model.count : Int.random(in: 0...model.count, using: &generator) / 2
        ring.consume(count)
        model.removeFirst(count)
    }

    mutating func release() {
        ring.release(to: pool)
        model = []
    }

    private var agrees: Bool {
        let (first, second) = ring.parts
        return ring.invariantHolds && ring.count == model.count
            && ring.isEmpty == model.isEmpty && first.count + second.count == model.count
            && first.equals(model[..<first.count]) && second.equals(model[first.count...])
    }
}
