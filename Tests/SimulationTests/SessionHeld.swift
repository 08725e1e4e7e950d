// What a session has received and did not deliver, and how much it says that it received.
import TronTestKit

@testable import Tron

extension SessionRecord {
    /// Of what came, only packets that are no heartbeats count as such.
    func judgeCounts() {
        guard receiver == .packets && !isVersatile || receiver == .task else { return }
        let came = received.prefix { $0.end <= end.receivedTotal }
        let most = came.count {
            options.heartbeat == nil || $0.packet.category != WirePacket.heartbeat
        }
        let counted = session.counters.packetsReceived
        run.expect(
            counted <= most, "session \(id) counts \(counted) packets received of \(most)")
    }
}

extension SessionRecord {
    /// The longest frame that its framings allow.
    var longestFrame: Int { options.limits.maximumDataLength }

    /// Packets of most peers begin with a byte more of the same than it does.
    static let delimiter: [UInt8] = [0xff, 0xff, WirePacket.usual]

    /// The longest content of a line, or of what ends with the delimiter.
    var longestContent: Int { longestFrame - (receiver == .delimited ? Self.delimiter.count : 2) }

    /// The bytes of the other end's stream that have come and were not consumed.
    private var unconsumed: ArraySlice<UInt8> {
        guard let bytes = end.other?.log.bytes else { return [] }
        return bytes[position..<max(position, min(end.receivedTotal, bytes.count))]
    }

    /// The frame that comes next, if it lies in the session whole.
    var nextFrame: Range<Int>? {
        let bytes = unconsumed
        if receiver == .lines {
            guard let feed = bytes.prefix(longestFrame).firstIndex(of: 10) else { return nil }
            let content = feed > position && bytes[feed - 1] == 13 ? feed - 1 : feed
            return content - position <= longestContent ? position..<(feed + 1) : nil
        }
        if receiver == .delimited {
            let window = bytes.prefix(longestFrame)
            let start = window.indices.first {
                window[$0...].prefix(Self.delimiter.count).elementsEqual(Self.delimiter)
            }
            return start.map { position..<($0 + Self.delimiter.count) }
        }
        guard let length = announced(at: position), length + 11 <= longestFrame,
            length + 11 <= bytes.count
        else { return nil }
        return position..<(position + length + 11)
    }

    /// Whether something whole lies in the session that its handler has not seen.
    var holdsBack: Bool {
        switch receiver {
        case .bytes: return false
        case .frames, .lines, .delimited: return nextFrame != nil
        case .packets, .task:
            guard let index = nextToDeliver else { return false }
            let (packet, position) = received[index]
            return position <= end.receivedTotal
                && packet.length <= options.limits.maximumDataLength
        }
    }

    /// Bytes received after the last whole packet, or what its handler of bytes left over.
    var incompleteBytes: Int {
        if receiver != .packets && receiver != .task { return end.receivedTotal - position }
        guard let log = end.other?.log else { return end.receivedTotal }
        let last = log.packets.last { $0.end <= end.receivedTotal }
        return end.receivedTotal - (last?.end ?? 0)
    }

    /// What the header after the last packet within the session's limit announces.
    var announced: Int? {
        guard receiver == .packets || receiver == .task else { return announced(at: position) }
        let log = received
        let sound = log.dropFirst(delivered).prefix {
            $0.packet.length <= options.limits.maximumDataLength
        }
        return announced(at: sound.last?.end ?? (delivered == 0 ? 0 : log[delivered - 1].end))
    }

    /// Whether the line that comes next is longer than its framing allows.
    var hasTooLongLine: Bool {
        (receiver == .lines || receiver == .delimited) && nextFrame == nil
            && unconsumed.count > longestContent
    }

    private func announced(at position: Int) -> Int? {
        guard let log = end.other?.log else { return nil }
        let header = log.bytes.dropFirst(position).prefix(9)
        guard header.count == 9, header.endIndex <= end.receivedTotal else { return nil }
        return header.suffix(4).reduce(0) { $0 << 8 | Int($1) }
    }
}
