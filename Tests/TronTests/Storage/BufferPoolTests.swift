// The pool of buffers: what it lends, what it keeps, and that it never lends a block twice.
import Testing

@testable import Tron

@Suite struct BufferPoolTests {
    @Test(arguments: [
        (0, 8192), (1, 8192), (8192, 8192), (8193, 16_384), (16_384, 16_384), (1 << 20, 1 << 20),
        ((1 << 20) + 1, 1 << 21),
    ])
    func `a block is the next power of two, and two pages at least`(asked: Int, given: Int) {
        let pool = BufferPool(maximumIdleBytes: 1 << 20)
        let block = pool.take(atLeast: asked)
        #expect(block.capacity == given && BufferPool.capacity(for: asked) == given)
        pool.give(block)
    }

    @Test func `a block that came back is lent again`() {
        let pool = BufferPool(maximumIdleBytes: 1 << 20)
        for size in [8192, 65_536] {
            let block = pool.take(atLeast: size)
            pool.give(block)
            let again = pool.take(atLeast: size)
            #expect(again.base == block.base && pool.idleBytes == 0)
            again.base.deallocate()
        }
    }

    @Test func `no more is kept than the bound, and nothing above the largest kept size`() {
        let pool = BufferPool(maximumIdleBytes: 3 * 8192)
        let blocks = (0..<5).map { _ in pool.take(atLeast: 1) }
        for block in blocks { pool.give(block) }
        #expect(pool.idleBytes == 3 * 8192 && pool.checkInvariant())
        let large = BufferPool(maximumIdleBytes: 1 << 30)
        large.give(large.take(atLeast: BufferPool.maximumKeptCapacity + 1))
        #expect(large.idleBytes == 0)
        large.give(large.take(atLeast: BufferPool.maximumKeptCapacity))
        #expect(large.idleBytes == BufferPool.maximumKeptCapacity && large.checkInvariant())
    }

    @Test func `random operations agree with a count of free blocks`() {
        var run = PoolRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations where !run.perform(step) {
            Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
            return
        }
    }
}

/// A pool beside what is lent, each block with a stamp at both ends, and how many lie idle.
private struct PoolRun: ~Copyable {
    private struct Loan {
        let block: Block
        let stamp: UInt64
    }

    private let pool = BufferPool(maximumIdleBytes: 1 << 19)
    private var loans: [Loan] = []
    private var idle: [Int: Int] = [:]
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    deinit {
        for loan in loans { loan.block.base.deallocate() }
    }

    mutating func perform(_ step: Int) -> Bool {
        // Now loans, now returns prevail, so that the pool runs full as well as empty.
        let lends = Int.random(in: 0..<4, using: &generator) < (step / 200 % 2 == 0 ? 3 : 1)
        guard lends ? take() : give() else { return false }
        let idleBytes = idle.reduce(0) { $0 + $1.key * $1.value }
        return pool.idleBytes == idleBytes && (step % 16 != 0 || pool.checkInvariant())
    }

    private mutating func take() -> Bool {
        guard loans.count < 100 else { return true }
        let magnitude = Int.random(in: 0...21, using: &generator)
        let count = Int.random(in: 0...1 << magnitude, using: &generator)
        let block = pool.take(atLeast: count)
        if let kept = idle[block.capacity], kept > 0 { idle[block.capacity] = kept - 1 }
        let loan = Loan(block: block, stamp: generator.next())
        block.base.storeBytes(of: loan.stamp, as: UInt64.self)
        block.base.storeBytes(of: loan.stamp, toByteOffset: block.capacity - 8, as: UInt64.self)
        loans.append(loan)
        return block.capacity >= count && block.capacity < max(2 * count, 8193)
            && block.capacity & (block.capacity - 1) == 0
    }

    private mutating func give() -> Bool {
        guard !loans.isEmpty else { return true }
        loans.swapAt(Int.random(in: 0..<loans.count, using: &generator), loans.count - 1)
        let loan = loans.removeLast()
        let (block, stamp) = (loan.block, loan.stamp)
        let isIntact =
            block.base.load(as: UInt64.self) == stamp
            && block.base.load(fromByteOffset: block.capacity - 8, as: UInt64.self) == stamp
        if block.capacity <= 1 << 20, pool.idleBytes + block.capacity <= 1 << 19 {
            idle[block.capacity, default: 0] += 1
        }
        pool.give(block)
        return isIntact
    }
}
