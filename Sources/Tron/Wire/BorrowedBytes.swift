// What can be done with borrowed bytes without unsafe code: copy, compare, search, and parse them.

extension RawSpan {
    /// A copy of the bytes, to keep. Allocates.
    public func copy() -> [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }

    /// The bytes as text; those that are not UTF-8 appear as U+FFFD.
    public var text: String {
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes as text; nil when they are not UTF-8.
    public var validText: String? {
        unsafe withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }
}

// MARK: - Comparing

extension RawSpan {
    /// Whether both have the same bytes.
    public func equals(_ other: RawSpan) -> Bool {
        byteCount == other.byteCount && starts(with: other, at: 0)
    }

    /// Whether these are just those bytes.
    public func equals(_ other: [UInt8]) -> Bool { unsafe equals(other.span.bytes) }

    /// Whether these are just the bytes of the text's UTF-8.
    public func equals(_ text: String) -> Bool { unsafe equals(text.utf8Span.span.bytes) }

    /// Whether the first of these are the other's bytes. Every span begins with none at all.
    public func starts(with prefix: RawSpan) -> Bool {
        byteCount >= prefix.byteCount && starts(with: prefix, at: 0)
    }

    /// Whether the first of these are those bytes.
    public func starts(with prefix: [UInt8]) -> Bool { unsafe starts(with: prefix.span.bytes) }

    /// Whether the first of these are the bytes of the text's UTF-8.
    public func starts(with prefix: String) -> Bool {
        unsafe starts(with: prefix.utf8Span.span.bytes)
    }

    /// Whether these are the bytes of the text's UTF-8, but for the case of ASCII's letters.
    public func equalsIgnoringCase(_ text: String) -> Bool {
        let other = text.utf8Span.span
        guard byteCount == other.count else { return false }
        return unsafe withUnsafeBytes { bytes in
            bytes.indices.allSatisfy {
                unsafe bytes[$0].lowercasedInASCII == other[$0].lowercasedInASCII
            }
        }
    }

    /// Lets a `switch` over bytes have texts for its cases.
    public static func ~= (text: String, bytes: RawSpan) -> Bool { bytes.equals(text) }
}

extension UInt8 {
    fileprivate var lowercasedInASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}

// MARK: - Searching

extension RawSpan {
    /// Where the first such byte is; nil when there is none.
    public func firstIndex(of byte: UInt8) -> Int? {
        firstOffset(of: byte, in: 0..<byteCount)
    }

    /// Where the first such bytes begin; nil when they are not there. None at all are at 0.
    public func firstIndex(of bytes: RawSpan) -> Int? {
        guard bytes.byteCount > 0 else { return 0 }
        let first = bytes.byte(at: 0)
        var start = 0
        while let index = firstOffset(of: first, in: start..<byteCount) {
            if bytes.byteCount > byteCount &- index { return nil }
            if starts(with: bytes, at: index) { return index }
            start = index &+ 1
        }
        return nil
    }

    /// Whether `other` stands at `index`, behind which there are as many bytes.
    private func starts(with other: RawSpan, at index: Int) -> Bool {
        let count = other.byteCount
        var offset = 0
        while count &- offset >= 8 {
            let mine = unsafe unsafeLoadUnaligned(
                fromUncheckedByteOffset: index &+ offset, as: UInt64.self)
            let theirs = unsafe other.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self)
            if mine != theirs { return false }
            offset &+= 8
        }
        while offset < count {
            if byte(at: index &+ offset) != other.byte(at: offset) { return false }
            offset &+= 1
        }
        return true
    }
}

// MARK: - Decimal integers

extension FixedWidthInteger {
    /// The integer whose decimal digits in ASCII these bytes are, all of them. A sign may come
    /// first.
    @inlinable
    public init(decimal bytes: RawSpan) throws(ByteReaderError) {
        self = unsafe try bytes.withUnsafeBytes { buffer throws(ByteReaderError) in
            let sign = unsafe buffer.first
            let isNegative = sign == UInt8(ascii: "-")
            let start = isNegative || sign == UInt8(ascii: "+") ? 1 : 0
            guard start < buffer.count else { throw .notDecimal }
            var value: Self = 0
            var isOver = false
            // By index: the standard library's slices of raw bytes cost ten times as much.
            for index in start..<buffer.count {
                let digit = unsafe buffer[index] &- UInt8(ascii: "0")
                guard digit < 10 else { throw .notDecimal }
                isOver = !value.appendDecimal(digit: digit, isNegative: isNegative) || isOver
            }
            if isOver { throw .integerOverflow }
            return value
        }
    }

    /// False when it is too large then, or too small.
    @inlinable @inline(__always)
    mutating func appendDecimal(digit: UInt8, isNegative: Bool) -> Bool {
        let digit = Self(truncatingIfNeeded: digit)
        let (shifted, isOver) = multipliedReportingOverflow(by: 10)
        let (sum, isBeyond) =
            isNegative
            ? shifted.subtractingReportingOverflow(digit)
            : shifted.addingReportingOverflow(digit)
        self = sum
        return !isOver && !isBeyond
    }
}
