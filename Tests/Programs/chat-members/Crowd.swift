// The members who read: what they say, and that each hears all of it.
import Glibc
import Tron

/// Members of one room. The first one talks.
final class Crowd {
    private static let room = "everybody"
    private static let textLength = 1000
    /// Messages that the slowest of those who read may be behind. They fit the queue that the
    /// server has for each member, so that none is dropped because this machine is busy.
    private static let window = 32
    /// Connections that are on their way at the same time.
    private static let connecting = 64

    private let reactor: Reactor
    private let port: UInt16
    private let count: Int
    private let deaf: [DeafMember]
    private var sessions: [Session] = []
    private var started = 0
    private var joined = 0
    private var said = 0
    /// How many members have heard each message but the forgotten ones, which all have.
    private var hearers: [Int] = []
    private var heardByAll = 0
    /// The next message waits for the slowest of those who read.
    private var isWaiting = false
    private var isOver = false
    private var goodbyes = 0
    private var ended = 0
    private var problem: String?

    init(port: UInt16, members: Int, deaf count: Int) throws {
        self.port = port
        self.count = members - count
        reactor = try Reactor()
        deaf = (0..<count).compactMap {
            DeafMember(port: port, name: "deaf \($0)", room: Self.room)
        }
        if deaf.count < count { problem = "a deaf member did not get in" }
    }

    /// Says what went wrong.
    func run() throws -> String? {
        if problem != nil { return problem }
        for _ in 0..<min(count, Self.connecting) { connectNext() }
        try reactor.run()
        return problem
    }

    private func fail(_ what: String) {
        problem = problem ?? what
        reactor.stop()
    }

    private func connectNext() {
        guard started < count else { return }
        let number = started
        started += 1
        reactor.connectOnce(to: .loopback(port: port)) { [self] result in
            switch result {
            case .success(let session): admit(session, number)
            case .failure(let error): fail("member \(number): \(error)")
            }
        }
    }

    private func admit(_ session: Session, _ number: Int) {
        sessions.append(session)
        var next = 0
        var isToldOfEnd = false
        session.onPacket { [self] session, packet in
            switch (packet.category, packet.sequence) {
            case (1, 1), (2, 1), (4, 1): answered(packet)
            case (5, -1) where !isToldOfEnd:
                if Self.number(in: packet.data) != next { fail("member \(number) missed \(next)") }
                heard(next)
                next += 1
            case (6, -1), (7, -1): break
            case (8, -1):
                isToldOfEnd = true
                goodbyes += 1
            default: fail("member \(number) was sent \(packet.category), \(packet.sequence)")
            }
        }
        session.onClose { [self] _, reason in
            if !isToldOfEnd || reason != .peerClosed { return fail("member \(number): \(reason)") }
            ended += 1
            if ended == count { reactor.stop() }
        }
        ask(session, 1, "member \(number)")
        ask(session, 2, Self.room)
    }

    private func ask(_ session: Session, _ category: UInt8, _ name: String, _ text: String = "") {
        let data = [UInt8(name.utf8.count)] + Array(name.utf8) + Array(text.utf8)
        session.send(sequence: 1, category: category, data: data)
    }
}

// MARK: - Talking

extension Crowd {
    private func answered(_ packet: borrowing Packet) {
        if !packet.data.equals([0]) { return fail("refused: \(packet.category)") }
        if packet.category == 4 { return sayNext() }
        guard packet.category == 2 else { return }
        joined += 1
        connectNext()
        if joined == count { sayNext() }
    }

    /// After the answer to the last one, once enough of those before it are heard by all.
    private func sayNext() {
        isWaiting = said - heardByAll >= Self.window
        if isOver || isWaiting { return }
        if said % 8 == 0 && deaf.allSatisfy(\.isDropped) { return end() }
        let digits = "\(said)"
        let text = digits + String(repeating: " ", count: Self.textLength - digits.utf8.count)
        hearers.append(0)
        said += 1
        ask(sessions[0], 4, Self.room, text)
    }

    /// The number at the front of a text, behind room and name.
    private static func number(in data: RawSpan) -> Int? {
        var input = ByteReader(data)
        guard (try? input.skip(input.readInteger(as: UInt8.self))) != nil,
            (try? input.skip(input.readInteger(as: UInt8.self))) != nil,
            let digits = input.readBytes(upTo: UInt8(ascii: " "))
        else { return nil }
        return try? Int(decimal: digits)
    }

    private func heard(_ number: Int) {
        hearers[number - heardByAll] += 1
        while hearers.first == count - 1 {
            hearers.removeFirst()
            heardByAll += 1
        }
        if isWaiting { sayNext() }
        if isOver && hearers.isEmpty { tellOfSuccess() }
    }

    /// All of the deaf are dropped, and what was said is still to be heard.
    private func end() {
        isOver = true
        if hearers.isEmpty { tellOfSuccess() }
    }

    private func tellOfSuccess() {
        print("\(deaf.count) dropped, \(said) messages heard by \(count - 1)")
        fflush(nil)
    }
}
