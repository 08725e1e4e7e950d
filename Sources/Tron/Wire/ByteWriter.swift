// Writing bytes into room of a fixed size: integers, text, and pieces with their length in front.

/// Writes bytes one after another into room for a fixed number of them, the capacity. Sessions hand
/// it to closures: see `Session.send(sequence:category:capacity:_:)`.
///
///     session.reply(to: packet, capacity: 64) { output in
///         output.writeInteger(UInt32(7))
///         output.write("seven")
///     }
///
/// It never traps: what does not fit whole is left out, and so is all that follows, and nothing of
/// it is sent.
///
/// Invariant: 0 <= count <= limit, and `start` has room for `limit` bytes.
@safe
public struct ByteWriter: ~Copyable, ~Escapable {
    private let start: UnsafeMutableRawPointer
    /// The capacity, or what was written when something did not fit.
    private var limit: Int

    /// Bytes that have been written.
    public private(set) var count = 0

    /// Whether something did not fit.
    public private(set) var hasOverrun = false

    /// Writes to memory that outlives it.
    @_lifetime(immortal)
    init(start: UnsafeMutableRawPointer, capacity: Int) {
        unsafe self.start = unsafe start
        limit = capacity
    }

    /// Bytes that still fit. 0 once something did not.
    public var freeCapacity: Int { limit &- count }

    /// Where the next `byteCount` bytes go; nil when they do not fit.
    @usableFromInline
    mutating func place(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount <= freeCapacity else {
            overrun()
            return nil
        }
        let place = unsafe start + count
        count &+= byteCount
        return unsafe place
    }

    /// Nothing fits any more.
    @usableFromInline
    mutating func overrun() {
        hasOverrun = true
        limit = count
    }
}

// MARK: - Bytes

extension ByteWriter {
    /// Writes one byte.
    public mutating func writeByte(_ byte: UInt8) {
        unsafe place(1)?.storeBytes(of: byte, as: UInt8.self)
    }

    /// Writes bytes.
    public mutating func write(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes {
            guard let source = $0.baseAddress, let place = unsafe place($0.count) else { return }
            unsafe place.copyMemory(from: source, byteCount: $0.count)
        }
    }

    /// Writes bytes.
    public mutating func write(_ bytes: [UInt8]) { unsafe write(bytes.span.bytes) }

    /// Writes a text's UTF-8.
    public mutating func write(_ text: String) { unsafe write(text.utf8Span.span.bytes) }
}

// MARK: - Integers

extension ByteWriter {
    /// Writes an integer, in as many bytes as its type has: `writeInteger(UInt16(port))`.
    @inlinable
    public mutating func writeInteger<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ value: Integer, _ order: ByteOrder = .bigEndian
    ) {
        let stored = order.arrange(value)
        unsafe place(MemoryLayout<Integer>.size)?.storeBytes(of: stored, as: Integer.self)
    }

    /// Writes an integer's decimal digits in ASCII, behind a minus sign if it is negative.
    @inlinable
    public mutating func writeDecimal(_ value: some FixedWidthInteger) {
        guard let magnitude = UInt64(exactly: value.magnitude) else { return write("\(value)") }
        writeDecimal(magnitude, isNegative: value < 0)
    }

    @usableFromInline
    mutating func writeDecimal(_ magnitude: UInt64, isNegative: Bool) {
        var digits = 1
        var rest = magnitude / 10
        while rest > 0 {
            digits &+= 1
            rest /= 10
        }
        guard let first = unsafe place(digits &+ (isNegative ? 1 : 0)) else { return }
        if isNegative { unsafe first.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self) }
        var end = count
        rest = magnitude
        for _ in 0..<digits {
            end &-= 1
            let digit = UInt8(truncatingIfNeeded: rest % 10) | UInt8(ascii: "0")
            unsafe start.storeBytes(of: digit, toByteOffset: end, as: UInt8.self)
            rest /= 10
        }
    }
}

// MARK: - A length in front

extension ByteWriter {
    /// Writes what `body` writes, and its number of bytes in front of it. The length itself is not
    /// counted. A length that its type cannot hold is an overrun. When `body` throws, nothing of it
    /// stays written.
    @inlinable
    public mutating func writeLengthPrefixed<Length: FixedWidthInteger & BitwiseCopyable, Failure>(
        as type: Length.Type, _ order: ByteOrder = .bigEndian,
        _ body: (inout ByteWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let before = count
        let place = unsafe place(MemoryLayout<Length>.size)
        let start = count
        do throws(Failure) {
            try body(&self)
        } catch {
            rewind(to: before)
            throw error
        }
        guard let place = unsafe place, let length = Length(exactly: count &- start) else {
            return overrun()
        }
        unsafe place.storeBytes(of: order.arrange(length), as: Length.self)
    }

    /// Takes back what was written since `count` was this. An overrun stays.
    @usableFromInline
    mutating func rewind(to count: Int) {
        self.count = count
        if hasOverrun { limit = count }
    }
}
