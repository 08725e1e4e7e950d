// Whether a server speaks the protocol, before it is measured: seven short checks.
import Glibc
import Tron

/// Each check is a connection of its own.
struct Conformance {
    let endpoint: Endpoint

    static let patience: UInt64 = 3_000_000_000

    /// What the server does wrong, in a few words; nil when nothing.
    func firstBreach() throws(Failure) -> String? {
        let checks: [(String, () throws(Failure) -> Bool)] = [
            ("does not echo an empty packet of sequence -5", echoesEmptyPacket),
            ("does not join a packet that arrives byte by byte", joinsBytes),
            ("answers before the packet is whole", waitsForTheWhole),
            ("does not echo packets of many sizes in one burst", echoesBurst),
            ("does not close after a wrong trailer", closesOnWrongTrailer),
            ("does not close after a length of 4 GiB", closesOnHugeLength),
            ("does not serve after that", echoesEmptyPacket),
        ]
        for (breach, check) in checks where try !check() {
            return breach
        }
        return nil
    }

    private func packet(_ sequence: Int32, _ size: Int) -> [UInt8] {
        var random = RandomWords(state: UInt64(size) + 1)
        var bytes: [UInt8] = []
        PacketStream.append(
            sequence: UInt32(bitPattern: sequence), category: UInt8(truncatingIfNeeded: size),
            data: random.bytes(size), to: &bytes)
        return bytes
    }

    private func echoesEmptyPacket() throws(Failure) -> Bool {
        let bytes = packet(-5, 0)
        let peer = try Peer(endpoint)
        return try peer.exchange(bytes) == bytes
    }

    private func joinsBytes() throws(Failure) -> Bool {
        let bytes = packet(7, 3) + packet(8, 50)
        let peer = try Peer(endpoint)
        for byte in bytes {
            _ = try peer.exchange([byte], expecting: 0)
            usleep(200)
        }
        return try peer.exchange([], expecting: bytes.count) == bytes
    }

    private func waitsForTheWhole() throws(Failure) -> Bool {
        let bytes = packet(1, 100)
        let peer = try Peer(endpoint)
        _ = try peer.exchange(Array(bytes[..<60]), expecting: 0)
        usleep(50_000)
        guard try peer.receive() == nil else { return false }
        return try peer.exchange(Array(bytes[60...]), expecting: bytes.count) == bytes
    }

    private func echoesBurst() throws(Failure) -> Bool {
        var bytes: [UInt8] = []
        for index in 0..<400 { bytes += packet(Int32(index), index * index % 40_009) }
        let peer = try Peer(endpoint)
        return try peer.exchange(bytes) == bytes
    }

    private func closesOnWrongTrailer() throws(Failure) -> Bool {
        var bytes = packet(7, 10)
        bytes[bytes.count - 1] = UInt8(ascii: "x")
        let peer = try Peer(endpoint)
        return try peer.exchange(bytes).isEmpty && peer.isClosed
    }

    private func closesOnHugeLength() throws(Failure) -> Bool {
        let peer = try Peer(endpoint)
        return try peer.exchange([0, 0, 0, 7, 1, 255, 255, 255, 255]).isEmpty && peer.isClosed
    }
}

/// A connection that sends and receives at the same time.
private final class Peer {
    private let descriptor: Int32
    private(set) var isClosed = false

    init(_ endpoint: Endpoint) throws(Failure) { descriptor = try endpoint.connect() }

    deinit { close(descriptor) }

    /// Sends it all; returns what arrives until there is as much as expected (as was sent, unless
    /// told), until the server closes, or until nothing has come for some seconds.
    func exchange(_ bytes: [UInt8], expecting count: Int? = nil) throws(Failure) -> [UInt8] {
        let expected = count ?? bytes.count
        var sent = 0
        var received: [UInt8] = []
        var lastProgress = nanoseconds()
        while sent < bytes.count || received.count < expected {
            try Interrupt.check()
            var progress = 0
            if sent < bytes.count {
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Self.flags)
                }
                progress += max(0, count)
                sent += max(0, count)
            }
            if received.count < expected, let more = try receive() {
                received += more
                progress += more.count
            }
            if isClosed { break }
            if progress > 0 {
                lastProgress = nanoseconds()
            } else if nanoseconds() - lastProgress > Conformance.patience {
                break
            } else {
                usleep(100)
            }
        }
        return received
    }

    /// What is there; nil when there is nothing, or when the server has closed.
    func receive() throws(Failure) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return Array(buffer[..<count]) }
        isClosed = isClosed || count == 0 || errno == ECONNRESET
        return nil
    }

    private static let flags = Int32(MSG_NOSIGNAL)
}
