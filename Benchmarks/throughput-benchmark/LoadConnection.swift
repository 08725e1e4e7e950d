// One connection of the load: where it is in the cycle of packets, sending and receiving.
import CBenchmark
import Glibc

/// What it receives is what its source sent: another connection, or itself in an echo.
///
/// Invariant: `answered` ≤ `allowed`. Both offsets are below the length of the cycle.
struct LoadConnection {
    let descriptor: Int32
    /// In the cycle: the next byte to send, and the next byte expected.
    private var sendOffset: Int
    private var receiveOffset: Int
    /// In the cycle: the packet to be sent next, and the packet whose end comes next.
    private var nextPacket: Int
    private var arrivingPacket: Int
    private(set) var sentBytes = 0
    private var receivedBytes = 0
    /// Bytes of packets that may be sent and are not yet.
    private(set) var unsent = 0
    private(set) var allowed = 0
    /// Of its own packets; and of its source's, the whole ones that came.
    private(set) var answered = 0
    private(set) var arrived = 0
    /// Whether the kernel refused bytes: they wait for EPOLLOUT.
    var waitsForRoom = false

    init(_ descriptor: Int32, index: Int, source: Int, stream: PacketStream) {
        self.descriptor = descriptor
        nextPacket = stream.firstPacket(ofConnection: index)
        arrivingPacket = stream.firstPacket(ofConnection: source)
        sendOffset = stream.start(ofPacket: nextPacket)
        receiveOffset = stream.start(ofPacket: arrivingPacket)
    }

    var inFlight: Int { allowed - answered }

    /// Lets so many more packets go.
    mutating func allow(_ stream: PacketStream, _ count: Int = 1) {
        let start = stream.start(ofPacket: nextPacket)
        let place = nextPacket + count
        nextPacket = place % stream.packetCount
        // Whole cycles, and from one place to the other.
        let cycles = place / stream.packetCount
        unsent += cycles * stream.bytes.count + stream.start(ofPacket: nextPacket) - start
        allowed += count
    }

    /// Sends what may be sent. False when the kernel took less.
    mutating func send(_ stream: PacketStream) throws(Failure) -> Bool {
        while unsent > 0 {
            let chunk = min(unsent, stream.bytes.count - sendOffset)
            let count = unsafe stream.bytes.withUnsafeBytes {
                unsafe benchmark_result(
                    Glibc.send(descriptor, $0.baseAddress! + sendOffset, chunk, Self.sendFlags))
            }
            if count == -Int(EAGAIN) { return false }
            if count < 0 { throw Failure("sending", code: count) }
            unsent -= count
            sentBytes += count
            sendOffset += count
            if sendOffset == stream.bytes.count { sendOffset = 0 }
            if count < chunk { return false }
        }
        return true
    }

    private static let sendFlags = Int32(MSG_NOSIGNAL)

    /// Receives once. Nil when there is nothing.
    func receive(into buffer: inout [UInt8]) throws(Failure) -> Int? {
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe benchmark_result(recv(descriptor, $0.baseAddress, $0.count, 0))
        }
        if count == -Int(EAGAIN) { return nil }
        if count < 0 { throw Failure("receiving", code: count) }
        if count == 0 { throw Failure("the server closed the connection") }
        return count
    }

    /// So many of its packets have come out of the server.
    mutating func complete(_ packets: Int) { answered += packets }

    /// Checks every byte received; returns how many packets end in them. `sent` is by the source.
    mutating func check(
        _ count: Int, of buffer: [UInt8], _ stream: PacketStream, sent: Int
    ) throws(Failure) -> Int {
        receivedBytes += count
        if receivedBytes > sent { throw Failure("the server sent more than it was sent") }
        var start = 0
        var packets = 0
        while start < count {
            let chunk = min(count - start, stream.bytes.count - receiveOffset)
            let areEqual = unsafe buffer.withUnsafeBytes { received in
                unsafe stream.bytes.withUnsafeBytes { expected in
                    unsafe memcmp(
                        received.baseAddress! + start, expected.baseAddress! + receiveOffset, chunk)
                        == 0
                }
            }
            guard areEqual else { throw wrongByte(buffer[start..<start + chunk], stream) }
            start += chunk
            receiveOffset += chunk
            while arrivingPacket < stream.packetCount, stream.ends[arrivingPacket] <= receiveOffset
            {
                arrivingPacket += 1
                packets += 1
            }
            if receiveOffset == stream.bytes.count {
                receiveOffset = 0
                arrivingPacket = 0
            }
        }
        arrived += packets
        return packets
    }

    private func wrongByte(_ received: ArraySlice<UInt8>, _ stream: PacketStream) -> Failure {
        let expected = stream.bytes[receiveOffset...]
        let place = zip(received, expected).enumerated().first { $1.0 != $1.1 }
        guard let (index, (wrong, right)) = place else { return Failure("a wrong byte") }
        var packet = arrivingPacket
        while stream.ends[packet] <= receiveOffset + index { packet += 1 }
        let offset = receiveOffset + index - stream.start(ofPacket: packet)
        return Failure(
            "a wrong answer: byte \(offset) of a packet of \(stream.length(ofPacket: packet)) is "
                + "\(wrong) and not \(right), after \(receivedBytes - received.count) right bytes")
    }
}
