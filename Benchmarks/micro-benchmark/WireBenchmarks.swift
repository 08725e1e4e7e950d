// Packets decoded and encoded: by the library, and a byte at a time.

private let data = [UInt8](repeating: 7, count: 64)

// MARK: - Decoding

/// Hands out 64 packets over and over, in reads of a length that need not be a packet's.
private struct PacketStream {
    private let bytes: [UInt8]
    private let readLength: Int
    private var start = 0

    init(readLength: Int) {
        let packet = OwnedPacket(sequence: 1, category: 2, data: data).wireBytes
        // A read may begin anywhere in the first half and end in the second.
        bytes = Array(repeating: packet, count: 128).flatMap(\.self)
        self.readLength = readLength
    }

    mutating func read<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let range = start..<start + readLength
        start = range.upperBound % (bytes.count / 2)
        return unsafe bytes.withUnsafeBytes { unsafe body(.init(rebasing: $0[range])) }
    }
}

func decode(_ packets: Int, readLength: Int) -> UInt64 {
    let pool = BufferPool(maximumIdleBytes: 1 << 20)
    var stream = PacketStream(readLength: readLength)
    var decoder = PacketDecoder()
    var (delivered, sum) = (0, UInt64(0))
    while delivered < packets {
        unsafe stream.read { bytes in
            var fresh = unsafe bytes
            reading: while true {
                switch unsafe decoder.next(&fresh, maximumDataLength: 1 << 20, pool: pool) {
                case .packet(let head, let data):
                    sum &+= head &+ UInt64(data.count)
                    delivered += 1
                case .needsMore, .fault: break reading
                }
            }
        }
    }
    decoder.release(to: pool)
    return sum
}

func decodeNaively(_ packets: Int, readLength: Int) -> UInt64 {
    var stream = PacketStream(readLength: readLength)
    var reader = NaiveDecoder()
    var (delivered, sum) = (0, UInt64(0))
    while delivered < packets {
        unsafe stream.read { bytes in
            for place in bytes.indices {
                guard let packet = unsafe reader.take(bytes[place]) else { continue }
                sum &+= PacketFormat.head(sequence: packet.sequence, category: packet.category)
                sum &+= UInt64(packet.data.count)
                delivered += 1
            }
        }
    }
    return sum
}

/// Reads the stream a byte at a time, as a state machine.
private struct NaiveDecoder {
    typealias Packet = (sequence: Int32, category: UInt8, data: [UInt8])

    private var place = 0
    private var sequence: UInt32 = 0
    private var category: UInt8 = 0
    private var dataLength = 0
    private var data: [UInt8] = []

    mutating func take(_ byte: UInt8) -> Packet? {
        defer { place += 1 }
        switch place {
        case 0..<4: sequence = sequence << 8 | UInt32(byte)
        case 4: category = byte
        case 5..<9: dataLength = dataLength << 8 | Int(byte)
        case 9 + dataLength: precondition(byte == 0x0d)
        case 10 + dataLength:
            precondition(byte == 0x0a)
            defer { self = NaiveDecoder(place: -1) }
            return (Int32(bitPattern: sequence), category, data)
        default: data.append(byte)
        }
        return nil
    }

    init(place: Int = 0) { self.place = place }
}

// MARK: - Encoding

func encode(_ packets: Int) -> UInt64 {
    let pool = BufferPool(maximumIdleBytes: 1 << 20)
    let length = data.count + PacketFormat.overhead
    var ring = RingBuffer()
    var sum: UInt64 = 0
    unsafe data.withUnsafeBytes { data in
        for index in 0..<packets {
            ring.reserve(length, from: pool)
            let head = PacketFormat.head(sequence: Int32(truncatingIfNeeded: index), category: 1)
            unsafe PacketFormat.write(head: head, data: data, to: ring.tailAddress)
            ring.commit(length)
            if index % 64 == 63 {
                sum &+= unsafe UInt64(ring.parts.0[3])
                ring.consume(ring.count)
                ring.release(to: pool)
            }
        }
    }
    ring.release(to: pool)
    return sum
}

func encodeNaively(_ packets: Int) -> UInt64 {
    var output: [UInt8] = []
    var sum: UInt64 = 0
    for index in 0..<packets {
        appendBigEndian(UInt32(truncatingIfNeeded: index), to: &output)
        output.append(1)
        appendBigEndian(UInt32(data.count), to: &output)
        output.append(contentsOf: data)
        output.append(contentsOf: [0x0d, 0x0a])
        if index % 64 == 63 {
            sum &+= UInt64(output[3])
            output.removeAll(keepingCapacity: true)
        }
    }
    return sum
}

private func appendBigEndian(_ value: UInt32, to output: inout [UInt8]) {
    for shift in stride(from: UInt32(24), through: 0, by: -8) {
        output.append(UInt8(truncatingIfNeeded: value >> shift))
    }
}
