// What the stream example sends, by what its help says, and peers that read it.
import Glibc
import Testing

@testable import Tron

/// The stream of a length, as it travels, without its end.
struct StreamedBytes {
    static let packetLength = 4096

    let length: Int
    let bytes: [UInt8]

    init(ofLength length: Int) {
        self.length = length
        let words = (0..<(length + 7) / 8).map {
            (UInt64($0) &* 0x9E37_79B9_7F4A_7C15).bigEndian
        }
        let data = words.withUnsafeBytes { Array($0.prefix(length)) }
        var bytes: [UInt8] = []
        for (number, start) in stride(from: 0, to: length, by: Self.packetLength).enumerated() {
            let piece = Array(data[start..<min(length, start + Self.packetLength)])
            bytes += OwnedPacket(sequence: Int32(number), category: 1, data: piece).wireBytes
        }
        self.bytes = bytes
    }

    /// The packet that tells how many bytes were sent: category 2 at the stream's end, 3 before.
    static func end(_ category: UInt8, after length: Int) -> [UInt8] {
        let data = (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
        return OwnedPacket(category: category, data: data).wireBytes
    }

    /// Where `received` departs from the front of the stream; nil when it does not.
    func fault(in received: some Collection<UInt8>) -> String? {
        let received = Array(received)
        if received.count > bytes.count { return "\(received.count) bytes of \(bytes.count)" }
        if memcmp(received, bytes, received.count) == 0 { return nil }
        return "byte \(zip(received, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? -1)"
    }

    /// What is wrong with what a peer received that read everything; nil when nothing is.
    func fault(of peer: Peer) -> String? {
        if !peer.isAtEnd || peer.error != 0 { return "no clean end: error \(peer.error)" }
        let end = Self.end(2, after: length)
        if peer.received.count != bytes.count + end.count {
            return "\(peer.received.count) bytes, not \(bytes.count + end.count)"
        }
        if !peer.received.hasSuffix(end) { return "another end" }
        return fault(in: peer.received.dropLast(end.count))
    }

    /// What is wrong with what a peer received whose stream the server cut; nil when nothing is.
    func faultOfCut(_ peer: Peer) -> String? {
        if !peer.isAtEnd || peer.error != 0 { return "no clean end: error \(peer.error)" }
        let packets = peer.received.count / (Self.packetLength + 11)
        let end = Self.end(3, after: packets * Self.packetLength)
        if !peer.received.hasSuffix(end) { return "another end" }
        return fault(in: peer.received.dropLast(end.count))
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ bytes: [UInt8]) -> Bool { suffix(bytes.count) == bytes[...] }
}

/// Reads what comes for any of the peers until each has had enough or has ended, and calls
/// `eachRound` after each round of that.
func readAll(
    _ peers: [Peer], until hasEnough: (Peer) -> Bool = { _ in false }, eachRound: () -> Void = {}
) throws {
    while true {
        let open = peers.filter { !$0.isAtEnd && $0.error == 0 && !hasEnough($0) }
        if open.isEmpty { return }
        var polled = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), ProcessUnderTest.patience) > 0 else {
            throw ProcessFailure(description: "\(open.count) peers hear nothing")
        }
        // A bound for each, so that none outruns the others.
        for (peer, event) in zip(open, polled) where event.revents != 0 {
            peer.drain(atMost: 64 << 10)
        }
        eachRound()
    }
}
