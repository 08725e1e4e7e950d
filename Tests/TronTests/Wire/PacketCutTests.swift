// The packet decoder: every one of the 2ⁿ⁻¹ ways in which n bytes can be cut, for short streams.
import Testing

@testable import Tron

/// Longer streams are cut at every two places by `PacketVectorTests`, and by the fuzzers up to
/// 4 KiB, which takes an optimised build.
@Suite struct PacketCutTests {
    @Test(arguments: ReceiveWay.allCases)
    func `a packet of up to 16 bytes comes out right however it is cut`(way: ReceiveWay) {
        let data: [UInt8] = [13, 10, 0, 13, 10]
        for count in 0...data.count {
            let packet = OwnedPacket(sequence: -2, category: 13, data: Array(data[..<count]))
            expectEveryCutRight(packet.wireBytes, way)
        }
    }

    @Test(arguments: ReceiveWay.allCases)
    func `a fault within 16 bytes is the same however they are cut`(way: ReceiveWay) {
        let packet = OwnedPacket(category: 1, data: [1, 2, 3]).wireBytes
        for (place, byte) in [(8, 2), (8, 101), (5, 255), (12, 10), (13, 13)] {
            var damaged = packet
            damaged[place] = UInt8(byte)
            expectEveryCutRight(damaged, way)
        }
    }

    @Test(arguments: ReceiveWay.allCases)
    func `a packet that is not whole yet waits, however it is cut`(way: ReceiveWay) {
        let packet = OwnedPacket(category: 1, data: [1, 2, 3, 4, 5]).wireBytes
        for count in [1, 8, 9, 10, 13, 14, 15] { expectEveryCutRight(Array(packet[..<count]), way) }
    }

    private func expectEveryCutRight(_ stream: [UInt8], _ way: ReceiveWay) {
        let pool = BufferPool(maximumIdleBytes: 1 << 20)
        let run = CutRun(stream, way)
        // A bit for each place between two bytes; the last one's is always set.
        let end = 1 << (stream.count - 1)
        for cuts in end..<2 * end where !run.isRight(cuts, pool) {
            Issue.record("\(stream) cut as \(String(cuts, radix: 2)), the last bit first")
            return
        }
    }
}

/// A stream and what it holds; decoded without arrays, because there are so many ways.
private struct CutRun {
    private static let maximumDataLength = 100
    private let stream: [UInt8]
    private let way: ReceiveWay
    private let expected: DecodedStream

    init(_ stream: [UInt8], _ way: ReceiveWay) {
        self.stream = stream
        self.way = way
        expected = DecodedStream(readNaively: stream, maximumDataLength: Self.maximumDataLength)
    }

    func isRight(_ cuts: Int, _ pool: BufferPool) -> Bool {
        var decoder = PacketDecoder()
        var (start, delivered, fault) = (0, 0, ProtocolFault?.none)
        stream.withUnsafeBytes { stream in
            while start < stream.count, fault == nil {
                let end = start + (cuts >> start).trailingZeroBitCount + 1
                var fresh = UnsafeRawBufferPointer(rebasing: stream[start..<end])
                if way == .behindKept { receiveBehindKept(&fresh, &decoder, pool) }
                fault = decode(&fresh, &decoder, &delivered, pool)
                start = end
            }
        }
        let isRight = delivered == expected.packets.count && fault == expected.fault
        let kept = decoder.kept.count
        decoder.release(to: pool)
        return isRight && (fault != nil || kept == expected.unconsumed)
    }

    private func receiveBehindKept(
        _ fresh: inout UnsafeRawBufferPointer, _ decoder: inout PacketDecoder, _ pool: BufferPool
    ) {
        guard !decoder.kept.isEmpty else { return }
        let room = decoder.room(maximumDataLength: Self.maximumDataLength, pool: pool)
        let count = min(room.count, fresh.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: fresh[..<count]))
        decoder.commit(count)
        fresh = UnsafeRawBufferPointer(rebasing: fresh[count...])
    }

    /// Counts what is as expected, and far too much when something is not.
    private func decode(
        _ fresh: inout UnsafeRawBufferPointer, _ decoder: inout PacketDecoder,
        _ delivered: inout Int, _ pool: BufferPool
    ) -> ProtocolFault? {
        while true {
            let step = decoder.next(
                &fresh, maximumDataLength: Self.maximumDataLength, pool: pool)
            switch step {
            case .packet(let head, let data):
                let isRight =
                    delivered < expected.packets.count
                    && head == expected.packets[delivered].head
                    && data.equals(expected.packets[delivered].data[...])
                delivered += isRight ? 1 : 1000
            case .needsMore: return nil
            case .fault(let fault): return fault
            }
        }
    }
}
