// What every connection sends: made once as bytes of the wire, and compared with what comes back.
import Tron

/// A cycle of packets that a connection sends over and over.
///
/// Each packet has its own sequence, category and random data, and each connection begins the cycle
/// somewhere else. So sending is one call on bytes that lie ready, checking is one comparison of
/// all that was received, and a packet that is stale, swapped or another connection's differs.
struct PacketStream {
    /// The whole cycle.
    let bytes: [UInt8]
    /// Where each packet ends.
    let ends: [Int]

    static let headerLength = 9
    static let overhead = 11

    /// Packets whose data lengths are drawn from `sizes`: so many that the cycle fits a
    /// second-level cache, but at least four.
    init(sizes: ClosedRange<Int>, seed: UInt64 = 0x7472_6f6e) {
        let mean = (sizes.lowerBound + sizes.upperBound) / 2 + Self.overhead
        let count = max(4, min(4096, (512 << 10) / mean))
        var random = RandomWords(state: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * mean)
        var ends: [Int] = []
        for _ in 0..<count {
            let size = sizes.lowerBound + Int(random.next() % UInt64(sizes.count))
            Self.append(
                sequence: UInt32(truncatingIfNeeded: random.next()),
                category: UInt8(truncatingIfNeeded: random.next()),
                data: random.bytes(size), to: &bytes)
            ends.append(bytes.count)
        }
        self.bytes = bytes
        self.ends = ends
    }

    var packetCount: Int { ends.count }

    /// The bytes of a packet on the wire.
    func length(ofPacket index: Int) -> Int { ends[index] - start(ofPacket: index) }

    func start(ofPacket index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

    /// The packet at which a connection begins: far from its neighbours'.
    func firstPacket(ofConnection index: Int) -> Int {
        Int(UInt32(truncatingIfNeeded: index) &* 0x9e37_79b1) % packetCount
    }

    static func append(
        sequence: UInt32, category: UInt8, data: [UInt8], to bytes: inout [UInt8]
    ) {
        appendBigEndian(sequence, to: &bytes)
        bytes.append(category)
        appendBigEndian(UInt32(data.count), to: &bytes)
        bytes += data
        bytes += [0x0d, 0x0a]
    }

    static func appendBigEndian(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

/// A small generator, the same on every machine: SplitMix64.
struct RandomWords {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            let word = next()
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
