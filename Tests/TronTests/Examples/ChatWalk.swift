// Random joins, departures, ends and messages in the chat example, judged by a model of its rooms.
import Testing
import Tron

/// Members who do one thing after another, or all say something at once. Who is in which room is
/// known at each step, and so who is to be told what.
final class ChatWalk {
    private static let roomNames = ["r", "s", "t", "ü", "v", String(repeating: "w", count: 32)]

    private let address: SocketAddress
    private let reactor: Reactor
    private var random: SeededGenerator
    private let count: Int
    private var stepsLeft: Int
    private(set) var members: [ChatMember] = []
    /// Those who have gone were told what they were until then.
    private var gone: [ChatMember] = []
    private var numberOfNames = 0
    private var unanswered = 0
    private(set) var messages = 0
    private(set) var ends = 0
    private(set) var problem: String?

    init(to address: SocketAddress, seed: UInt64, members count: Int, steps: Int) throws {
        self.address = address
        reactor = try Reactor()
        random = SeededGenerator(seed: seed)
        self.count = count
        stepsLeft = steps
    }

    func run() throws {
        connect()
        reactor.schedule(after: .seconds(60)) { [self] in fail("no end") }
        try reactor.run()
        for member in members + gone { problem = problem ?? member.fault }
    }

    private func fail(_ what: String) {
        problem = problem ?? what
        reactor.stop()
    }

    private func connect() {
        numberOfNames += 1
        unanswered += 1
        let name = "member \(numberOfNames)"
        reactor.connectOnce(to: address) { [self] result in
            guard let session = try? result.get() else { return fail("no session") }
            let member = ChatMember(name, on: session)
            member.onClose = { [self] in
                if stepsLeft >= -1 { fail("\(name) ended") }
            }
            members.append(member)
            unanswered -= 1
            ask(member, 2, "r", answer: 2)
            ask(member, 1, members[0].name, answer: members.count > 1 ? 3 : 0)
            if members.count > 1 { ask(member, 1, name, answer: 0) }
            ask(member, 1, "another", answer: 3)
        }
    }

    private func ask(
        _ member: ChatMember, _ category: UInt8, _ name: String, _ text: String = "",
        answer expected: UInt8
    ) {
        unanswered += 1
        member.ask(category, name, text) { [self] answer in
            if answer != expected { fail("\(member.name): \(category) \(name): answer \(answer)") }
            unanswered -= 1
            if unanswered == 0 { step() }
        }
    }

    /// All others in the room are to be told.
    private func expect(_ kind: UInt8, _ room: String, _ member: ChatMember, _ text: String = "") {
        let event = ChatEvent(kind: kind, room: room, name: member.name, text: text)
        for other in members where other !== member && other.rooms.contains(room) {
            other.expected[member.name, default: []].append(event)
        }
    }
}

// MARK: - Steps

extension ChatWalk {
    private func step() {
        if problem != nil { return }
        if members.count < count { return connect() }
        stepsLeft -= 1
        if stepsLeft < 0 { return finish() }
        let member = members.randomElement(using: &random)!
        let room = Self.roomNames.randomElement(using: &random)!
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: join(member, room)
        case 35..<50: leave(member, room)
        case 50..<85: say(member, room)
        case 85..<97: for member in members { for _ in 0..<3 { say(member, anyRoom(member)) } }
        default: end(member)
        }
    }

    private func anyRoom(_ member: ChatMember) -> String {
        member.rooms.sorted().randomElement(using: &random) ?? "r"
    }

    private func join(_ member: ChatMember, _ room: String) {
        if member.rooms.insert(room).inserted { expect(ChatEvent.joined, room, member) }
        ask(member, 2, room, answer: 0)
    }

    private func leave(_ member: ChatMember, _ room: String) {
        let isMember = member.rooms.remove(room) != nil
        if isMember { expect(ChatEvent.left, room, member) }
        ask(member, 3, room, answer: isMember ? 0 : 5)
    }

    private func say(_ member: ChatMember, _ room: String) {
        messages += 1
        let padding = Int(random.nextOfAnyMagnitude() % 1000)
        let text = "\(messages) " + String(repeating: "é", count: padding / 2)
        let isMember = member.rooms.contains(room)
        if isMember { expect(ChatEvent.said, room, member, text) }
        ask(member, 4, room, text, answer: isMember ? 0 : 5)
    }

    /// First of all it hears what it was told before.
    private func end(_ member: ChatMember) {
        guard member !== members[0] else { return join(member, "r") }
        member.ask(3, "nowhere") { [self] _ in close(member) }
    }

    /// The server has told the others before it ends the connection.
    private func close(_ member: ChatMember) {
        for room in member.rooms { expect(ChatEvent.left, room, member) }
        members.removeAll { $0 === member }
        gone.append(member)
        ends += 1
        member.onClose = { [self] in connect() }
        member.session.close()
    }

    /// The last answer comes behind all that was to be told.
    private func finish() {
        guard stepsLeft == -1 else { return reactor.stop() }
        for member in members { ask(member, 3, "nowhere", answer: 5) }
    }
}
