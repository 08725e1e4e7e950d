// A ring as a run: bytes that are lent by somebody else, read where they lie, or copied in time.
import Testing

@testable import Tron

@Suite struct RingBufferRunTests {
    private let pool = BufferPool(maximumIdleBytes: 1 << 20)
    private let lent: [UInt8] = Array(0..<100)

    @Test func `a run waits where it lies, and takes no block`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]), pool)
            #expect(ring.isRun && ring.count == 10 && ring.capacity == 0)
            #expect(ring.firstPart.isAll && ring.firstPart.0.baseAddress == lent.baseAddress! + 10)
            #expect(ring.parts.1.isEmpty && ring.bytes == Array(10..<20))
            ring.release(to: pool)
            #expect(!ring.isRun && ring.isEmpty && pool.idleBytes == 0)
        }
    }

    @Test func `only bytes that continue it extend a run`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]), pool)
            let isAhead = ring.extendRun(UnsafeRawBufferPointer(rebasing: lent[21..<25]), pool)
            let isTwice = ring.extendRun(UnsafeRawBufferPointer(rebasing: lent[10..<20]), pool)
            #expect(!isAhead && !isTwice)
            ring.run(UnsafeRawBufferPointer(rebasing: lent[20..<25]), pool)
            ring.run(UnsafeRawBufferPointer(rebasing: lent[25..<26]), pool)
            #expect(ring.bytes == Array(10..<26))
            ring.release(to: pool)
        }
    }

    @Test func `bytes that wait in a block are not continued by a run`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.append([200], from: pool)
            let isTaken = ring.extendRun(lent, pool)
            #expect(!isTaken && ring.bytes == [200])
            ring.consume(1)
            ring.run(lent, pool)
            #expect(ring.isRun && ring.bytes == self.lent)
            #expect(pool.idleBytes == BufferPool.minimumCapacity)
            ring.release(to: pool)
        }
    }

    @Test func `a run ends where its next byte would lie; what is no run has no such end`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            #expect(ring.runEnd == nil)
            ring.append([200], from: pool)
            #expect(ring.runEnd == nil)
            ring.consume(1)
            ring.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]), pool)
            ring.consume(3)
            #expect(ring.runEnd == lent.baseAddress! + 20)
            ring.commit(5)
            #expect(ring.bytes == Array(13..<25))
            ring.release(to: pool)
        }
    }

    @Test func `no bytes are no run, and break none`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.run(UnsafeRawBufferPointer(rebasing: lent[..<0]), pool)
            #expect(!ring.isRun && ring.isEmpty)
            ring.run(UnsafeRawBufferPointer(rebasing: lent[..<5]), pool)
            ring.run(UnsafeRawBufferPointer(rebasing: lent[50..<50]), pool)
            #expect(ring.bytes == [0, 1, 2, 3, 4])
            ring.release(to: pool)
        }
    }

    @Test func `a run is copied before anything is queued behind it`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.run(UnsafeRawBufferPointer(rebasing: lent[0..<5]), pool)
            ring.append([200], from: pool)
            #expect(!ring.isRun && ring.bytes == [0, 1, 2, 3, 4, 200])
            ring.release(to: pool)
        }
    }

    @Test(arguments: 0...10)
    func `what is left of a run that was sent in part is copied`(taken: Int) {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.run(UnsafeRawBufferPointer(rebasing: lent[10..<20]), pool)
            ring.consume(taken)
            #expect(ring.bytes == Array(UInt8(10 + taken)..<20) && ring.invariantHolds)
            ring.leaveShared(of: pool)
            #expect(ring.bytes == Array(UInt8(10 + taken)..<20) && !ring.isRun)
            #expect((ring.capacity == 0) == (taken == 10))
            ring.release(to: pool)
        }
    }

    @Test func `a run takes the place of the shared block, and leaves for a block of its own`() {
        lent.withUnsafeBytes { lent in
            var ring = RingBuffer()
            ring.borrowShared(of: pool)
            ring.run(lent, pool)
            let isLeft = ring.leavesEmptyShared(of: pool)
            #expect(!isLeft)
            ring.leaveShared(of: pool)
            #expect(ring.bytes == self.lent && ring.block.base != pool.shared.base)
            ring.release(to: pool)
        }
    }
}

extension RingBuffer {
    /// Reserves and appends, as a session does.
    fileprivate mutating func append(_ bytes: [UInt8], from pool: BufferPool) {
        reserve(bytes.count, from: pool)
        bytes.withUnsafeBytes { append($0) }
    }

    /// Extends the run, which it has to.
    fileprivate mutating func run(_ bytes: UnsafeRawBufferPointer, _ pool: BufferPool) {
        let isExtended = extendRun(bytes, pool)
        #expect(isExtended)
    }

    fileprivate var bytes: [UInt8] { Array(parts.0) + Array(parts.1) }
}
