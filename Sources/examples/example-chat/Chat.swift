// The rooms, who is in them, and what a member may ask for.
import Tron

/// What a member asks for.
enum Request {
    case name(String)
    case join(room: String)
    case leave(room: String)
    case say(room: String, text: String)

    /// Nil when the packet is no request.
    init?(_ packet: borrowing Packet) {
        var input = ByteReader(packet.data)
        do throws(ByteReaderError) {
            let name = try input.readText(input.readInteger(as: UInt8.self))
            let text = try input.readText(input.remainingCount)
            guard (1...Chat.maximumNameLength).contains(name.utf8.count) else { return nil }
            switch (packet.category, text.utf8.count) {
            case (1, 0): self = .name(name)
            case (2, 0): self = .join(room: name)
            case (3, 0): self = .leave(room: name)
            case (4, 1...Chat.maximumTextLength): self = .say(room: name, text: text)
            default: return nil
            }
        } catch {
            return nil
        }
    }
}

/// The answer to a request: the one byte of its data.
enum Answer: UInt8 {
    case done, noRequest, nameless, nameTaken, tooManyRooms, notInRoom
}

/// What the server tells by itself: the packet's category.
enum Event: UInt8 {
    case said = 5
    case joined, left, serverEnds
}

/// The rooms by their names. A room is there as long as somebody is in it.
final class Chat {
    /// Bytes of a name or a room. It stands in each message: 32 fit a line.
    static let maximumNameLength = 32
    /// Bytes of a text: some sentences, in a packet that fits a network's own (MTU 1500).
    static let maximumTextLength = 1024
    /// Rooms that a member is in. Each takes about 200 bytes.
    static let maximumRoomsPerMember = 16
    /// Rooms in all, of which anybody may make some: a few megabytes.
    static let maximumRooms = 10_000
    /// Members of a room up to which they are told who comes and goes. To tell all of n who come
    /// takes n² / 2 packets: 5,000 here, fifty million in a room of 10,000.
    static let maximumAnnouncedMembers = 100
    /// Time from one request of a member to its next. A request can cause as many packets as there
    /// are members: without a pause, some hundreds of them could come in one turn.
    static let pause = Duration.milliseconds(5)

    /// Each member's memory is bounded, so that ten thousand which do not read have 640 MB at most.
    static var serverOptions: ServerOptions {
        var options = ServerOptions()
        options.limits.maximumSessions = 10_000
        options.session.overflow = .close
        options.session.limits.maximumDataLength = 2 + 2 * maximumNameLength + maximumTextLength
        // 60 of the longest messages, behind what the kernel holds.
        options.session.limits.maximumQueuedBytes = 64 << 10
        options.session.limits.outputHighWatermark = 32 << 10
        options.session.limits.outputLowWatermark = 8 << 10
        // The kernel would take megabytes for each who does not read, and so hide them for long.
        options.session.sendBuffer = 64 << 10
        return options
    }

    private final class Member {
        var name = ""
        var rooms: Set<String> = []
    }

    private let reactor: Reactor
    private var rooms: [String: SessionGroup] = [:]
    private var names: Set<String> = []

    init(on reactor: Reactor) { self.reactor = reactor }

    func admit(_ session: Session) {
        let member = Member()
        session.onPacket { [self] session, packet in
            let answer = Request(packet).map { take($0, of: member, session) } ?? .noRequest
            session.reply(to: packet, data: [answer.rawValue])
            session.pauseReading()
            reactor.schedule(after: Self.pause) { session.resumeReading() }
        }
        session.onDrain { session in
            session.send(category: Event.serverEnds.rawValue, data: "")
        }
        // It has left its groups by itself; its rooms are to know, and may be empty.
        session.onClose { [self] session, _ in
            for room in member.rooms { _ = leave(room, member, session) }
            names.remove(member.name)
        }
    }

    private func take(_ request: Request, of member: Member, _ session: Session) -> Answer {
        if case .name(let name) = request { return call(member, name) }
        if member.name.isEmpty { return .nameless }
        switch request {
        case .name: return .nameTaken
        case .join(let room): return join(room, member, session)
        case .leave(let room): return leave(room, member, session)
        case .say(let room, let text):
            guard member.rooms.contains(room) else { return .notInRoom }
            tell(room, .said, by: member, text, except: session)
            return .done
        }
    }

    private func call(_ member: Member, _ name: String) -> Answer {
        guard member.name.isEmpty, names.insert(name).inserted else { return .nameTaken }
        member.name = name
        return .done
    }

    private func join(_ room: String, _ member: Member, _ session: Session) -> Answer {
        if member.rooms.contains(room) { return .done }
        guard member.rooms.count < Self.maximumRoomsPerMember,
            rooms[room] != nil || rooms.count < Self.maximumRooms
        else { return .tooManyRooms }
        let group = rooms[room] ?? reactor.makeGroup()
        rooms[room] = group
        group.add(session)
        member.rooms.insert(room)
        announce(room, .joined, by: member, session)
        return .done
    }

    private func leave(_ room: String, _ member: Member, _ session: Session) -> Answer {
        guard member.rooms.remove(room) != nil, let group = rooms[room] else { return .notInRoom }
        group.remove(session)
        if group.count == 0 { rooms[room] = nil }
        announce(room, .left, by: member, session)
        return .done
    }

    private func announce(_ room: String, _ event: Event, by member: Member, _ session: Session) {
        guard let count = rooms[room]?.count, count <= Self.maximumAnnouncedMembers else { return }
        tell(room, event, by: member, except: session)
    }

    private func tell(
        _ room: String, _ event: Event, by member: Member, _ text: String = "",
        except session: Session
    ) {
        let data =
            [UInt8(room.utf8.count)] + Array(room.utf8) + [UInt8(member.name.utf8.count)]
            + Array(member.name.utf8) + Array(text.utf8)
        rooms[room]?.send(category: event.rawValue, data: data, except: session)
    }
}
