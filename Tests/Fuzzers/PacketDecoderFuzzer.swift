// Fuzzes the packet decoder: any stream, cut anywhere, a handler that leaves packets for later.

/// An input is a stream, then its deliveries, then their number, then the limit on data:
///
///     | stream ...                  | delivery, 1 byte each | number | limit |
enum PacketDecoderFuzzer {
    private static let limits = [0, 1, 2, 7, 64, 300, 5000, 1 << 20, Int(UInt32.max)]

    static func run(_ input: UnsafeRawBufferPointer) {
        guard input.count >= 2 else { return }
        let limit = limits[Int(input[input.count - 1]) % limits.count]
        let end = input.count - 2
        let start = max(0, end - Int(input[end]))
        var run = DecoderRun(maximumDataLength: limit)
        var stream = input[..<start]
        for control in input[start..<end] {
            let delivery = Delivery(control)
            if delivery.filler > 0, run.received < 40_000 {
                run.receive([UInt8](repeating: 0, count: delivery.filler), delivery)
            } else {
                run.receive(Array(stream.prefix(delivery.length)), delivery)
                stream = stream.dropFirst(delivery.length)
            }
        }
        run.receive(Array(stream), Delivery(0))
        run.finish()
    }
}

/// How some bytes reach the decoder: how many, by which of a session's two ways, and whether the
/// handler pauses after one packet.
private struct Delivery {
    private let control: UInt8

    init(_ control: UInt8) { self.control = control }

    private var code: Int { Int(control & 63) }
    var isBehindKept: Bool { control & 64 != 0 }
    var pauses: Bool { control & 128 != 0 }

    /// 1 to 40 bytes, then 64 to 512.
    var length: Int { code < 40 ? code + 1 : 64 << (code / 4 - 10) }

    /// Zeros that the input need not hold, for packets larger than the buffers' first blocks.
    var filler: Int { code < 56 ? 0 : (code - 55) * 1024 }
}

/// The library's decoder and the oracle, fed the same bytes.
private struct DecoderRun: ~Copyable {
    private let pool = BufferPool(maximumIdleBytes: 1 << 24)
    private var decoder = PacketDecoder()
    private var fault: ProtocolFault?
    private var delivered = 0
    private(set) var received = 0
    private var oracle: ProtocolReader
    private let maximumDataLength: Int

    init(maximumDataLength: Int) {
        self.maximumDataLength = maximumDataLength
        oracle = ProtocolReader(maximumDataLength: maximumDataLength)
    }

    mutating func receive(_ bytes: [UInt8], _ delivery: Delivery) {
        guard fault == nil else { return }
        for byte in bytes { oracle.read(byte) }
        received += bytes.count
        var behind = 0
        if delivery.isBehindKept, !decoder.kept.isEmpty {
            let room = decoder.room(maximumDataLength: maximumDataLength, pool: pool)
            let most = max(7 * received, BufferPool.minimumCapacity)
            require(room.count <= most, "room \(room.count)")
            behind = min(room.count, bytes.count)
            bytes.withUnsafeBytes { room.copyMemory(from: .init(rebasing: $0[..<behind])) }
            decoder.commit(behind)
        }
        // Of exactly their size, so that the address sanitizer sees each access past their end.
        let shared = UnsafeMutableRawBufferPointer.allocate(
            byteCount: bytes.count - behind, alignment: 1)
        defer { shared.deallocate() }
        bytes.withUnsafeBytes { shared.copyMemory(from: .init(rebasing: $0[behind...])) }
        decode(.init(shared), pauses: delivery.pauses)
    }

    private mutating func decode(_ bytes: UnsafeRawBufferPointer, pauses: Bool) {
        var fresh = bytes
        let wanted = pauses ? delivered + 1 : Int.max
        loop: while delivered < wanted {
            switch decoder.next(&fresh, maximumDataLength: maximumDataLength, pool: pool) {
            case .packet(let head, let data): check(head, data)
            case .needsMore:
                require(fresh.isEmpty, "\(fresh.count) bytes were not taken")
                break loop
            case .fault(let found):
                fault = found
                break loop
            }
        }
        if fault == nil, !fresh.isEmpty {
            decoder.keep(fresh, maximumDataLength: maximumDataLength, pool: pool)
        }
        if decoder.kept.isEmpty { decoder.release(to: pool) }
        if !pauses { checkState() }
    }

    private mutating func check(_ head: UInt64, _ data: UnsafeRawBufferPointer) {
        require(delivered < oracle.packets.count, "a packet too many")
        let expected = oracle.packets[delivered]
        delivered += 1
        let packet = Packet(head: head, data: data.bytes)
        require(packet.sequence == expected.sequence, "sequence")
        require(packet.category == expected.category, "category")
        require(data.holds(expected.data), "data")
    }

    /// All that can be said of the bytes so far has been said.
    private func checkState() {
        require(delivered == oracle.packets.count, "a packet is missing")
        switch (fault, oracle.fault) {
        case (nil, nil):
            require(decoder.kept.bytes.holds(oracle.waiting), "what waits for more")
        case (.dataTooLong(let found)?, .dataTooLong(let expected)?):
            require(found == expected, "announced length")
        case (.badTrailer(let found)?, .badTrailer(let first, let second)?):
            require(found == UInt16(first) << 8 | UInt16(second), "trailer")
        default: require(false, "another fault, or one that is missing")
        }
    }

    /// Delivers what the handler left, and gives the memory back.
    mutating func finish() {
        if fault == nil { decode(.init(start: nil, count: 0), pauses: false) }
        decoder.release(to: pool)
        require(pool.checkInvariant(), "the pool's invariant")
        // The pool now has every block that was ever taken, one of each size: the largest is less
        // than eight times what came of a packet, or some of the smallest.
        require(pool.idleBytes <= 32 * received + 4 * BufferPool.minimumCapacity, "memory")
    }
}
