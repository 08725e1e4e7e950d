// The chat example as a process: who is told what, hostile packets, deaf members, the goodbye.
import Glibc
import Testing

@testable import Tron

@Suite struct ChatExampleTests {
    @Test func `each member is told all of its rooms once and in order, and nothing of others`()
        throws
    {
        let (process, address) = try startExample("example-chat")
        let seed = RandomRun.seed
        let walk = try ChatWalk(to: address, seed: seed, members: 12, steps: 400)
        try walk.run()
        #expect(walk.problem == nil, "TRON_SEED=\(seed)")
        #expect(walk.messages > 400 && walk.ends > 0, "TRON_SEED=\(seed)")
        process.signal(SIGTERM)
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
    }

    @Test func `what is no message is answered so, and changes nothing`() throws {
        let (process, address) = try startExample("example-chat")
        let client = try PlainClient(address)
        let long = [UInt8](repeating: 97, count: 33)
        let requests: [(category: UInt8, data: [UInt8], answer: UInt8)] = [
            (1, [], 1), (1, [0], 1), (1, [2, 97], 1), (1, [1, 97, 97], 1), (1, [1, 0xff], 1),
            (1, [33] + long, 1), (1, [255], 1), (2, [1, 98], 2), (3, [1, 98], 2),
            (4, [1, 98, 99], 2), (1, [1, 97], 0), (1, [1, 97], 3), (0, [1, 98], 1),
            (5, [1, 98, 1, 97, 99], 1), (8, [], 1), (255, [1, 98], 1), (2, [1, 98], 0),
            (2, [1, 98], 0), (2, [1, 98, 99], 1), (4, [1, 98], 1), (4, [1, 98, 0xff], 1),
            (4, [1, 98] + [UInt8](repeating: 97, count: 1025), 1),
            (4, [1, 98] + [UInt8](repeating: 97, count: 1024), 0), (4, [1, 99, 97], 5),
            (3, [1, 99], 5), (3, [1, 98], 0), (3, [1, 98], 5),
        ]
        for (number, request) in requests.enumerated() {
            try client.expect(request.answer, to: request.category, request.data, Int32(number))
        }
        process.signal(SIGTERM)
        client.finish()
        #expect(try process.awaitEnd().status == 0)
    }

    @Test func `nobody is in more rooms than allowed, and who leaves one may join another`()
        throws
    {
        let (process, address) = try startExample("example-chat")
        let client = try PlainClient(address)
        try client.expect(0, to: 1, [1, 97], 0)
        for room in UInt8(0)..<16 { try client.expect(0, to: 2, [1, room], 1) }
        try client.expect(4, to: 2, [1, 16], 2)
        try client.expect(0, to: 3, [1, 7], 3)
        try client.expect(0, to: 2, [1, 16], 4)
        process.signal(SIGTERM)
        client.finish()
        #expect(try process.awaitEnd().status == 0)
    }

    @Test func `what is no packet ends its connection, and no other`() throws {
        let (process, address) = try startExample("example-chat")
        let good = try PlainClient(address)
        try good.expect(0, to: 1, [1, 97], 0)
        var broken = OwnedPacket(sequence: 1, category: 1, data: [1, 98]).wireBytes
        broken[broken.count - 1] = 0
        let large: [UInt8] = [0, 0, 0, 1, 4, 0x7f, 0xff, 0xff, 0xff]
        for bytes in [broken, large, [UInt8](repeating: 0xff, count: 100)] {
            let client = try PlainClient(address)
            client.send(bytes)
            #expect(try client.receive(count: 1) == [])
        }
        try good.expect(0, to: 2, [1, 98], 1)
        process.signal(SIGTERM)
        good.finish()
        #expect(try process.awaitEnd().status == 0)
    }

    @Test func `a member that does not read is dropped, and the others are told everything`()
        throws
    {
        let (process, address) = try startExample("example-chat")
        let deaf = try Peer(to: address, receiveBuffer: 4096)
        deaf.send(OwnedPacket(sequence: 0, category: 1, data: [4] + Array("deaf".utf8)).wireBytes)
        deaf.send(OwnedPacket(sequence: 1, category: 2, data: [1, 114]).wireBytes)
        let talk = try ChatTalk(to: address, speakers: 8)
        try talk.run()
        #expect(talk.problem == nil)
        deaf.drainToEnd()
        #expect(deaf.error == ECONNRESET && !deaf.isAtEnd)
        process.signal(SIGTERM)
        #expect(try process.awaitEnd().status == 0)
    }

    @Test func `at a signal each member is told, and then its connection ends`() throws {
        let (process, address) = try startExample("example-chat")
        let clients = try (UInt8(0)..<9).map { number in
            let client = try PlainClient(address)
            try client.expect(0, to: 1, [1, number], 0)
            return client
        }
        process.signal(SIGTERM)
        let goodbye = OwnedPacket(category: 8, data: []).wireBytes
        for client in clients {
            #expect(try client.receive(count: goodbye.count + 1) == goodbye)
            client.finish()
        }
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output == "9 closed, 0 aborted, 0 replies not given\n")
    }

    @Test func `help says what there is, and misuse is told`() throws {
        let help = try ProcessUnderTest(["--help"], of: "example-chat").awaitEnd()
        #expect(help.status == 0 && help.output.contains("--port"))
        for words in [[], ["serve"], ["serve", "--port"], ["serve", "--port", "65536"], ["play"]] {
            let outcome = try ProcessUnderTest(words, of: "example-chat").awaitEnd()
            #expect(outcome.status == 64, "\(words)")
        }
    }
}

extension PlainClient {
    fileprivate func expect(
        _ answer: UInt8, to category: UInt8, _ data: [UInt8], _ sequence: Int32,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        send(OwnedPacket(sequence: sequence, category: category, data: data).wireBytes)
        let expected = OwnedPacket(sequence: sequence, category: category, data: [answer]).wireBytes
        let received = try receive(count: expected.count)
        #expect(
            received == expected, "\(category) \(data)", sourceLocation: sourceLocation)
    }
}

/// Members of one room who all talk until another is dropped from it.
private final class ChatTalk {
    private let reactor: Reactor
    private let address: SocketAddress
    private let count: Int
    private var members: [ChatMember] = []
    private var isOver = false
    private var unanswered = 0
    private(set) var problem: String?

    init(to address: SocketAddress, speakers count: Int) throws {
        reactor = try Reactor()
        self.address = address
        self.count = count
    }

    func run() throws {
        for number in 0..<count {
            reactor.connectOnce(to: address) { [self] result in
                guard let session = try? result.get() else { return fail("no session") }
                admit(ChatMember("\(number)", on: session))
            }
        }
        reactor.schedule(after: .seconds(60)) { [self] in fail("no end") }
        try reactor.run()
        for member in members {
            // Who joined later was not told of those who joined before.
            for other in members where other !== member {
                let said = member.heard[other.name]?.filter { $0.kind == ChatEvent.said } ?? []
                if said != member.expected[other.name] { fail("not all that was said") }
            }
            let left = member.heard.values.joined().filter { $0.kind == ChatEvent.left }
            if left.map(\.name) != ["deaf"] { fail("left: \(left)") }
        }
    }

    private func fail(_ what: String) {
        problem = problem ?? what
        reactor.stop()
    }

    private func admit(_ member: ChatMember) {
        member.onEvent = { [self] event in if event.kind == ChatEvent.left { isOver = true } }
        member.ask(1, member.name) { _ in }
        member.ask(2, "r") { [self] _ in
            members.append(member)
            if members.count == count { for member in members { say(member) } }
        }
    }

    private func say(_ member: ChatMember) {
        let text = "\(unanswered)" + String(repeating: "x", count: 1000)
        let event = ChatEvent(kind: ChatEvent.said, room: "r", name: member.name, text: text)
        for other in members where other !== member {
            other.expected[member.name, default: []].append(event)
        }
        unanswered += 1
        member.ask(4, "r", text) { [self] answer in
            if answer != 0 { fail("answer \(answer)") }
            unanswered -= 1
            if !isOver { return say(member) }
            if unanswered == 0 { finish() }
        }
    }

    /// The last answer comes behind all that was said.
    private func finish() {
        for member in members {
            unanswered += 1
            member.ask(3, "nowhere") { [self] _ in
                unanswered -= 1
                if unanswered == 0 { reactor.stop() }
            }
        }
    }
}
