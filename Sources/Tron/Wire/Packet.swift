// A packet as handlers see it, borrowed; and as everybody else may keep it, owned.

/// A received packet whose data still lies in the receive buffer.
///
/// It is valid while the handler runs that was given it, and the compiler refuses to let it
/// escape. `copy()` makes one to keep.
public struct Packet: ~Escapable {
    /// Category and, above it, sequence, in one register: apart they would be packed into one and
    /// unpacked again at every call that takes a packet.
    @usableFromInline let head: UInt64

    /// The packet's data, which may be any bytes. A `ByteReader` takes it apart.
    public let data: RawSpan

    @_lifetime(copy data)
    @inline(__always)
    init(head: UInt64, data: RawSpan) {
        self.head = head
        self.data = data
    }

    /// Pairs a response with its request; -1 belongs to no request.
    @inlinable public var sequence: Int32 { Int32(truncatingIfNeeded: head &>> 8) }

    /// What kind of packet it is; the application's own.
    @inlinable public var category: UInt8 { UInt8(truncatingIfNeeded: head) }

    /// A copy that may be kept and sent to other threads. Allocates.
    public func copy() -> OwnedPacket {
        OwnedPacket(sequence: sequence, category: category, data: data.copy())
    }

    /// The data as text; bytes that are not UTF-8 appear as U+FFFD.
    public var text: String { data.text }
}

/// A packet with data of its own.
public struct OwnedPacket: Hashable, Sendable {
    /// Pairs a response with its request; -1 belongs to no request.
    public var sequence: Int32

    /// What kind of packet it is; the application's own.
    public var category: UInt8

    /// The packet's data, which may be any bytes.
    public var data: [UInt8]

    /// Makes a packet from its fields.
    public init(sequence: Int32 = -1, category: UInt8, data: [UInt8]) {
        self.sequence = sequence
        self.category = category
        self.data = data
    }

    /// The data as text; bytes that are not UTF-8 appear as U+FFFD.
    public var text: String { String(decoding: data, as: UTF8.self) }

    /// The packet as it travels.
    public var wireBytes: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: data.count + PacketFormat.overhead) {
            buffer, count in
            count = data.count + PacketFormat.overhead
            let target = unsafe UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped)
            unsafe data.withUnsafeBytes {
                unsafe PacketFormat.write(
                    head: PacketFormat.head(sequence: sequence, category: category), data: $0,
                    to: target)
            }
        }
    }
}
