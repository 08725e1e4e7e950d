// Drives a packet decoder as a session does, and says what comes out of it.
import Testing

@testable import Tron

/// What a stream of bytes is made of, by whoever decoded it.
struct DecodedStream: Equatable {
    var packets: [OwnedPacket] = []
    var fault: ProtocolFault?
    /// Bytes that wait for more; 0 after a fault.
    var unconsumed = 0

    /// The bytes before the packet at fault, or before what is unconsumed.
    var wireLength: Int { packets.reduce(0) { $0 + $1.data.count + PacketFormat.overhead } }
}

/// How received bytes reach the decoder.
enum ReceiveWay: CaseIterable {
    /// All through the shared receive buffer.
    case fresh
    /// What the first kept packet lacks straight behind it, the rest through the shared buffer.
    case behindKept
}

/// A decoder, its pool, and a handler that may leave packets for later.
struct DecoderHarness: ~Copyable {
    private(set) var decoder = PacketDecoder()
    private let pool: BufferPool
    private let maximumDataLength: Int
    private(set) var fault: ProtocolFault?
    /// The most bytes that the decoder ever asked to receive behind the kept ones.
    private(set) var largestRoom = 0

    init(maximumDataLength: Int = 1 << 20, pool: BufferPool) {
        self.maximumDataLength = maximumDataLength
        self.pool = pool
    }

    /// Delivers bytes; from a copy of exactly their size, so that the address sanitizer sees every
    /// access past their end and every use of them afterwards.
    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, by way: ReceiveWay = .fresh,
        handler: (UInt64, UnsafeRawBufferPointer) -> Bool
    ) {
        guard fault == nil else { return }
        var direct = 0
        if way == .behindKept, !decoder.kept.isEmpty {
            let room = decoder.room(maximumDataLength: maximumDataLength, pool: pool)
            largestRoom = max(largestRoom, room.count)
            direct = min(room.count, bytes.count)
            room.copyMemory(from: .init(rebasing: bytes[..<direct]))
            decoder.commit(direct)
        }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[direct...])
        let shared = UnsafeMutableRawBufferPointer.allocate(byteCount: rest.count, alignment: 1)
        defer { shared.deallocate() }
        shared.copyMemory(from: rest)
        decode(.init(shared), handler)
    }

    /// Delivers packets that the handler left.
    mutating func resume(handler: (UInt64, UnsafeRawBufferPointer) -> Bool) {
        decode(.init(start: nil, count: 0), handler)
    }

    /// Until the bytes are used up, or the handler wants no more.
    private mutating func decode(
        _ bytes: UnsafeRawBufferPointer, _ handler: (UInt64, UnsafeRawBufferPointer) -> Bool
    ) {
        var fresh = bytes
        var wantsMore = true
        while wantsMore {
            switch decoder.next(&fresh, maximumDataLength: maximumDataLength, pool: pool) {
            case .packet(let head, let data): wantsMore = handler(head, data)
            case .needsMore:
                if !fresh.isEmpty { Issue.record("\(fresh.count) bytes were not taken") }
                wantsMore = false
            case .fault(let found):
                fault = found
                return
            }
        }
        if !fresh.isEmpty {
            decoder.keep(fresh, maximumDataLength: maximumDataLength, pool: pool)
        }
        if decoder.kept.isEmpty { decoder.release(to: pool) }
    }

    mutating func end() { decoder.release(to: pool) }
}

extension OwnedPacket {
    init(head: UInt64, data: UnsafeRawBufferPointer) {
        self.init(
            sequence: Int32(truncatingIfNeeded: head >> 8),
            category: UInt8(truncatingIfNeeded: head),
            data: [UInt8](data))
    }

    var head: UInt64 { UInt64(UInt32(bitPattern: sequence)) << 8 | UInt64(category) }
}

extension DecodedStream {
    /// What the library's decoder makes of a stream that arrives in chunks of these lengths, and
    /// then in one of what is left.
    init(
        _ stream: [UInt8], maximumDataLength: Int = 1 << 20, chunks: some Sequence<Int>,
        way: ReceiveWay = .fresh, pool: BufferPool = BufferPool(maximumIdleBytes: 1 << 20)
    ) {
        var harness = DecoderHarness(maximumDataLength: maximumDataLength, pool: pool)
        var packets: [OwnedPacket] = []
        stream.withUnsafeBytes { stream in
            var start = 0
            var lengths = chunks.makeIterator()
            while start < stream.count {
                let end = min(stream.count, start + (lengths.next() ?? stream.count))
                harness.receive(.init(rebasing: stream[start..<end]), by: way) { head, data in
                    packets.append(OwnedPacket(head: head, data: data))
                    return true
                }
                start = end
            }
        }
        self.packets = packets
        fault = harness.fault
        unconsumed = fault == nil ? harness.decoder.kept.count : 0
        harness.end()
    }

    /// What the protocol's text says, followed word by word.
    init(readNaively stream: [UInt8], maximumDataLength: Int = 1 << 20) {
        func number(_ range: Range<Int>) -> UInt32 {
            stream[range].reduce(0) { $0 << 8 | UInt32($1) }
        }
        var start = 0
        while stream.count - start >= 9 {
            let length = Int(number(start + 5..<start + 9))
            if length > maximumDataLength {
                fault = .dataTooLong(announced: length)
                return
            }
            let end = start + 9 + length
            if stream.count < end + 2 { break }
            if stream[end] != 0x0d || stream[end + 1] != 0x0a {
                fault = .badTrailer(UInt16(number(end..<end + 2)))
                return
            }
            packets.append(
                OwnedPacket(
                    sequence: Int32(bitPattern: number(start..<start + 4)),
                    category: stream[start + 4], data: [UInt8](stream[start + 9..<end])))
            start = end + 2
        }
        unconsumed = stream.count - start
    }
}
