// A client against real peers: a server that is killed again and again, and black holes.
import Glibc
import Testing

@testable import Tron

@Suite(.serialized, .timeLimit(.minutes(10))) struct ClientRealPeerTests {
    /// Keeps requests in flight, and counts how they end.
    private final class Load {
        let client: Client
        let window: Int
        private(set) var begun = 0
        private(set) var answered = 0
        private(set) var failed: [RequestError: Int] = [:]
        private(set) var wrong = 0
        private var ends: [UInt8] = []
        var isOver = false

        init(_ client: Client, window: Int) {
            self.client = client
            self.window = window
        }

        /// Ended exactly once, all of them.
        var allEndedOnce: Bool { ends.allSatisfy { $0 == 1 } }
        var allEnded: Bool { answered + failed.values.reduce(0, +) == begun }

        func begin() { for _ in 0..<window { ask() } }

        /// What is asked is a function of the request's number, and so is its echo.
        private func text(_ number: Int) -> String { "\(number):\(number &* 2_654_435_761)" }

        private func ask() {
            if isOver { return }
            let number = begun
            begun += 1
            ends.append(0)
            client.request(
                category: 1, data: text(number), timeout: .seconds(20),
                isRepeatable: number % 4 == 0
            ) { [self] outcome in
                ends[number] += 1
                switch outcome {
                case .answered(let packet):
                    answered += 1
                    if packet.text != text(number) { wrong += 1 }
                case .failed(let error): failed[error, default: 0] += 1
                }
                ask()
            }
        }
    }

    private func turn(
        _ reactor: Reactor, within time: Duration = .seconds(20), until condition: () -> Bool
    ) throws {
        let end = ContinuousClock.now + time
        // Something is always due within a millisecond: no turn waits for ever.
        let ticks = reactor.schedule(after: .zero, repeating: .milliseconds(1)) {}
        for _ in 0..<10_000_000 {
            if condition() || ContinuousClock.now > end { break }
            try reactor.turn()
        }
        ticks.cancel()
        try #require(condition())
    }

    @Test func `a server killed and started again: every request ends once`() throws {
        let kernel = FaultyKernel(realTimeWithWaitsUpTo: .longest)
        let reactor = try Reactor(kernel: kernel)
        var server: EchoServer? = try EchoServer()
        let address = try #require(server?.address)
        let client = reactor.makeClient(
            to: [address],
            reconnecting: Backoff(
                initial: .milliseconds(5), multiplier: 1.5, cap: .milliseconds(50), jitter: .equal))
        let load = Load(client, window: 50)
        load.begin()
        let restarts = RandomRun.restarts
        for round in 1...restarts {
            let goal = load.answered + 200
            try turn(reactor) { load.answered >= goal }
            server?.process.signal(SIGKILL)
            try turn(reactor) { client.session == nil }
            _ = try server?.process.awaitEnd()
            server = try EchoServer(["--port", "\(address.port ?? 0)"])
            try turn(reactor) { client.counters.connections > round }
        }
        load.isOver = true
        try turn(reactor) { load.allEnded }
        #expect(load.allEndedOnce && load.wrong == 0)
        #expect(client.pendingRequestCount == 0)
        let allowed = load.failed.keys.allSatisfy {
            if case .connectionLost = $0 { true } else { false }
        }
        #expect(allowed, "\(load.failed)")
        #expect(kernel.sockets.count == 1, "descriptors leaked")
        client.close()
        try turn(reactor) { kernel.sockets.isEmpty }
    }

    @Test func `in a black hole requests fail in time, and the client connects anew`() throws {
        let kernel = FaultyKernel(realTimeWithWaitsUpTo: .longest)
        let reactor = try Reactor(kernel: kernel)
        // It accepts, reads, and says nothing.
        let hole = try reactor.listen(on: .loopback(port: 0)) { _ in }
        let client = reactor.makeClient(
            to: [hole.address],
            reconnecting: Backoff(initial: .milliseconds(20), multiplier: 1))
        var delays: [Duration] = []
        var errors: [RequestError] = []
        for round in 1...5 {
            try turn(reactor) { client.counters.connections == round }
            let start = ContinuousClock.now
            client.request(category: 1, data: "?", timeout: .milliseconds(30)) { outcome in
                delays.append(ContinuousClock.now - start)
                if case .failed(let error) = outcome { errors.append(error) }
            }
            try turn(reactor) { delays.count == round }
        }
        #expect(errors == Array(repeating: .timedOut, count: 5))
        // Never early. How late depends on how busy the machine is; the fake clock knows exactly.
        #expect(delays.allSatisfy { $0 >= .milliseconds(30) })
        try turn(reactor) { client.counters.connections == 6 }
        #expect(kernel.sockets.count == 2, "the listener's, and one connection's")
    }

    @Test func `a peer that does not even accept costs the connect timeout`() throws {
        let hole = try SilentListener()
        // Its queue takes two; what comes after is not answered.
        let fillers = try (0..<2).map { _ in try Peer(to: hole.address) }
        let reactor = try Reactor(kernel: FaultyKernel(realTimeWithWaitsUpTo: .longest))
        var options = ClientOptions()
        options.connectTimeout = .milliseconds(50)
        let client = reactor.makeClient(to: [hole.address], options: options)
        try turn(reactor) { client.state != .connecting }
        #expect(client.state.isWaiting && client.counters.connections == 0)
        #expect(fillers.count == 2)
    }
}

extension RandomRun {
    /// TRON_RESTARTS, or as many as take a second.
    static let restarts = getenv("TRON_RESTARTS").flatMap { Int(String(cString: $0)) } ?? 100
}
