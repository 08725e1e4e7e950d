// Cuts a stream of bytes, however it arrives, into packets. Does no I/O.

/// What the decoder makes of the bytes it has.
@unsafe
enum DecodedStep {
    /// A whole packet; the data is valid until the decoder is next called.
    case packet(head: UInt64, data: UnsafeRawBufferPointer)
    /// No whole packet is left.
    case needsMore
    case fault(ProtocolFault)

    fileprivate var needsMore: Bool {
        if case .needsMore = unsafe self { true } else { false }
    }
}

/// Decodes in place what arrived, and keeps only what cannot be delivered yet: the beginning of a
/// packet, or what the session's handler does not want now.
///
/// The work is linear in the bytes however finely they are cut, and memory grows with the bytes
/// that came, never with a length that was announced: a block is the power of two from eight times
/// what came of a packet on, or the smallest.
/// Invariant: what `kept` holds comes before `fresh` in the stream.
struct PacketDecoder: ~Copyable {
    private(set) var kept = InboundBuffer()

    /// The next packet of the kept bytes and then of `fresh`, from which what is used is removed:
    /// all of it when more is needed.
    @inline(__always)
    mutating func next(
        _ fresh: inout UnsafeRawBufferPointer, maximumDataLength: Int, pool: BufferPool
    ) -> DecodedStep {
        if !kept.isEmpty {
            // Not `inout`, so that `fresh` can stay in registers.
            let (step, rest) = unsafe nextKept(fresh, maximumDataLength, pool: pool)
            unsafe fresh = rest
            return unsafe step
        }
        let step = unsafe nextFresh(&fresh, maximumDataLength: maximumDataLength)
        if unsafe step.needsMore && !fresh.isEmpty {
            unsafe keep(fresh, maximumDataLength: maximumDataLength, pool: pool)
            unsafe fresh = .init(start: nil, count: 0)
        }
        return unsafe step
    }

    /// The next packet of `fresh`, while nothing is kept. What is left when more is needed is the
    /// caller's to `keep`.
    @inline(__always)
    func nextFresh(
        _ fresh: inout UnsafeRawBufferPointer, maximumDataLength: Int
    ) -> DecodedStep {
        assert(kept.isEmpty)
        switch unsafe Self.measure(fresh, maximumDataLength) {
        case .whole(let length):
            let packet = unsafe fresh.baseAddress.unsafelyUnwrapped
            unsafe fresh = .init(start: packet + length, count: fresh.count &- length)
            return unsafe Self.step(packet, length)
        case .needs: return unsafe .needsMore
        case .fault(let fault): return unsafe .fault(fault)
        }
    }

    /// Keeps what was not decoded: `next` goes on with it. The beginning of a packet gets room for
    /// more of it. Without a `maximumDataLength` the bytes are none of packets.
    @inline(never)
    mutating func keep(
        _ fresh: UnsafeRawBufferPointer, maximumDataLength: Int?, pool: BufferPool
    ) {
        if kept.isEmpty {
            kept.release(to: pool)
            if let maximumDataLength,
                case .needs(let length) = unsafe Self.measure(fresh, maximumDataLength)
            {
                let allowance = Self.allowance(length, arrived: fresh.count)
                _ = unsafe kept.room(for: allowance, from: pool)
            }
        }
        unsafe kept.append(fresh, from: pool)
    }

    /// Bytes that a packet of `length` may take once `arrived` of them are there: eight times as
    /// many, so that its beginning is seldom moved.
    private static func allowance(_ length: Int, arrived: Int) -> Int {
        min(length, max(8 * arrived, BufferPool.minimumCapacity))
    }

    /// Completes the first kept packet with just the bytes it lacks.
    @inline(never)
    private mutating func nextKept(
        _ fresh: UnsafeRawBufferPointer, _ maximumDataLength: Int, pool: BufferPool
    ) -> (DecodedStep, rest: UnsafeRawBufferPointer) {
        var rest = unsafe fresh
        while true {
            switch unsafe Self.measure(kept.bytes, maximumDataLength) {
            case .whole(let length):
                let packet = unsafe kept.bytes.baseAddress.unsafelyUnwrapped
                kept.consume(length)
                return unsafe (Self.step(packet, length), rest)
            case .needs(let length):
                let lacking = min(length - kept.count, rest.count)
                if lacking == 0 { return unsafe (.needsMore, rest) }
                unsafe kept.append(.init(rebasing: rest[..<lacking]), from: pool)
                unsafe rest = .init(rebasing: rest[lacking...])
            case .fault(let fault):
                return unsafe (.fault(fault), rest)
            }
        }
    }

    /// Where the bytes that follow the kept ones can be received to without a further copy: as many
    /// as the first kept packet lacks, within its allowance.
    mutating func room(
        maximumDataLength: Int, pool: BufferPool
    ) -> UnsafeMutableRawBufferPointer {
        guard case .needs(let length) = unsafe Self.measure(kept.bytes, maximumDataLength) else {
            return unsafe .init(start: nil, count: 0)
        }
        let count = Self.allowance(length, arrived: kept.count) - kept.count
        return unsafe kept.room(for: count, from: pool)
    }

    /// Adds `count` bytes that were received into `room`.
    mutating func commit(_ count: Int) { kept.commit(count) }

    /// Drops the first `count` kept bytes, for handlers that read bytes and not packets.
    mutating func consume(_ count: Int) { kept.consume(count) }

    /// Room for up to `count` raw bytes after the kept ones.
    mutating func rawRoom(_ count: Int, pool: BufferPool) -> UnsafeMutableRawBufferPointer {
        unsafe kept.room(for: count, from: pool)
    }

    /// Drops what is kept and gives the memory back.
    mutating func release(to pool: BufferPool) { kept.release(to: pool) }

    private enum Measure {
        case whole(Int)
        /// The packet is at least this long: the header alone, or all of it once that is there.
        case needs(Int)
        case fault(ProtocolFault)
    }

    /// Judges the packet at the front: the length on the header alone, the trailer once it is
    /// there.
    @inline(__always)
    private static func measure(
        _ bytes: UnsafeRawBufferPointer, _ maximumDataLength: Int
    ) -> Measure {
        guard bytes.count >= PacketFormat.headerLength else {
            return .needs(PacketFormat.headerLength)
        }
        let packet = unsafe bytes.baseAddress.unsafelyUnwrapped
        let dataLength = unsafe PacketFormat.dataLength(packet)
        guard dataLength <= maximumDataLength else {
            return .fault(.dataTooLong(announced: dataLength))
        }
        let length = dataLength &+ PacketFormat.overhead
        guard bytes.count >= length else { return .needs(length) }
        let trailer = unsafe PacketFormat.trailer(packet, dataLength: dataLength)
        guard trailer == PacketFormat.trailer else { return .fault(.badTrailer(trailer)) }
        return .whole(length)
    }

    @inline(__always)
    private static func step(_ packet: UnsafeRawPointer, _ length: Int) -> DecodedStep {
        unsafe .packet(
            head: PacketFormat.head(packet),
            data: .init(
                start: packet + PacketFormat.headerLength,
                count: length &- PacketFormat.overhead))
    }
}
