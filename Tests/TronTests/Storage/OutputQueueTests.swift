// The queue of waiting output: a ring, and a run of lent bytes behind it, in one order.
import Testing

@testable import Tron

@Suite struct OutputQueueTests {
    private let pool = BufferPool(maximumIdleBytes: 1 << 20)
    private let lent: [UInt8] = Array(0..<100)

    @Test func `a run waits behind the ring's bytes, where it lies`() {
        lent.withUnsafeBytes { lent in
            var queue = OutputQueue()
            queue.append([200, 201], from: pool)
            queue.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]))
            #expect(
                queue.count == 12 && queue.hasRun && !queue.isEmpty && queue.contiguousRoom == 0)
            #expect(queue.bytes == [200, 201] + Array(10..<20) && !queue.firstPart.isAll)
            #expect(queue.parts.run.baseAddress == lent.baseAddress! + 10)
            queue.release(to: pool)
            #expect(queue.isEmpty && !queue.hasRun)
        }
    }

    @Test func `only bytes that continue it extend a run`() {
        lent.withUnsafeBytes { lent in
            var queue = OutputQueue()
            queue.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]))
            let isAhead = queue.extendRun(UnsafeRawBufferPointer(rebasing: lent[21..<25]))
            let isTwice = queue.extendRun(UnsafeRawBufferPointer(rebasing: lent[10..<20]))
            #expect(!isAhead && !isTwice)
            queue.run(UnsafeRawBufferPointer(rebasing: lent[20..<25]))
            #expect(queue.firstPart.isAll && queue.bytes == Array(10..<25))
            queue.release(to: pool)
        }
    }

    @Test func `a run is copied before anything is queued behind it`() {
        lent.withUnsafeBytes { lent in
            var queue = OutputQueue()
            queue.run(UnsafeRawBufferPointer(rebasing: lent[0..<5]))
            queue.append([200], from: pool)
            #expect(!queue.hasRun && queue.bytes == [0, 1, 2, 3, 4, 200])
            queue.release(to: pool)
        }
    }

    @Test(arguments: 0...12)
    func `the oldest bytes leave first, of the ring and then of the run`(taken: Int) {
        lent.withUnsafeBytes { lent in
            var queue = OutputQueue()
            queue.append([200, 201], from: pool)
            queue.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]))
            let all = queue.bytes
            queue.consume(taken)
            #expect(queue.bytes == Array(all.dropFirst(taken)) && queue.invariantHolds)
            #expect(queue.isEmpty == (taken == 12) && queue.hasRun == (taken < 12))
            queue.ownRun(pool)
            #expect(queue.bytes == Array(all.dropFirst(taken)) && !queue.hasRun)
            queue.release(to: pool)
        }
    }

    @Test func `a queue leaves the shared block with its run copied behind the rest`() {
        lent.withUnsafeBytes { lent in
            var queue = OutputQueue()
            queue.borrowShared(of: pool)
            queue.run(lent)
            let isLeft = queue.leavesEmptyShared(of: pool)
            #expect(!isLeft)
            queue.leaveShared(of: pool)
            #expect(queue.bytes == self.lent && queue.block.base != pool.shared.base)
            queue.release(to: pool)
        }
    }
}

extension OutputQueue {
    /// Reserves and appends, as a session does.
    fileprivate mutating func append(_ bytes: [UInt8], from pool: BufferPool) {
        reserve(bytes.count, from: pool)
        bytes.withUnsafeBytes { append($0) }
    }

    /// Extends the run, which it has to.
    fileprivate mutating func run(_ bytes: UnsafeRawBufferPointer) {
        let isExtended = extendRun(bytes)
        #expect(isExtended)
    }

    fileprivate var bytes: [UInt8] {
        let (first, second, run) = parts
        return Array(first) + Array(second) + Array(run)
    }
}
