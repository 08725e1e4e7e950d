// Cuts a stream at every one and every two places: all of them, up to 4 KiB, so in no debug build.

/// An input is a stream. Its deliveries are compared with the oracle's reading of the whole.
///
/// A stream of n bytes is cut in n²/2 ways, each by both of a session's ways to receive: 17 million
/// decodings of 4 KiB. So this is run once for each stream of its corpus, and not fuzzed:
/// libFuzzer's instruments would take five times as long.
enum CutsRun {
    static let maximumDataLength = 1 << 20

    static func run(_ stream: UnsafeRawBufferPointer) {
        var oracle = ProtocolReader(maximumDataLength: maximumDataLength)
        for byte in stream { oracle.read(byte) }
        let pool = BufferPool(maximumIdleBytes: 1 << 20)
        for first in 0...stream.count {
            for second in first...stream.count {
                for isBehindKept in [false, true] {
                    let run = CutStream(stream, oracle.packets, isBehindKept, pool)
                    require(
                        run.isRight(first, second, oracle),
                        "cut at \(first) and \(second), behind kept: \(isBehindKept)")
                }
            }
        }
        require(pool.checkInvariant(), "the pool's invariant")
    }
}

/// One stream and what it holds, decoded without an allocation.
private struct CutStream {
    private let stream: UnsafeRawBufferPointer
    private let packets: [ProtocolReader.Packet]
    private let isBehindKept: Bool
    private let pool: BufferPool

    init(
        _ stream: UnsafeRawBufferPointer, _ packets: [ProtocolReader.Packet],
        _ isBehindKept: Bool, _ pool: BufferPool
    ) {
        self.stream = stream
        self.packets = packets
        self.isBehindKept = isBehindKept
        self.pool = pool
    }

    func isRight(_ first: Int, _ second: Int, _ oracle: ProtocolReader) -> Bool {
        var decoder = PacketDecoder()
        var (delivered, hasFault, start) = (0, false, 0)
        for end in [first, second, stream.count] where !hasFault {
            var fresh = UnsafeRawBufferPointer(rebasing: stream[start..<end])
            if isBehindKept, !decoder.kept.isEmpty { receiveBehindKept(&fresh, &decoder) }
            hasFault = !decode(&fresh, &decoder, &delivered)
            start = end
        }
        let kept = decoder.kept.bytes
        let isRight =
            delivered == packets.count && hasFault == (oracle.fault != nil)
            && (hasFault || kept.holds(oracle.waiting))
        decoder.release(to: pool)
        return isRight
    }

    private func receiveBehindKept(
        _ fresh: inout UnsafeRawBufferPointer, _ decoder: inout PacketDecoder
    ) {
        let room = decoder.room(maximumDataLength: CutsRun.maximumDataLength, pool: pool)
        let count = min(room.count, fresh.count)
        room.copyMemory(from: .init(rebasing: fresh[..<count]))
        decoder.commit(count)
        fresh = .init(rebasing: fresh[count...])
    }

    /// False after a fault. A packet that is not as expected counts as far too many.
    private func decode(
        _ fresh: inout UnsafeRawBufferPointer, _ decoder: inout PacketDecoder,
        _ delivered: inout Int
    ) -> Bool {
        while true {
            let step = decoder.next(
                &fresh, maximumDataLength: CutsRun.maximumDataLength, pool: pool)
            switch step {
            case .packet(let head, let data):
                let isRight = delivered < packets.count && isExpected(head, data, delivered)
                delivered += isRight ? 1 : 1000
            case .needsMore: return true
            case .fault: return false
            }
        }
    }

    private func isExpected(
        _ head: UInt64, _ data: UnsafeRawBufferPointer, _ place: Int
    ) -> Bool {
        let packet = Packet(head: head, data: data.bytes)
        return packets[place].sequence == packet.sequence
            && packets[place].category == packet.category && data.holds(packets[place].data)
    }
}
