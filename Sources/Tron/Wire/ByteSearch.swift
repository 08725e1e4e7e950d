// Looks for a byte among many, a block at a time.

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
        let wanted = SIMD32(repeating: byte)
        var offset = range.lowerBound
        while range.upperBound &- offset >= 32 {
            let bytes = unsafe unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: SIMD32<UInt8>.self)
            // A byte of ones where it is, in memory order.
            let found = unsafe unsafeBitCast(bytes .== wanted, to: SIMD4<UInt64>.self)
            if found[0] | found[1] | found[2] | found[3] != 0 {
                return offset &+ Self.firstSet(in: found)
            }
            offset &+= 32
        }
        while offset < range.upperBound {
            if self.byte(at: offset) == byte { return offset }
            offset &+= 1
        }
        return nil
    }

    /// The first byte that is not zero, of which there is one.
    @inline(__always)
    private static func firstSet(in words: SIMD4<UInt64>) -> Int {
        var index = 0
        while words[index] == 0 { index &+= 1 }
        return index &* 8 &+ UInt64(littleEndian: words[index]).trailingZeroBitCount &>> 3
    }
}
