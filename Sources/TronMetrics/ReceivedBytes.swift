// What the parser wants of received bytes: to find one, and to keep a line of them.

extension RawSpan {
    /// Where `byte` first stands within `range`.
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        unsafe withUnsafeBytes { unsafe $0[range].firstIndex(of: byte) }
    }

    /// A copy of the bytes in `range`.
    func copy(of range: Range<Int>) -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0[range]) }
    }
}
