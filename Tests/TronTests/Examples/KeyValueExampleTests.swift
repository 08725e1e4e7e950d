// The key-value example as a process: right answers, hostile packets, an end that loses nothing.
import Glibc
import Testing

@testable import Tron

@Suite struct KeyValueExampleTests {
    private static func start(
        _ options: [String] = []
    ) throws -> (ProcessUnderTest, SocketAddress) {
        let process = try ProcessUnderTest(
            ["serve", "--port", "0"] + options, of: "example-key-value")
        let words = try process.readLine().split(separator: " ")
        try #require(words.dropLast() == ["listening", "on"])
        return (process, try SocketAddress(String(words[2])))
    }

    @Test func `every answer is a dictionary's, of binary keys and values of all sizes`() throws {
        let (process, address) = try Self.start()
        let load = KeyValueLoad(to: address, seed: RandomRun.seed, requests: 3000)
        try load.run()
        #expect(load.problem == nil, "TRON_SEED=\(RandomRun.seed)")
        #expect(load.answered == 3000 && load.found > 300)
        process.signal(SIGTERM)
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
    }

    @Test func `a packet that is no request ends its connection, and no other`() throws {
        let (process, address) = try Self.start()
        let good = try PlainClient(address)
        let requests: [(UInt8, [UInt8])] = [
            (1, []), (1, [5, 1, 2]), (1, [1, 2, 3]), (2, []), (2, [255]), (3, [1, 2, 3]),
            (0, [1, 2]), (4, [1, 2]), (255, []),
        ]
        for (category, data) in requests {
            let client = try PlainClient(address)
            client.send(OwnedPacket(sequence: 1, category: category, data: data).wireBytes)
            #expect(try client.receive(count: 1) == [], "category \(category), data \(data)")
        }
        let set = OwnedPacket(sequence: 7, category: 2, data: [1, 2, 3]).wireBytes
        let answer = OwnedPacket(sequence: 7, category: 2, data: [0]).wireBytes
        good.send(set)
        #expect(try good.receive(count: answer.count) == answer)
        process.signal(SIGTERM)
        good.finish()
        #expect(try process.awaitEnd().status == 0)
    }

    @Test func `who asks for more than a session may queue gets all of it`() throws {
        let (process, address) = try Self.start()
        let client = try PlainClient(address)
        let value = [UInt8](repeating: 7, count: 60_000)
        client.send(OwnedPacket(sequence: 0, category: 2, data: [1, 2] + value).wireBytes)
        let set = OwnedPacket(sequence: 0, category: 2, data: [0]).wireBytes
        #expect(try client.receive(count: set.count) == set)
        for sequence in 1...300 {
            let get = OwnedPacket(sequence: Int32(sequence), category: 1, data: [1, 2])
            client.send(get.wireBytes)
        }
        let answers = (1...300).flatMap {
            OwnedPacket(sequence: Int32($0), category: 1, data: [1] + value).wireBytes
        }
        let isRight = try client.receive(count: answers.count) == answers
        #expect(isRight)
        process.signal(SIGTERM)
        client.finish()
        #expect(try process.awaitEnd().status == 0)
    }

    @Test func `what was asked before the end is answered, and what comes after it is told apart`()
        throws
    {
        let (process, address) = try Self.start(["--delay", "200"])
        let asker = EndingAsker(to: address, sessions: 4) { process.signal(SIGTERM) }
        try asker.run()
        #expect(asker.problem == nil)
        #expect(asker.isSignalled && asker.hasNoGaps && asker.answered > 0)
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output == "\(DrainReport(closed: 4))\n")
    }

    @Test func `help says what there is, and misuse is told`() throws {
        let help = try ProcessUnderTest(["--help"], of: "example-key-value").awaitEnd()
        #expect(help.status == 0 && help.output.contains("--port"))
        for words in [[], ["serve"], ["serve", "--port"], ["serve", "--port", "65536"], ["play"]] {
            let outcome = try ProcessUnderTest(words, of: "example-key-value").awaitEnd()
            #expect(outcome.status == 64, "\(words)")
        }
    }
}

extension DrainReport {
    fileprivate init(closed: Int) {
        self.init()
        self.closed = closed
    }
}

/// Random requests over one client, judged by a dictionary.
private final class KeyValueLoad {
    private let address: SocketAddress
    private var generator: SeededGenerator
    private let requests: Int
    private var asked = 0
    private var values: [[UInt8]: [UInt8]] = [:]
    private(set) var answered = 0
    private(set) var found = 0
    private(set) var problem: String?

    init(to address: SocketAddress, seed: UInt64, requests: Int) {
        self.address = address
        generator = SeededGenerator(seed: seed)
        self.requests = requests
    }

    func run() throws {
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.limits.maximumDataLength = 64 << 10
        let client = reactor.makeClient(to: "\(address)", options: options)
        for _ in 0..<64 { ask(client, reactor) }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
    }

    private func ask(_ client: Client, _ reactor: Reactor) {
        guard asked < requests else { return }
        asked += 1
        let category = UInt8.random(in: 1...3, using: &generator)
        let key = bytes(Int.random(in: 0...1, using: &generator) * 254 + 1, of: 8)
        let length = Int(generator.nextOfAnyMagnitude() % 60_000)
        let value = category == 2 ? bytes(length, of: 256) : []
        let expected = answer(category, key, value)
        client.request(category: category, data: [UInt8(key.count)] + key + value) {
            [self] outcome in
            switch outcome {
            case .answered(let packet):
                if packet.data.copy() != expected { problem = "a wrong answer to \(asked)" }
            case .failed(let error): problem = "\(error)"
            }
            answered += 1
            if answered == requests || problem != nil { return reactor.stop() }
            ask(client, reactor)
        }
    }

    /// A key is all of one byte, so that keys come again.
    private func bytes(_ count: Int, of kinds: Int) -> [UInt8] {
        let byte = UInt8.random(in: 0..<UInt8(clamping: kinds), using: &generator)
        return Array(repeating: byte, count: count)
    }

    private func answer(_ category: UInt8, _ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let before = values[key]
        if before != nil { found += 1 }
        switch category {
        case 1: return before.map { [1] + $0 } ?? [0]
        case 2: values[key] = value
        default: values[key] = nil
        }
        return [before == nil ? 0 : 1]
    }
}

/// Sessions that ask all the time, have the server told to end at the first answer, and go on.
private final class EndingAsker {
    private let address: SocketAddress
    private let signal: () -> Void
    private var asked: [Int32]
    private var answers: [Set<Int32>]
    private var open: Int
    private(set) var isSignalled = false
    private(set) var problem: String?

    var answered: Int { answers.reduce(0) { $0 + $1.count } }

    /// Whether the requests without an answer are the last ones of each session.
    var hasNoGaps: Bool { answers.allSatisfy { $0 == Set(0..<Int32($0.count)) } }

    init(to address: SocketAddress, sessions: Int, signal: @escaping () -> Void) {
        self.address = address
        self.signal = signal
        asked = Array(repeating: 0, count: sessions)
        answers = Array(repeating: [], count: sessions)
        open = sessions
    }

    func run() throws {
        let reactor = try Reactor()
        for index in asked.indices {
            reactor.connectOnce(to: address) { [self] result in
                guard let session = try? result.get() else { return fail("no session", reactor) }
                begin(session, index, reactor)
            }
        }
        reactor.schedule(after: .seconds(30)) { [self] in fail("no end", reactor) }
        try reactor.run()
    }

    private func begin(_ session: Session, _ index: Int, _ reactor: Reactor) {
        session.onPacket { [self] _, packet in
            let isNew = answers[index].insert(packet.sequence).inserted
            if !isNew || packet.data.copy() != [0] { fail("a wrong answer", reactor) }
            if !isSignalled { signal() }
            isSignalled = true
        }
        session.onClose { [self] _, reason in
            if reason != .peerClosed { fail("\(reason)", reactor) }
            open -= 1
            if open == 0 { reactor.stop() }
        }
        ask(250, session, index)
        reactor.schedule(after: .milliseconds(1), repeating: .milliseconds(1)) { [self] in
            ask(2, session, index)
        }
    }

    private func ask(_ count: Int, _ session: Session, _ index: Int) {
        for _ in 0..<count where session.isOpen && asked[index] < 1000 {
            let sequence = asked[index]
            let key = [UInt8(index), UInt8(sequence >> 8), UInt8(sequence & 0xff)]
            session.send(sequence: sequence, category: 2, data: [3] + key + [1])
            asked[index] += 1
        }
    }

    private func fail(_ what: String, _ reactor: Reactor) {
        problem = problem ?? what
        reactor.stop()
    }
}
