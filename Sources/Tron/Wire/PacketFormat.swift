// The layout of a packet on the wire; all integers are big-endian.

/// Why a stream of bytes is not a stream of packets. The connection it came from cannot be
/// trusted any more: earlier packets are delivered, later ones are not, and it is closed.
public enum ProtocolFault: Hashable, Sendable, CustomStringConvertible {
    /// A header announced more data than the limit allows. Raised before any data is stored.
    case dataTooLong(announced: Int)
    /// The two bytes after the data were not CR LF.
    case badTrailer(UInt16)
    /// The stream ended within a packet, after this many bytes of it.
    case truncatedPacket(bytes: Int)
    /// A handler of raw bytes left this many unconsumed, as many as may be kept.
    case tooManyUnconsumedBytes(Int)

    /// The fault in words.
    public var description: String {
        switch self {
        case .dataTooLong(let announced):
            "\(announced) bytes of data announced, more than allowed"
        case .badTrailer(let trailer):
            "trailer 0x\(String(trailer, radix: 16)) in place of CR LF"
        case .truncatedPacket(let bytes):
            "the stream ended after \(bytes) bytes of a packet"
        case .tooManyUnconsumedBytes(let bytes):
            "\(bytes) bytes left unconsumed"
        }
    }
}

/// Where a packet's fields lie:
///
///     0           4          5            9                9 + n        11 + n
///     | sequence  | category | dataLength | data (n bytes) | 0x0D 0x0A  |
enum PacketFormat {
    static let headerLength = 9
    static let trailer: UInt16 = 0x0D0A

    /// Bytes of a packet that are not data.
    static let overhead = 11

    /// What `dataLength` can say at most.
    static let maximumDataLength = Int(UInt32.max)

    /// Sequence and category as `Packet` holds them.
    @inline(__always)
    static func head(_ packet: UnsafeRawPointer) -> UInt64 {
        let sequence = unsafe UInt32(bigEndian: packet.loadUnaligned(as: UInt32.self))
        let category = unsafe packet.load(fromByteOffset: 4, as: UInt8.self)
        return UInt64(category) &<< 32 | UInt64(sequence)
    }

    @inline(__always)
    static func dataLength(_ packet: UnsafeRawPointer) -> Int {
        unsafe Int(UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 5, as: UInt32.self)))
    }

    @inline(__always)
    static func trailer(_ packet: UnsafeRawPointer, dataLength: Int) -> UInt16 {
        unsafe UInt16(
            bigEndian: packet.loadUnaligned(
                fromByteOffset: headerLength &+ dataLength, as: UInt16.self))
    }

    /// Writes a packet of `data.byteCount + overhead` bytes.
    @inline(__always)
    static func write(
        sequence: Int32, category: UInt8, data: UnsafeRawBufferPointer,
        to packet: UnsafeMutableRawPointer
    ) {
        unsafe writeHeader(
            sequence: sequence, category: category, dataLength: data.count, to: packet)
        if let source = data.baseAddress {
            unsafe (packet + headerLength).copyMemory(from: source, byteCount: data.count)
        }
        unsafe packet.storeBytes(
            of: trailer.bigEndian, toByteOffset: headerLength &+ data.count, as: UInt16.self)
    }

    /// Writes the first `headerLength` bytes of a packet.
    @inline(__always)
    static func writeHeader(
        sequence: Int32, category: UInt8, dataLength: Int, to packet: UnsafeMutableRawPointer
    ) {
        let length = UInt32(truncatingIfNeeded: dataLength)
        unsafe packet.storeBytes(of: sequence.bigEndian, as: Int32.self)
        unsafe packet.storeBytes(of: category, toByteOffset: 4, as: UInt8.self)
        unsafe packet.storeBytes(of: length.bigEndian, toByteOffset: 5, as: UInt32.self)
    }
}
