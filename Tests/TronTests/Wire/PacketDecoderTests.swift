// The packet decoder: what it keeps, how much memory and work that takes, and random streams.
import Testing

@testable import Tron

@Suite struct PacketDecoderTests {
    private let pool = BufferPool(maximumIdleBytes: 1 << 24)

    @Test func `too long a packet is refused with its header's last byte, before any data`() {
        var harness = DecoderHarness(maximumDataLength: 64, pool: pool)
        for (index, byte) in [0, 0, 0, 1, 9, 0, 0, 0, 65].enumerated() {
            #expect(harness.fault == nil, "after \(index) bytes")
            harness.receive([UInt8(byte)])
        }
        #expect(harness.fault == .dataTooLong(announced: 65))
        #expect(harness.decoder.kept.count <= PacketFormat.headerLength)
        harness.end()
    }

    @Test func `every limit from 0 to the largest is exact`() {
        for limit in [0, 1, 255, 1 << 20, 1 << 30, PacketFormat.maximumDataLength - 1] {
            for (length, isRefused) in [(limit, false), (limit + 1, true)] {
                var harness = DecoderHarness(maximumDataLength: limit, pool: pool)
                harness.receive(Self.header(dataLength: length))
                let fault = ProtocolFault.dataTooLong(announced: length)
                #expect(harness.fault == (isRefused ? fault : nil), "limit \(limit)")
                harness.end()
            }
        }
    }

    @Test func `after a fault, packets before it are delivered and none behind it`() {
        let good = OwnedPacket(sequence: 1, category: 2, data: [3]).wireBytes
        var bad = good
        bad[bad.count - 1] = 0x0d
        let decoded = DecodedStream(good + bad + good, chunks: [])
        #expect(decoded.packets.map(\.wireBytes) == [good])
        #expect(decoded.fault == .badTrailer(0x0d0d))
    }

    @Test(arguments: ReceiveWay.allCases)
    func `memory grows with the bytes that arrived, not with the length announced`(
        way: ReceiveWay
    ) {
        for arrived in [1 << 10, 10_000, 100_000, 1_000_000] {
            let pool = BufferPool(maximumIdleBytes: 1 << 24)
            var harness = DecoderHarness(maximumDataLength: 1 << 30, pool: pool)
            harness.receive(Self.header(dataLength: 1 << 30))
            let piece = [UInt8](repeating: 0, count: 500)
            for _ in 0..<arrived / piece.count { harness.receive(piece, by: way) }
            #expect(harness.fault == nil)
            #expect(harness.decoder.kept.count == arrived / piece.count * piece.count + 9)
            harness.end()
            #expect(harness.largestRoom <= max(7 * arrived, BufferPool.minimumCapacity))
            // The pool now has every block that was ever taken, as far as it keeps such large ones:
            // the last is less than 16 times what arrived, each before it at most half of the next.
            #expect(pool.idleBytes <= 32 * arrived + 2 * BufferPool.minimumCapacity)
        }
    }

    @Test(arguments: ReceiveWay.allCases, [1, 7, 1460])
    func `a large packet's bytes are moved a bounded number of times, however it is cut`(
        way: ReceiveWay, piece: Int
    ) {
        let packet = OwnedPacket(category: 1, data: [UInt8](repeating: 5, count: 200_000))
        let stream = packet.wireBytes
        var harness = DecoderHarness(pool: pool)
        var place: UnsafeRawPointer?
        var (moves, movedBytes, delivered) = (0, 0, 0)
        for start in stride(from: 0, to: stream.count, by: piece) {
            stream.withUnsafeBytes { stream in
                let end = min(start + piece, stream.count)
                harness.receive(.init(rebasing: stream[start..<end]), by: way) { _, data in
                    delivered += data.equals(packet.data[...]) ? 1 : 1000
                    return true
                }
            }
            let kept = harness.decoder.kept.bytes
            if kept.baseAddress != place {
                moves += 1
                movedBytes += kept.count
            }
            place = kept.baseAddress
        }
        #expect(delivered == 1 && harness.decoder.kept.isEmpty)
        #expect(moves <= 8 && movedBytes <= 2 * stream.count)
    }

    @Test func `of a stream of small packets no more is kept than the incomplete one`() {
        let packet = OwnedPacket(category: 1, data: [UInt8](repeating: 5, count: 53)).wireBytes
        let stream = Array(repeating: packet, count: 500).flatMap(\.self)
        for way in ReceiveWay.allCases {
            var harness = DecoderHarness(pool: pool)
            for start in stride(from: 0, to: stream.count, by: 1000) {
                harness.receive(Array(stream[start..<min(start + 1000, stream.count)]), by: way)
                #expect(harness.decoder.kept.count < packet.count)
            }
            #expect(harness.decoder.kept.isEmpty && harness.decoder.kept.bytes.baseAddress == nil)
        }
    }

    @Test func `whole packets behind an incomplete one are decoded where they lie`() {
        let packet = OwnedPacket(category: 1, data: [UInt8](repeating: 5, count: 53)).wireBytes
        let stream = Array(repeating: packet, count: 5000).flatMap(\.self)
        let pool = BufferPool(maximumIdleBytes: 1 << 24)
        var harness = DecoderHarness(pool: pool)
        harness.receive(Array(stream[..<10]))
        harness.receive(Array(stream[10...]))
        #expect(harness.decoder.kept.count == 0)
        harness.end()
        #expect(pool.idleBytes == BufferPool.minimumCapacity)
    }

    @Test func `of the bytes behind an incomplete packet only what it lacks is copied`() {
        let packet = OwnedPacket(category: 1, data: [UInt8](repeating: 5, count: 53)).wireBytes
        let stream = packet + packet
        for cut in 1..<packet.count {
            var decoder = PacketDecoder()
            stream.withUnsafeBytes { stream in
                var fresh = UnsafeRawBufferPointer(rebasing: stream[..<cut])
                _ = decoder.next(&fresh, maximumDataLength: 100, pool: pool)
                fresh = .init(rebasing: stream[cut...])
                let step = decoder.next(&fresh, maximumDataLength: 100, pool: pool)
                if case .packet = step {} else { Issue.record("no packet, cut at \(cut)") }
                #expect(decoder.kept.isEmpty && fresh.count == packet.count, "cut at \(cut)")
            }
            decoder.release(to: pool)
        }
    }

    @Test func `room is what the packet lacks, a block's rest, or seven times what has arrived`() {
        for (length, arrived, room) in [
            (100, 0, 102), (100, 90, 12), (1 << 20, 0, 8183), (1 << 20, 20_000, 140_063),
            (1 << 20, (1 << 20) - 10, 12), (60_000, 40_000, 20_002),
        ] {
            var decoder = PacketDecoder()
            let bytes = Self.header(dataLength: length) + [UInt8](repeating: 0, count: arrived)
            bytes.withUnsafeBytes {
                var fresh = $0
                _ = decoder.next(&fresh, maximumDataLength: 1 << 20, pool: pool)
            }
            let found = decoder.room(maximumDataLength: 1 << 20, pool: pool).count
            #expect(found == room, "\(arrived) of \(length)")
            decoder.release(to: pool)
        }
    }

    @Test func `random streams, mutated and cut at random, agree with a naive reader`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for stream in 0..<max(100, RandomRun.operations / 100) {
            var run = StreamRun(using: &generator)
            guard run.agrees() else {
                Issue.record("TRON_SEED=\(RandomRun.seed), stream \(stream)")
                return
            }
        }
    }

    private static func header(dataLength: Int) -> [UInt8] {
        [0, 0, 0, 1, 9]
            + (0..<4).reversed().map { UInt8(truncatingIfNeeded: dataLength >> (8 * $0)) }
    }
}

extension DecoderHarness {
    fileprivate mutating func receive(_ bytes: [UInt8], by way: ReceiveWay = .fresh) {
        bytes.withUnsafeBytes { receive($0, by: way) { _, _ in true } }
    }
}

/// A stream of random packets with some damage, read by the naive reader, and by the decoder in
/// random chunks, with a handler that at times leaves packets for later.
private struct StreamRun {
    private static let maximumDataLength = 5000
    private var stream: [UInt8] = []
    private var generator: SeededGenerator

    init(using generator: inout SeededGenerator) {
        self.generator = SeededGenerator(seed: generator.next())
        let source = RandomBytes(count: 8192, using: &self.generator)
        for _ in 0..<Int.random(in: 0...12, using: &self.generator) {
            let data = source.slice(limit: Self.maximumDataLength, using: &self.generator)
            let head = self.generator.next() >> 24
            stream += OwnedPacket(head: head, data: data).wireBytes
        }
        if Bool.random(using: &self.generator) { damage() }
    }

    private mutating func damage() {
        guard !stream.isEmpty else { return }
        let place = Int.random(in: 0..<stream.count, using: &generator)
        let end = min(stream.count, place + Int.random(in: 1...20, using: &generator))
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: stream[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: stream.removeSubrange(place..<end)
        case 2: stream.insert(contentsOf: stream[place..<end], at: place)
        default: stream.removeSubrange(place...)
        }
    }

    mutating func agrees() -> Bool {
        let expected = DecodedStream(
            readNaively: stream, maximumDataLength: Self.maximumDataLength)
        var decoded = DecodedStream()
        let pool = BufferPool(maximumIdleBytes: 1 << 20)
        var harness = DecoderHarness(maximumDataLength: Self.maximumDataLength, pool: pool)
        let limit = 1 << Int.random(in: 0...13, using: &generator)
        let pauses = Bool.random(using: &generator)
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + Int.random(in: 1...limit, using: &generator))
            let wanted = pauses ? Int.random(in: 1...3, using: &generator) : Int.max
            receive(start..<end, &harness, &decoded, wanted: wanted)
            start = end
        }
        harness.resume { decoded.append($0, $1, until: .max) }
        decoded.fault = harness.fault
        decoded.unconsumed = harness.fault == nil ? harness.decoder.kept.count : 0
        harness.end()
        return decoded == expected && pool.checkInvariant()
    }

    private mutating func receive(
        _ range: Range<Int>, _ harness: inout DecoderHarness, _ decoded: inout DecodedStream,
        wanted: Int
    ) {
        let way = ReceiveWay.allCases.randomElement(using: &generator)!
        let last = wanted == .max ? wanted : decoded.packets.count + wanted
        stream.withUnsafeBytes {
            harness.receive(.init(rebasing: $0[range]), by: way) {
                decoded.append($0, $1, until: last)
            }
        }
    }
}

extension DecodedStream {
    /// Whether more packets are wanted.
    fileprivate mutating func append(
        _ head: UInt64, _ data: UnsafeRawBufferPointer, until count: Int
    ) -> Bool {
        packets.append(OwnedPacket(head: head, data: data))
        return packets.count < count
    }
}
