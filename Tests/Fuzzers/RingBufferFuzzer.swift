// Fuzzes the ring of output bytes: any order of its operations, against positions in a stream.

/// Each operation is a byte for what to do and one for how much.
enum RingBufferFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        var choices = Choices(input)
        var run = RingRun()
        while !choices.isEmpty { run.perform(&choices) }
        run.finish()
    }
}

/// The byte at each position of an endless stream is known, so that two positions are a model of a
/// queue: what was added so far, and what was taken.
private struct RingRun: ~Copyable {
    /// Its period is a prime, so that no error of a power of two goes unseen.
    private static let period = 8191
    private static let stream = (0..<20 * period).map { UInt8(truncatingIfNeeded: $0 % period) }
    private static let limit = 100_000

    private let pool = BufferPool(maximumIdleBytes: 1 << 17)
    private var ring = RingBuffer()
    private var added = 0
    private var taken = 0

    private var count: Int { added - taken }

    /// The stream's bytes from a position on.
    private static func bytes(
        from position: Int, count: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        stream.withUnsafeBytes {
            body(.init(rebasing: $0[position % period..<position % period + count]))
        }
    }

    mutating func perform(_ choices: inout Choices) {
        let operation = choices.byte()
        // Up to 255 bytes, or up to 2, 4, 6 ... blocks of the smallest size.
        let size = choices.number(below: 256) * (operation & 128 == 0 ? 1 : 64)
        switch operation & 127 % 8 {
        case 0, 1: append(size)
        case 2: writeInPlace(size)
        case 3, 4: consume(min(size, count))
        case 5: consume(count)
        case 6: borrowAndLeave(size)
        default: if size % 8 == 0 { release() } else { writeToEnd() }
        }
        check()
    }

    private mutating func append(_ size: Int) {
        guard count + size <= Self.limit else { return }
        ring.reserve(size, from: pool)
        Self.bytes(from: added, count: size) { ring.append($0) }
        added += size
    }

    private mutating func writeInPlace(_ size: Int) {
        guard count + size <= Self.limit else { return }
        ring.reserve(size, from: pool)
        let written = min(size, ring.contiguousRoom)
        guard written > 0 else { return require(size == 0, "no room after reserving") }
        Self.bytes(from: added, count: written) {
            ring.tailAddress.copyMemory(from: $0.baseAddress!, byteCount: written)
        }
        ring.commit(written)
        added += written
    }

    /// Fills the ring's last byte, and on.
    private mutating func writeToEnd() {
        append(min(ring.contiguousRoom, Self.limit - count))
        append(1)
    }

    /// As a session that sends from the shared block and keeps what the kernel refused.
    private mutating func borrowAndLeave(_ size: Int) {
        guard ring.capacity == 0 else { return ring.leaveShared(of: pool) }
        ring.borrowShared(of: pool)
        append(size)
        consume(size / 3)
        check()
        if ring.isEmpty { ring.release(to: pool) } else { ring.leaveShared(of: pool) }
        require(isEmptyWithoutStorage || count > 0, "an empty ring keeps storage")
    }

    private var isEmptyWithoutStorage: Bool { ring.isEmpty && ring.capacity == 0 }

    private mutating func consume(_ size: Int) {
        let size = min(size, count)
        ring.consume(size)
        taken += size
    }

    private mutating func release() {
        ring.release(to: pool)
        taken = added
        require(isEmptyWithoutStorage, "released, but not empty")
    }

    private func check() {
        require(ring.invariantHolds && ring.count == count, "\(ring.count) of \(count) bytes")
        require(ring.isEmpty == (count == 0) && ring.contiguousRoom <= ring.capacity, "room")
        let (first, second) = ring.parts
        let (part, isAll) = ring.firstPart
        require(part.count == first.count && isAll == second.isEmpty, "first part")
        require(first.count + second.count == count, "parts")
        Self.bytes(from: taken, count: first.count) { require(first.holds($0), "first bytes") }
        Self.bytes(from: taken + first.count, count: second.count) {
            require(second.holds($0), "second bytes")
        }
    }

    mutating func finish() {
        release()
        require(pool.checkInvariant(), "the pool's invariant")
    }
}
