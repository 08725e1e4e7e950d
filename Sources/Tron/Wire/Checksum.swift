// CRC32C, the checksum of PROXY headers (Castagnoli's polynomial; RFC 3720, B.4).

/// A running checksum of bytes.
struct CRC32C {
    /// What each value of a byte does to the remainder: the reflected polynomial, eight times.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { remainder, _ in
            remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1
        }
    }

    private var remainder = UInt32.max

    mutating func add(_ byte: UInt8) {
        let index = Int(UInt8(truncatingIfNeeded: remainder) ^ byte)
        remainder = remainder >> 8 ^ Self.table[index]
    }

    /// Of all bytes so far.
    var value: UInt32 { ~remainder }

    /// The checksum of bytes, of which those of `zeroed` count as zero.
    static func of(_ bytes: RawSpan, zeroing zeroed: Range<Int> = 0..<0) -> UInt32 {
        var sum = CRC32C()
        for index in 0..<bytes.byteCount {
            sum.add(zeroed.contains(index) ? 0 : bytes.byte(at: index))
        }
        return sum.value
    }
}
