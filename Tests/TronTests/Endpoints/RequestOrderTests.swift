// Requests leave in the order they were made, whoever else sends on the session meanwhile.
import Glibc
import Testing

@testable import Tron

@Suite struct RequestOrderTests {
    /// What the server received, and what a test does in the client's setup.
    private final class Log {
        /// The requests by name, in the order they were received.
        var received: [String] = []
        var ended: [String] = []
        var onSetup: () -> Void = {}
    }

    /// A client without a connection at first, and the server that it will find.
    private final class Stage {
        static let stream: UInt8 = 1
        static let request: UInt8 = 2

        let kernel = FaultyKernel()
        let reactor: Reactor
        let client: Client
        let log = Log()
        private let name = Bench.unixName()
        private(set) var session: Session?

        init(_ change: (inout ClientOptions) -> Void = { _ in }) throws {
            reactor = try Reactor(kernel: kernel)
            var options = ClientOptions()
            change(&options)
            client = reactor.makeClient(
                to: name, reconnecting: Backoff(initial: .seconds(1), multiplier: 1),
                options: options
            ) { [log] _ in log.onSetup() }
        }

        func serve() throws {
            try reactor.listen(on: name) { [log, weak self] session in
                self?.session = session
                session.onPacket { session, packet in
                    guard packet.category == Stage.request else { return }
                    log.received.append(Stage.title(packet.text))
                    session.reply(to: packet, data: "")
                }
            }
        }

        /// A request whose data begins with its name.
        func ask(
            _ name: String, size: Int = 0, isRepeatable: Bool = false,
            then next: @escaping () -> Void = {}
        ) {
            let data = name + " " + String(repeating: "x", count: size)
            client.request(
                category: Self.request, data: data, timeout: .seconds(1000),
                isRepeatable: isRepeatable
            ) { [log] outcome in
                if case .answered = outcome { log.ended.append(name) }
                next()
            }
        }

        private static func title(_ text: String) -> String {
            String(text.prefix { $0 != " " })
        }
    }

    /// When a further request is made, while older ones wait.
    enum Moment: CaseIterable {
        case setup, stateHandler, nextTurn, completion
    }

    @Test(arguments: Moment.allCases)
    func `a request does not overtake those that still wait`(moment: Moment) throws {
        let stage = try Stage()
        let client = stage.client
        // More than a session's output may hold.
        let names = (0..<30).map { "\($0)" }
        for name in names {
            stage.ask(name, size: 400_000) {
                if moment == .completion && name == "0" { stage.ask("new") }
            }
        }
        try stage.reactor.turn(until: { client.state.isWaiting })
        switch moment {
        case .setup: stage.log.onSetup = { [unowned stage] in stage.ask("new") }
        case .stateHandler:
            client.onStateChange { [unowned stage] _, state in
                if state == .connected { stage.ask("new") }
            }
        case .nextTurn, .completion: break
        }
        try stage.serve()
        try stage.reactor.turn(until: { client.state == .connected })
        if moment == .nextTurn { stage.ask("new") }
        try stage.reactor.turn(until: { stage.log.ended.count == 31 })
        #expect(stage.log.received == names + ["new"])
        #expect(client.counters.connections == 1)
    }

    @Test func `requests that are made all the time stay in order until none wait`() throws {
        let stage = try Stage()
        var count = 0
        func ask() {
            stage.ask("\(count)", size: 100_000)
            count += 1
        }
        for _ in 0..<40 { ask() }
        try stage.reactor.turn(until: { stage.client.state.isWaiting })
        try stage.serve()
        while count < 120 {
            try stage.reactor.turn()
            ask()
        }
        try stage.reactor.turn(until: { stage.log.ended.count == count })
        #expect(stage.log.received == (0..<count).map { "\($0)" })
    }

    /// How the user sends on the session beside the requests.
    enum Streaming: CaseIterable {
        /// So that some output always waits, well below the high mark.
        case someWaits
        /// As much as the session takes while it is writable, turn after turn.
        case whileWritable
        /// The same, and again whenever it is told to be writable.
        case whenToldWritable
    }

    private func fill(_ session: Session?, upTo bytes: Int) {
        guard let session else { return }
        let data = [UInt8](repeating: 7, count: 1000)
        while session.isWritable && session.queuedBytes < bytes {
            session.send(category: Stage.stream, data: data)
        }
    }

    @Test(arguments: Streaming.allCases)
    func `requests that wait are sent although the user streams on the session`(
        streaming: Streaming
    ) throws {
        let stage = try Stage()
        let client = stage.client
        // A kernel that takes a little at a time.
        stage.kernel.fault = { call, _, _ in call == .send ? .atMost(50_000) : nil }
        if streaming == .whenToldWritable {
            stage.log.onSetup = { [unowned client] in
                client.session?.onWritabilityChange { session, isWritable in
                    if isWritable { fill(session, upTo: .max) }
                }
            }
        }
        let names = (0..<1000).map { "\($0)" }
        for name in names { stage.ask(name, size: 1000) }
        try stage.reactor.turn(until: { client.state.isWaiting })
        try stage.serve()
        try stage.reactor.turn(until: { client.state == .connected })
        stage.ask("new")
        for _ in 0..<1500 where stage.log.ended.count < 1001 {
            fill(client.session, upTo: streaming == .someWaits ? 200_000 : .max)
            try stage.reactor.turn()
        }
        #expect(stage.log.ended.count == 1001)
        #expect(stage.log.received == names + ["new"])
        #expect(client.counters.connections == 1)
    }

    @Test func `what is to be repeated goes before what was made since, in its old order`() throws {
        let stage = try Stage()
        let client = stage.client
        try stage.serve()
        try stage.reactor.turn(until: { client.state == .connected && stage.session != nil })
        stage.session?.pauseReading()
        for number in 0..<10 {
            stage.ask("\(number)", size: 200_000, isRepeatable: true) {}
            stage.ask("once \(number)") { if number == 4 { stage.ask("after the loss") } }
        }
        stage.kernel.isFrozen = true
        try stage.reactor.turn(times: 5)
        stage.kernel.isFrozen = false
        stage.session?.abort()
        try stage.reactor.turn(until: { client.session == nil })
        stage.ask("while there is none")
        try stage.reactor.turn(until: { client.state == .connected })
        stage.ask("when there is one")
        try stage.reactor.turn(until: { stage.log.ended.count == 13 })
        let expected = (0..<10).map { "\($0)" } + ["after", "while", "when"]
        #expect(stage.log.received == expected)
    }

    @Test func `what was sent goes before what still waited, when both are sent again`() throws {
        let stage = try Stage()
        let client = stage.client
        for number in 0..<10 { stage.ask("\(number)", size: 200_000, isRepeatable: true) }
        try stage.serve()
        try stage.reactor.turn(until: { client.state == .connected })
        #expect((1..<10).contains(client.requests.waitingCount))
        client.session?.abort()
        try stage.reactor.turn(until: { stage.log.ended.count == 10 })
        #expect(stage.log.received.suffix(10) == (0..<10).map { "\($0)" })
    }
}
