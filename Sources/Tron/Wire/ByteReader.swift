// Reading bytes that were received: integers, pieces of a length, pieces up to a delimiter.

/// The order of an integer's bytes.
public enum ByteOrder: Hashable, Sendable, CaseIterable {
    /// The most significant byte comes first, as in most network protocols.
    case bigEndian
    /// The least significant byte comes first.
    case littleEndian

    /// The integer whose bytes in memory are those of `value` in this order; and back again, since
    /// the exchange undoes itself.
    @inlinable
    func arrange<Integer: FixedWidthInteger>(_ value: Integer) -> Integer {
        self == .bigEndian ? value.bigEndian : value.littleEndian
    }
}

/// Why something could not be read. The reader's position has not moved then.
public enum ByteReaderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Fewer bytes are left than are needed. In a stream, more may follow.
    case tooFewBytes(needed: Int, left: Int)
    /// A number of bytes to read that is negative.
    case negativeCount(Int)
    /// The bytes are not UTF-8.
    case notUTF8
    /// The bytes are not the digits of a decimal integer.
    case notDecimal
    /// The integer is too large, or too small, for its type.
    case integerOverflow

    /// The error in words.
    public var description: String {
        switch self {
        case .tooFewBytes(let needed, let left): "\(needed) bytes needed, \(left) left"
        case .negativeCount(let count): "a count of \(count) bytes"
        case .notUTF8: "not UTF-8"
        case .notDecimal: "not a decimal integer"
        case .integerOverflow: "an integer out of its type's range"
        }
    }
}

/// Reads a packet's data, or received bytes, from the front to the end. No input makes it trap:
/// what cannot be read is a `ByteReaderError`, or nil, and leaves the position where it was.
///
///     var input = ByteReader(packet.data)
///     let id = try input.readInteger(as: UInt32.self)
///     let key = try input.readText(input.readInteger(as: UInt16.self))
///
/// It lies over the bytes as they were received and copies nothing; what it returns as a `RawSpan`
/// lies there as well, and is valid as long. A copy of a reader has a position of its own, so that
/// it can read ahead.
public struct ByteReader: ~Escapable {
    private let bytes: RawSpan

    /// How many bytes have been read. Invariant: 0 to the number of bytes there are.
    public private(set) var position = 0

    /// Reads `bytes` from their front.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    /// Reads an array, which it borrows, from its front.
    @_lifetime(borrow bytes)
    public init(_ bytes: borrowing [UInt8]) { unsafe self.init(bytes.span.bytes) }

    /// How many bytes are left.
    public var remainingCount: Int { bytes.byteCount &- position }

    /// Whether no byte is left.
    public var isAtEnd: Bool { position == bytes.byteCount }

    /// The bytes that are left. They stay unread.
    public var remaining: RawSpan {
        @_lifetime(copy self) get { span(remainingCount) }
    }

    /// Moves on by `count` bytes and returns where they begin.
    @usableFromInline
    mutating func take(_ count: Int) throws(ByteReaderError) -> UnsafeRawPointer? {
        guard count >= 0 else { throw .negativeCount(count) }
        guard count <= remainingCount else {
            throw .tooFewBytes(needed: count, left: remainingCount)
        }
        let start = position
        position &+= count
        return unsafe bytes.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe $0 + start } }
    }

    /// The next `count` bytes, which there are.
    @_lifetime(copy self)
    private func span(_ count: Int) -> RawSpan {
        unsafe bytes.extracting(unchecked: position..<position &+ count)
    }
}

// MARK: - Integers

extension ByteReader {
    /// Reads one byte.
    public mutating func readByte() throws(ByteReaderError) -> UInt8 {
        try readInteger(as: UInt8.self)
    }

    /// Reads an integer of as many bytes as its type has.
    @inlinable
    public mutating func readInteger<Integer: FixedWidthInteger & BitwiseCopyable>(
        as type: Integer.Type = Integer.self, _ order: ByteOrder = .bigEndian
    ) throws(ByteReaderError) -> Integer {
        let place = unsafe try take(MemoryLayout<Integer>.size)
        let stored = unsafe place.unsafelyUnwrapped.loadUnaligned(as: Integer.self)
        return order.arrange(stored)
    }

    /// Reads a decimal integer in ASCII, with or without a sign, and the delimiter behind it. Nil,
    /// with nothing read, when the delimiter is not there. A carriage return and line feed, as in
    /// RESP: `try input.readDecimal(upTo: "\r\n", as: Int.self)`.
    @inlinable
    public mutating func readDecimal<Integer: FixedWidthInteger>(
        upTo delimiter: String, as type: Integer.Type = Integer.self
    ) throws(ByteReaderError) -> Integer? {
        var ahead = self
        guard let digits = ahead.readBytes(upTo: delimiter) else { return nil }
        let value = try Integer(decimal: digits)
        self = ahead
        return value
    }
}

// MARK: - Pieces of a length

extension ByteReader {
    /// The byte at `offset` behind the position; nil when there is none. It stays unread.
    public func peekByte(at offset: Int = 0) -> UInt8? {
        guard offset >= 0 && offset < remainingCount else { return nil }
        return bytes.byte(at: position &+ offset)
    }

    /// Passes over `count` bytes.
    public mutating func skip(_ count: Int) throws(ByteReaderError) { _ = unsafe try take(count) }

    /// Reads `count` bytes.
    @_lifetime(copy self)
    public mutating func readBytes(_ count: Int) throws(ByteReaderError) -> RawSpan {
        let piece = span(min(max(count, 0), remainingCount))
        try skip(count)
        return piece
    }

    /// Reads a text of `count` bytes of UTF-8. Bytes that are not UTF-8 are refused, not repaired:
    /// for that there is `RawSpan.text`.
    public mutating func readText(_ count: Int) throws(ByteReaderError) -> String {
        var ahead = self
        guard let text = try ahead.readBytes(count).validText else { throw .notUTF8 }
        self = ahead
        return text
    }

    /// Passes over a number of bytes that was read as an integer of any type. None is too large.
    @inlinable
    public mutating func skip(_ count: some BinaryInteger) throws(ByteReaderError) {
        try skip(Int(clamping: count))
    }

    /// Reads a number of bytes that was read as an integer of any type. None is too large.
    @inlinable
    @_lifetime(copy self)
    public mutating func readBytes(_ count: some BinaryInteger) throws(ByteReaderError) -> RawSpan {
        try readBytes(Int(clamping: count))
    }

    /// Reads a text whose number of bytes was read as an integer of any type. None is too large.
    @inlinable
    public mutating func readText(_ count: some BinaryInteger) throws(ByteReaderError) -> String {
        try readText(Int(clamping: count))
    }

    /// Reads a length and as many bytes behind it. The length itself is not part of them.
    @inlinable
    @_lifetime(copy self)
    public mutating func readLengthPrefixed<Length: FixedWidthInteger & BitwiseCopyable>(
        as type: Length.Type, _ order: ByteOrder = .bigEndian
    ) throws(ByteReaderError) -> RawSpan {
        var ahead = self
        let piece = try ahead.readBytes(ahead.readInteger(as: type, order))
        self = ahead
        return piece
    }
}

// MARK: - Pieces up to a delimiter

extension ByteReader {
    /// Reads up to the next such byte, which is read as well but not part of the result. Nil, with
    /// nothing read, when there is none.
    @_lifetime(copy self)
    public mutating func readBytes(upTo delimiter: UInt8) -> RawSpan? {
        guard let index = remaining.firstIndex(of: delimiter) else { return nil }
        return piece(index, delimiterCount: 1)
    }

    /// Reads up to the next such bytes, which are read as well but not part of the result. Nil,
    /// with nothing read, when they are not there, or not all. An empty delimiter is found at once.
    @_lifetime(copy self)
    public mutating func readBytes(upTo delimiter: RawSpan) -> RawSpan? {
        guard let index = remaining.firstIndex(of: delimiter) else { return nil }
        return piece(index, delimiterCount: delimiter.byteCount)
    }

    /// Reads up to the next such bytes, as `readBytes(upTo:)` of a `RawSpan` does.
    @_lifetime(copy self)
    public mutating func readBytes(upTo delimiter: [UInt8]) -> RawSpan? {
        unsafe readBytes(upTo: delimiter.span.bytes)
    }

    /// Reads up to the next text like this, in UTF-8, as `readBytes(upTo:)` of a `RawSpan` does.
    @_lifetime(copy self)
    public mutating func readBytes(upTo delimiter: String) -> RawSpan? {
        unsafe readBytes(upTo: delimiter.utf8Span.span.bytes)
    }

    /// Reads a line that ends with LF or CR LF, which are read as well but not part of the result.
    /// Nil, with nothing read, when there is no LF.
    @_lifetime(copy self)
    public mutating func readLine() -> RawSpan? {
        guard let index = remaining.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let hasReturn = index > 0 && peekByte(at: index &- 1) == UInt8(ascii: "\r")
        return hasReturn ? piece(index &- 1, delimiterCount: 2) : piece(index, delimiterCount: 1)
    }

    @_lifetime(copy self)
    private mutating func piece(_ count: Int, delimiterCount: Int) -> RawSpan {
        let piece = span(count)
        position &+= count &+ delimiterCount
        return piece
    }
}
