// A peer that a test scripts: the far side of one connection.
import Glibc
import Tron

/// The far side of a connection with a reactor, in the hands of the test.
///
/// It reads all that arrives, unless it is told to stop; what it is told to send leaves as the
/// connection takes it.
public final class SimulatedPeer {
    /// Its name, for partitions and links.
    public var name: String { end.place.name }

    /// What it has received, in order, and not given to `take`.
    public private(set) var received: [UInt8] = []

    /// Whether the other side has ended its stream, and all before that was received.
    public var hasEnded: Bool { end.finReceived && end.inbox.isEmpty }

    /// Whether the connection stands.
    public var isConnected: Bool { end.phase == .connected && !end.isClosed }

    /// Whether it was refused, reset or given up.
    public var isBroken: Bool { end.phase == .over && !end.isClosed }

    /// Called whenever something has arrived, or the connection has changed.
    public var onChange: (SimulatedPeer) -> Void = { _ in }

    private let end: End
    private let network: Transport
    private var outgoing = ByteQueue()
    private var isReading = true
    private var finishes = false

    init(_ end: End, _ network: Transport) {
        self.end = end
        self.network = network
        end.changed = { self.changed() }
    }

    private func changed() {
        guard !end.isClosed, !end.hasVanished else { return }
        push()
        if isReading { read(end.inbox.count) }
        onChange(self)
    }

    // MARK: Sending

    /// Sends bytes, as soon as the connection takes them.
    public func send(_ bytes: some Collection<UInt8>) {
        outgoing.append(bytes)
        push()
    }

    /// Sends a text's UTF-8.
    public func send(_ text: String) { send(text.utf8) }

    /// Sends a packet.
    public func send(sequence: Int32 = -1, category: UInt8, data: [UInt8]) {
        send(OwnedPacket(sequence: sequence, category: category, data: data).wireBytes)
    }

    /// Sends a packet with a text's UTF-8.
    public func send(sequence: Int32 = -1, category: UInt8, data: String) {
        send(sequence: sequence, category: category, data: [UInt8](data.utf8))
    }

    /// Bytes that it was told to send and that the connection has not taken: more than none for
    /// long when the other side does not read.
    public var unsentBytes: Int { outgoing.count + end.outbox.count }

    private func push() {
        guard end.phase == .connected, !end.writingEnded, !end.hasVanished else { return }
        if !outgoing.isEmpty {
            let taken = network.send(end, outgoing.content)
            outgoing.take(taken) { _ in }
        }
        if finishes && outgoing.isEmpty { network.endWriting(end) }
    }

    // MARK: Receiving

    /// What it has received, as text.
    public var text: String { String(decoding: received, as: UTF8.self) }

    /// Takes what it has received.
    public func take() -> [UInt8] {
        defer { received = [] }
        return received
    }

    /// The whole packets among what it has received.
    public var packets: [OwnedPacket] { OwnedPacket.split(received).packets }

    /// Takes the whole packets among what it has received.
    public func takePackets() -> [OwnedPacket] {
        let (packets, length) = OwnedPacket.split(received)
        received.removeFirst(length)
        return packets
    }

    /// Reads no more, so that what is sent to it waits.
    public func stopReading() { isReading = false }

    /// Reads everything again.
    public func resumeReading() {
        isReading = true
        read(end.inbox.count)
    }

    /// Reads at most so many of the bytes that have arrived.
    public func read(_ count: Int) {
        let count = min(count, end.inbox.count)
        guard count > 0 else { return }
        network.receive(end, count) { received += $0 }
    }

    // MARK: Ending

    /// Ends its stream after what it was told to send, and goes on reading.
    public func finish() {
        finishes = true
        push()
    }

    /// Closes its socket: what has arrived unread makes that a reset.
    public func close() { network.close(end, resets: false) }

    /// Resets the connection.
    public func reset() { network.close(end, resets: true) }

    /// Is gone without a word, as when its cable is cut.
    public func vanish() {
        end.hasVanished = true
        network.run.tell("\(name) vanishes")
        network.linksChanged()
    }
}

extension OwnedPacket {
    /// The whole packets at the front of what arrived, and how many bytes they take.
    fileprivate static func split(_ bytes: [UInt8]) -> (packets: [OwnedPacket], length: Int) {
        var packets: [OwnedPacket] = []
        var start = 0
        while start + 9 <= bytes.count {
            let size = bytes[(start + 5)..<(start + 9)].reduce(0) { $0 << 8 | Int($1) }
            guard start + size + 11 <= bytes.count else { break }
            let sequence = bytes[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            packets.append(
                OwnedPacket(
                    sequence: Int32(bitPattern: sequence), category: bytes[start + 4],
                    data: Array(bytes[(start + 9)..<(start + 9 + size)])))
            start += size + 11
        }
        return (packets, start)
    }
}
