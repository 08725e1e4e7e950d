// The layout of a packet on the wire; all integers are big-endian.

/// Why a stream of bytes is not a stream of packets or frames. The connection it came from cannot
/// be trusted any more: earlier ones are delivered, later ones are not, and it is closed.
public enum ProtocolFault: Hashable, Sendable, CustomStringConvertible {
    /// A header announced more data than the limit allows. Raised before any data is stored.
    case dataTooLong(announced: Int)
    /// The two bytes after the data were not CR LF.
    case badTrailer(UInt16)
    /// The stream ended within a packet or a frame, after this many bytes of it.
    case truncatedPacket(bytes: Int)
    /// A handler of raw bytes left this many unconsumed, as many as may be kept.
    case tooManyUnconsumedBytes(Int)
    /// A handler of raw bytes said that it consumed what it was not given, or a framing that a
    /// frame reached that far.
    case consumedTooMuch(consumed: Int, of: Int)
    /// A frame is longer than this many bytes, which its framing or the limit allows at most.
    case frameTooLong(maximum: Int)
    /// The bytes are no frame. What the code means, the framing says.
    case malformedFrame(code: Int)
    /// A framing that was given this many bytes neither took any nor asked for more than those.
    case framingMadeNoProgress(bytes: Int)

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
        case .consumedTooMuch(let consumed, let count):
            "\(consumed) of \(count) bytes consumed"
        case .frameTooLong(let maximum):
            "a frame of more than \(maximum) bytes"
        case .malformedFrame(let code):
            "a malformed frame (\(code))"
        case .framingMadeNoProgress(let bytes):
            "the framing made no progress with \(bytes) bytes"
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

    static let trailerLength = 2

    /// Bytes of a packet that are not data.
    static let overhead = 11

    /// What `dataLength` can say at most.
    static let maximumDataLength = Int(UInt32.max)

    /// Sequence and category as `Packet` holds them: the first five bytes as one number.
    @inline(__always)
    static func head(_ packet: UnsafeRawPointer) -> UInt64 {
        unsafe UInt64(bigEndian: packet.loadUnaligned(as: UInt64.self)) &>> 24
    }

    @inline(__always)
    static func head(sequence: Int32, category: UInt8) -> UInt64 {
        UInt64(UInt32(bitPattern: sequence)) &<< 8 | UInt64(category)
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

    /// Whether there lies what `write` would write there of this head and the data that is there.
    static func isWritten(head: UInt64, dataLength: Int, at packet: UnsafeRawPointer) -> Bool {
        unsafe Self.head(packet) == head && Self.dataLength(packet) == dataLength
            && trailer(packet, dataLength: dataLength) == trailer
    }

    /// Writes a packet of `data.byteCount + overhead` bytes. The data comes last, so that nothing
    /// has to be kept across the call that copies it.
    @inline(__always)
    static func write(
        head: UInt64, data: UnsafeRawBufferPointer, to packet: UnsafeMutableRawPointer
    ) {
        unsafe writeHeader(head: head, dataLength: data.count, to: packet)
        unsafe writeTrailer(dataLength: data.count, to: packet)
        if let source = data.baseAddress {
            unsafe (packet + headerLength).copyMemory(from: source, byteCount: data.count)
        }
    }

    /// Writes the first `headerLength` bytes of a packet.
    @inline(__always)
    static func writeHeader(head: UInt64, dataLength: Int, to packet: UnsafeMutableRawPointer) {
        let length = UInt32(truncatingIfNeeded: dataLength)
        unsafe packet.storeBytes(of: (head &<< 24).bigEndian, as: UInt64.self)
        unsafe packet.storeBytes(of: length.bigEndian, toByteOffset: 5, as: UInt32.self)
    }

    /// Writes the last two bytes of a packet.
    @inline(__always)
    static func writeTrailer(dataLength: Int, to packet: UnsafeMutableRawPointer) {
        unsafe packet.storeBytes(
            of: trailer.bigEndian, toByteOffset: headerLength &+ dataLength, as: UInt16.self)
    }
}
