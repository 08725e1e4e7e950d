// A member of the chat example as its tests see it: what it asks for, and what it is told.
import Tron

/// What the chat's server told of a member in a room.
struct ChatEvent: Hashable {
    static let said: UInt8 = 5
    static let joined: UInt8 = 6
    static let left: UInt8 = 7
    static let serverEnds: UInt8 = 8

    var kind: UInt8
    var room: String
    var name: String
    var text = ""

    init(kind: UInt8, room: String, name: String, text: String = "") {
        (self.kind, self.room, self.name, self.text) = (kind, room, name, text)
    }

    init?(_ packet: borrowing Packet) {
        var input = ByteReader(packet.data)
        do throws(ByteReaderError) {
            kind = packet.category
            room = try input.readText(input.readInteger(as: UInt8.self))
            name = try input.readText(input.readInteger(as: UInt8.self))
            text = try input.readText(input.remainingCount)
        } catch {
            return nil
        }
    }
}

/// A connection to the chat, on the test's own reactor.
final class ChatMember {
    let name: String
    let session: Session
    /// The rooms that it should be in.
    var rooms: Set<String> = []
    /// What it was told, by who did it.
    private(set) var heard: [String: [ChatEvent]] = [:]
    /// What it should have been told.
    var expected: [String: [ChatEvent]] = [:]
    private(set) var isToldOfEnd = false
    private(set) var closeReason: CloseReason?
    private(set) var problem: String?
    var onEvent: (ChatEvent) -> Void = { _ in }
    var onClose: () -> Void = {}
    /// Those that wait for their answers, by the sequence of the request.
    private var waiting: [Int32: (UInt8) -> Void] = [:]
    private var asked: Int32 = 0

    init(_ name: String, on session: Session) {
        self.name = name
        self.session = session
        session.onPacket { [self] _, packet in take(packet) }
        session.onClose { [self] _, reason in
            closeReason = reason
            onClose()
            (onEvent, onClose, waiting) = ({ _ in }, {}, [:])
        }
    }

    private func take(_ packet: borrowing Packet) {
        if packet.sequence >= 0 {
            guard let answered = waiting.removeValue(forKey: packet.sequence),
                packet.data.byteCount == 1
            else {
                problem = "an answer to nothing, or of another length"
                return
            }
            return answered(packet.data.copy()[0])
        }
        if packet.category == ChatEvent.serverEnds {
            isToldOfEnd = true
            return
        }
        guard let event = ChatEvent(packet), !isToldOfEnd else {
            problem = "what is no event, or comes after the last"
            return
        }
        heard[event.name, default: []].append(event)
        onEvent(event)
    }

    /// Sends a request, and calls `answered` with the answer.
    func ask(
        _ category: UInt8, _ name: String, _ text: String = "",
        _ answered: @escaping (UInt8) -> Void
    ) {
        waiting[asked] = answered
        let data = [UInt8(name.utf8.count)] + Array(name.utf8) + Array(text.utf8)
        session.send(sequence: asked, category: category, data: data)
        asked += 1
    }

    /// What is wrong with what it was told: nil when nothing is.
    var fault: String? {
        if let problem { return "\(name): \(problem)" }
        for sender in Set(heard.keys).union(expected.keys) {
            let told = Self.withLastRoomsSorted(heard[sender] ?? [])
            let right = Self.withLastRoomsSorted(expected[sender] ?? [])
            if told == right { continue }
            return "\(name) of \(sender): told \(told.count), should be \(right.count)"
        }
        return nil
    }

    /// Who ends leaves its rooms in no order.
    private static func withLastRoomsSorted(_ events: [ChatEvent]) -> [ChatEvent] {
        let count = events.reversed().prefix { $0.kind == ChatEvent.left }.count
        return events.dropLast(count) + events.suffix(count).sorted { $0.room < $1.room }
    }
}
