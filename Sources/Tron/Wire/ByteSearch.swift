// Looks for a byte among many, eight at a time.

extension RawSpan {
    /// The byte at an offset that the span has.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        assert((0..<byteCount).contains(offset))
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// Where the byte first is within a range that the span has.
    func firstOffset(of byte: UInt8, in range: Range<Int>) -> Int? {
        assert(range.lowerBound >= 0 && range.upperBound <= byteCount)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let wanted = UInt64(byte) &* ones
        var offset = range.lowerBound
        while range.upperBound &- offset >= 8 {
            let word = unsafe unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self)
            // The lowest high bit that stays is that of the first byte that is zero now.
            let difference = UInt64(littleEndian: word) ^ wanted
            let found = (difference &- ones) & ~difference & (ones &<< 7)
            if found != 0 { return offset &+ found.trailingZeroBitCount &>> 3 }
            offset &+= 8
        }
        while offset < range.upperBound {
            if self.byte(at: offset) == byte { return offset }
            offset &+= 1
        }
        return nil
    }
}
