// The oracle of the decoder's fuzzer: the protocol's text, followed a byte at a time.

/// Reads packets as PROTOCOL's rules for a receiver say, with no regard for cost, and shares
/// nothing with the library.
///
///     offset 0 sequence (4) | 4 category (1) | 5 length n (4) | 9 data (n) | 9 + n CR LF
struct ProtocolReader {
    struct Packet: Equatable {
        var sequence: Int32
        var category: UInt8
        var data: [UInt8]
    }

    enum Fault: Equatable {
        case dataTooLong(Int)
        case badTrailer(first: UInt8, second: UInt8)
    }

    let maximumDataLength: Int
    private(set) var packets: [Packet] = []
    private(set) var fault: Fault?
    /// The bytes of the packet that is not whole yet.
    private(set) var waiting: [UInt8] = []
    /// At how many bytes there is something to decide next.
    private var needed = 9

    init(maximumDataLength: Int) { self.maximumDataLength = maximumDataLength }

    mutating func read(_ byte: UInt8) {
        // Rule 3: after any error nothing is delivered.
        if fault != nil { return }
        waiting.append(byte)
        if waiting.count < needed { return }
        let length = integer(at: 5)
        if needed > 9 { return endPacket(length) }
        // Rule 2: on the header alone, before any data.
        if length > maximumDataLength { fault = .dataTooLong(length) }
        // Rule 1: the length says where the trailer is.
        needed = 9 + length + 2
    }

    private mutating func endPacket(_ length: Int) {
        let trailer = Array(waiting[(9 + length)...])
        if trailer != [13, 10] {
            fault = .badTrailer(first: trailer[0], second: trailer[1])
            return
        }
        let packet = Packet(
            sequence: Int32(truncatingIfNeeded: integer(at: 0)), category: waiting[4],
            data: Array(waiting[9..<9 + length]))
        packets.append(packet)
        waiting = []
        needed = 9
    }

    /// Four bytes, the first the highest.
    private func integer(at offset: Int) -> Int {
        var value = 0
        for byte in waiting[offset..<offset + 4] { value = value * 256 + Int(byte) }
        return value
    }
}
