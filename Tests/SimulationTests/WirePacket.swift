// The protocol written a second time, byte by byte, so that the oracle does not use what it tests.
import TronTestKit

/// Data that a number stands for: to know the number and the length is to know every byte.
enum Payload {
    static func bytes(_ number: UInt64, _ length: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        var word = number
        var index: UInt64 = 0
        while bytes.count < length {
            for shift in 0..<min(8, length - bytes.count) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift * 8)))
            }
            index += 1
            word = Chance.mix(number &+ index)
        }
        return bytes
    }

    /// The number that the data starts with; nil for less than eight bytes.
    static func number(of data: some Collection<UInt8>) -> UInt64? {
        guard data.count >= 8 else { return nil }
        return data.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func matches(_ data: some Collection<UInt8>, _ number: UInt64, _ length: Int) -> Bool {
        data.count == length && data.elementsEqual(bytes(number, length))
    }
}

/// A packet by what is known of it.
struct WirePacket: Equatable, CustomStringConvertible {
    var sequence: Int32
    var category: UInt8
    var number: UInt64
    var length: Int

    /// Categories with a meaning in the simulation; those from `plain` on have none.
    static let request: UInt8 = 2
    static let heartbeat: UInt8 = 9
    static let plain: UInt8 = 16
    /// Of these, the one that many peers send nothing but.
    static let usual: UInt8 = 77

    /// Set in the number of an answer to the request of the same number.
    static let answerBit: UInt64 = 1 << 63

    var wireLength: Int { length + 11 }

    var data: [UInt8] { Payload.bytes(number, length) }

    var wireBytes: [UInt8] { Self.wireBytes(sequence, category, data) }

    var description: String { "(\(sequence), \(category), \(length) bytes of \(number))" }

    static func wireBytes(_ sequence: Int32, _ category: UInt8, _ data: [UInt8]) -> [UInt8] {
        bigEndian(UInt32(bitPattern: sequence)) + [category] + bigEndian(UInt32(data.count)) + data
            + [13, 10]
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    func matches(_ sequence: Int32, _ category: UInt8, _ data: some Collection<UInt8>) -> Bool {
        sequence == self.sequence && category == self.category
            && Payload.matches(data, number, length)
    }
}

/// Takes packets off a stream, the slow and obvious way.
struct WireReader {
    enum Found {
        case packet(sequence: Int32, category: UInt8, data: ArraySlice<UInt8>)
        case more
        case malformed
    }

    private var bytes: [UInt8] = []

    mutating func append(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

    mutating func next() -> Found {
        guard bytes.count >= 9 else { return .more }
        let length = Int(Self.number(bytes[5..<9]))
        guard bytes.count >= length + 11 else { return .more }
        guard bytes[9 + length] == 13, bytes[10 + length] == 10 else { return .malformed }
        let sequence = Int32(bitPattern: Self.number(bytes[0..<4]))
        let category = bytes[4]
        let data = bytes[9..<(9 + length)]
        bytes.removeFirst(length + 11)
        return .packet(sequence: sequence, category: category, data: data)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// What one end has sent: the truth that the other end's deliveries are compared with.
struct WireLog {
    /// Whole and well-formed packets, each with the position in the stream where it ends.
    private(set) var packets: [(packet: WirePacket, end: Int)] = []
    /// Every byte that the end has written, sound or not.
    private(set) var bytes: [UInt8] = []
    /// Where the first malformed packet begins, and what the receiver should say of it.
    private(set) var fault: (start: Int, kind: Malformation)?

    enum Malformation: Equatable {
        case badTrailer(UInt16)
        case tooLong, truncated
    }

    mutating func append(_ packet: WirePacket, _ wire: [UInt8]) {
        bytes.append(contentsOf: wire)
        if fault == nil { packets.append((packet, bytes.count)) }
    }

    /// A packet whose bytes are in already.
    mutating func append(decoded packet: WirePacket) {
        packets.append((packet, (packets.last?.end ?? 0) + packet.wireLength))
    }

    mutating func appendRaw(_ wire: some Collection<UInt8>) { bytes.append(contentsOf: wire) }

    mutating func appendMalformed(_ wire: [UInt8], _ kind: Malformation) {
        if fault == nil { fault = (bytes.count, kind) }
        bytes.append(contentsOf: wire)
    }
}
