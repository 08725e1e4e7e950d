// The stream of one peer: what it consists of, and when it is sent.
import Tron

/// A stream on its way to one peer.
final class Stream {
    /// Bytes of the stream in a packet: the packet's own 11 are a quarter of a percent of it.
    static let packetLength = 4096
    /// Bytes of the longest stream, whose packets still have a sequence each.
    static let maximumLength = packetLength << 31

    /// What the server holds for its peers: 64 KiB each, however slowly they read.
    static var serverOptions: ServerOptions {
        var options = ServerOptions()
        // 64 MiB in all.
        options.limits.maximumSessions = 1024
        options.session.limits.maximumDataLength = packetLength
        // `isWritable` allows one packet above the high watermark: nothing is ever refused.
        options.session.limits.maximumQueuedBytes = 64 << 10
        // What a peer is sent a turn, and so how long the others wait for it: some microseconds.
        options.session.limits.outputHighWatermark = 48 << 10
        options.session.limits.outputLowWatermark = 16 << 10
        // A producer keeps its session at the high watermark. The peer's end is heard all the same.
        options.session.pausesReadingAboveHighWatermark = false
        // The kernel takes more only when a third of its buffer is free, which is up to 4 MiB: a
        // peer that reads a kilobyte a second may need 23 minutes for that.
        options.session.idle.write = .seconds(3600)
        return options
    }

    private let length: Int
    private var position = 0

    init(ofLength length: Int) { self.length = length }

    func begin(on session: Session) {
        session.onWritabilityChange { [self] session, isWritable in
            if isWritable { fill(session) }
        }
        session.onDrain { [self] session in sendPosition(session, category: 3) }
        fill(session)
    }

    /// Queues what there is room for. When `isWritable` has answered false, the session tells when
    /// there is room again.
    private func fill(_ session: Session) {
        while session.isWritable {
            guard position < length else { return finish(session) }
            sendPacket(session)
        }
    }

    /// Unlike `close()`, which waits for a while only, `closeWriting()` gives a slow peer the time
    /// to read what is queued. The session ends with the peer's own end.
    private func finish(_ session: Session) {
        sendPosition(session, category: 2)
        session.closeWriting()
    }

    private func sendPacket(_ session: Session) {
        let end = min(length, position + Self.packetLength)
        let sequence = Int32(position / Self.packetLength)
        session.send(sequence: sequence, category: 1, capacity: end - position) { output in
            for start in stride(from: position, to: end, by: 8) {
                let word = Self.word(at: start)
                if end - start >= 8 {
                    output.writeInteger(word)
                } else {
                    for index in 0..<(end - start) {
                        output.writeByte(UInt8(truncatingIfNeeded: word >> (56 - 8 * index)))
                    }
                }
            }
        }
        position = end
    }

    private func sendPosition(_ session: Session, category: UInt8) {
        session.send(category: category, capacity: 8) { $0.writeInteger(UInt64(position)) }
    }

    /// The eight bytes at a position that eight divides.
    private static func word(at position: Int) -> UInt64 {
        UInt64(position / 8) &* 0x9E37_79B9_7F4A_7C15
    }
}
