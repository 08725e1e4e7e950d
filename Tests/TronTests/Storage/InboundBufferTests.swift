// The buffer of received bytes: one piece always, room behind it, and the storage it borrows.
import Testing

@testable import Tron

@Suite struct InboundBufferTests {
    private let pool = BufferPool(maximumIdleBytes: 1 << 22)

    @Test func `an empty buffer holds no storage, and gives back what it borrowed`() {
        var buffer = InboundBuffer()
        #expect(buffer.isEmpty && buffer.bytes.isEmpty)
        buffer.append(UnsafeRawBufferPointer(start: nil, count: 0), from: pool)
        #expect(buffer.room(for: 0, from: pool).isEmpty && !buffer.hasBlock)
        buffer.release(to: pool)
        #expect(pool.idleBytes == 0)
        #expect(buffer.room(for: 5, from: pool).count == 5 && buffer.hasBlock)
        buffer.release(to: pool)
        #expect(buffer.hasBlock == false)
        #expect(pool.idleBytes == BufferPool.minimumCapacity)
    }

    @Test func `consumed bytes stay readable until the buffer is next changed`() {
        var buffer = InboundBuffer()
        [1, 2, 3, 4].withUnsafeBytes { buffer.append($0, from: pool) }
        let before = buffer.bytes
        buffer.consume(before.count)
        #expect(buffer.isEmpty && buffer.bytes.isEmpty)
        #expect([Int](before.bindMemory(to: Int.self)) == [1, 2, 3, 4])
        buffer.release(to: pool)
    }

    @Test func `a buffer through which bytes pass keeps its one block`() {
        var buffer = InboundBuffer()
        let chunk = [UInt8](repeating: 9, count: 1000)
        for _ in 0..<1000 {
            chunk.withUnsafeBytes { buffer.append($0, from: pool) }
            if buffer.count > 3000 { buffer.consume(2500) }
        }
        buffer.release(to: pool)
        #expect(pool.idleBytes <= 3 * BufferPool.minimumCapacity)
    }

    @Test func `bytes move to the front when that frees half of the block, and else to another`() {
        let size = BufferPool.minimumCapacity
        for (consumed, asked, isMoved) in [
            (size / 2, size / 2, true), (size / 2, size / 2 + 1, false),
            (size / 2 - 1, 1, false), (3000, 1, false), (size, size, true),
        ] {
            let pool = BufferPool(maximumIdleBytes: 1 << 22)
            var buffer = InboundBuffer()
            [UInt8](repeating: 9, count: size).withUnsafeBytes { buffer.append($0, from: pool) }
            let block = buffer.bytes.baseAddress
            buffer.consume(consumed)
            #expect(buffer.room(for: asked, from: pool).count == asked)
            #expect((buffer.bytes.baseAddress == block) == isMoved, "\(consumed), \(asked)")
            #expect(buffer.bytes.elementsEqual(repeatElement(9, count: size - consumed)))
            buffer.release(to: pool)
        }
    }

    @Test func `a block that is too small is followed by one of twice what is kept`() {
        var buffer = InboundBuffer()
        let size = BufferPool.minimumCapacity
        [UInt8](repeating: 9, count: size).withUnsafeBytes { buffer.append($0, from: pool) }
        buffer.consume(1000)
        _ = buffer.room(for: 1, from: pool)
        buffer.release(to: pool)
        #expect(pool.idleBytes == size + 2 * size)
    }

    @Test func `each byte is moved a bounded number of times, also while some are consumed`() {
        for consumed in [0, 1, 3] {
            var buffer = InboundBuffer()
            var moved = 0
            for _ in 0..<50_000 {
                let end = buffer.bytes.baseAddress.map { $0 + buffer.count }
                let room = buffer.room(for: 4, from: pool)
                if let end, room.baseAddress != UnsafeMutableRawPointer(mutating: end) {
                    moved += buffer.count
                }
                buffer.commit(4)
                buffer.consume(consumed)
            }
            #expect(buffer.count == 50_000 * (4 - consumed))
            #expect(moved <= 2 * 4 * 50_000, "\(consumed) of 4 bytes consumed")
            buffer.release(to: pool)
        }
    }

    @Test func `random operations agree with an array`() {
        var run = InboundRun(seed: RandomRun.seed)
        for step in 0..<RandomRun.operations where !run.perform() {
            Issue.record("TRON_SEED=\(RandomRun.seed), step \(step)")
            break
        }
        run.release()
    }
}

/// A buffer beside an array.
private struct InboundRun: ~Copyable {
    private let pool = BufferPool(maximumIdleBytes: 1 << 16)
    private var buffer = InboundBuffer()
    private var model: [UInt8] = []
    private var generator: SeededGenerator
    private let source: RandomBytes

    private static var limit: Int { 40_000 }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        source = RandomBytes(using: &generator)
    }

    mutating func perform() -> Bool {
        var isSound = true
        switch Int.random(in: 0..<64, using: &generator) {
        case 0..<16: append()
        case 16..<32: isSound = receive()
        case 32..<63: isSound = consume()
        default: release()
        }
        return isSound && buffer.invariantHolds && buffer.count == model.count
            && buffer.isEmpty == model.isEmpty && buffer.bytes.equals(model[...])
    }

    private mutating func append() {
        let bytes = source.slice(using: &generator)
        guard model.count + bytes.count <= Self.limit else { return }
        buffer.append(bytes, from: pool)
        model.append(contentsOf: bytes)
    }

    /// Writes a part of the room, as a short read does, or nothing.
    private mutating func receive() -> Bool {
        let bytes = source.slice(using: &generator)
        guard model.count + bytes.count <= Self.limit else { return true }
        let room = buffer.room(for: bytes.count, from: pool)
        guard room.count == bytes.count, buffer.bytes.equals(model[...]) else { return false }
        let count = Int.random(in: 0...bytes.count, using: &generator)
        let received = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        room.copyMemory(from: received)
        buffer.commit(count)
        model.append(contentsOf: received)
        return true
    }

    private mutating func consume() -> Bool {
        let all = Int.random(in: 0..<8, using: &generator) == 0
        let count = all ? model.count : Int.random(in: 0...model.count, using: &generator) / 2
        let before = buffer.bytes
        buffer.consume(count)
        let staysReadable = before.equals(model[...])
        model.removeFirst(count)
        return staysReadable
    }

    mutating func release() {
        buffer.release(to: pool)
        model = []
    }
}
