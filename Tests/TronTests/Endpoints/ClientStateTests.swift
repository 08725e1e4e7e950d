// A client's state agrees with its session whenever it is asked, and its last state is the last.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientStateTests {
    /// Looks at a client wherever a test calls it.
    private final class Look {
        private(set) var looks = 0
        private(set) var contradictions: [String] = []

        func callAsFunction(_ client: Client?, _ place: String) {
            guard let client else { return }
            looks += 1
            let isConnected = client.state == .connected
            if isConnected != (client.session != nil) { contradictions.append(place) }
        }
    }

    /// How a connected client loses its connection.
    enum Loss: CaseIterable {
        case peerCloses, peerAborts, sessionCloses, sessionAborts, timeout, clientCloses
        case serverStops, reactorStops
    }

    /// A client that is looked at in each of its handlers and completions.
    private func bench(_ look: Look) throws -> ClientBench {
        let bench = try ClientBench()
        let client = bench.client
        bench.log.answers = false
        client.onStateChange { [log = bench.log] client, state in
            log.states.append(state)
            look(client, "state handler, \(state)")
        }
        client.session?.onClose { _, reason in look(client, "close handler, \(reason)") }
        bench.reactor.onEvent { look(client, "event handler, \($0)") }
        for number in 0..<3 {
            bench.ask("\(number)", timeout: .seconds(number == 0 ? 1 : 60)) {
                look(client, "completion \(number)")
                bench.ask("again \(number)") { look(client, "completion of what was asked anew") }
                look(client, "after a request in completion \(number)")
            }
        }
        bench.ask("repeatable", timeout: .seconds(60), isRepeatable: true) {
            look(client, "completion of a repeatable request")
        }
        return bench
    }

    private func cause(_ loss: Loss, _ bench: ClientBench) throws {
        switch loss {
        case .peerCloses: bench.peer?.close()
        case .peerAborts: bench.peer?.abort()
        case .sessionCloses: bench.client.session?.close()
        case .sessionAborts: bench.client.session?.abort()
        case .timeout: break
        case .clientCloses: bench.client.close()
        case .serverStops: bench.server?.stop(sessions: .abort)
        case .reactorStops:
            bench.reactor.stop()
            try bench.reactor.run()
        }
    }

    @Test(arguments: Loss.allCases)
    func `a client that says it is connected has a session, wherever it is asked`(
        loss: Loss
    ) throws {
        let look = Look()
        let bench = try bench(look)
        let client = bench.client
        try bench.reactor.turn(until: { bench.log.requests.count == 4 })
        try cause(loss, bench)
        look(client, "right after")
        if loss != .reactorStops {
            for turn in 0..<40 {
                try bench.reactor.turn()
                look(client, "after turn \(turn)")
            }
            client.close()
            try bench.reactor.turn(times: 5)
        }
        #expect(look.looks > 45 || loss == .reactorStops && look.looks > 5)
        #expect(look.contradictions == [])
    }

    @Test func `a client that is closed in a handler of its own does not say it is connected`()
        throws
    {
        for place in ["completion", "packet", "timer"] {
            let look = Look()
            let bench = try ClientBench()
            let client = bench.client
            func close() {
                client.close()
                look(client, place)
                #expect(client.session == nil)
            }
            switch place {
            case "completion": bench.ask("a") { close() }
            case "packet":
                client.session?.onPacket { _, _ in close() }
                bench.peer?.send(category: 1, data: "push")
            default: bench.reactor.schedule(after: .milliseconds(1)) { close() }
            }
            try bench.reactor.turn(until: { look.looks > 0 })
            try bench.reactor.turn(times: 5)
            #expect(look.contradictions == [])
            #expect(bench.log.states.suffix(1) == [.closed])
            #expect(bench.log.states.filter { $0 == .closed }.count == 1)
        }
    }

    @Test func `a request that is lost with its connection is told when the client has left it`()
        throws
    {
        let bench = try ClientBench()
        let client = bench.client
        bench.log.answers = false
        var found: [ClientState] = []
        bench.ask("lost", timeout: .seconds(60)) {
            found.append(client.state)
            #expect(client.session == nil)
            #expect(client.lastFailure == .lost(.aborted))
        }
        #expect(client.lastFailure == nil)
        client.session?.abort()
        try bench.turnUntilEnded()
        #expect(found == [.waiting(delay: .seconds(1), attempt: 1)])
        #expect(bench.log.states == [.connecting, .connected] + found)
    }

    @Test func `a client that is closed by a lost request's completion does not come back`()
        throws
    {
        let bench = try ClientBench()
        bench.log.answers = false
        bench.ask("lost", timeout: .seconds(60)) { bench.client.close() }
        bench.client.session?.abort()
        try bench.turnUntilEnded()
        #expect(bench.client.state == .closed)
        bench.kernel.advance(.seconds(60))
        try bench.reactor.turn(times: 5)
        #expect(bench.client.state == .closed && bench.client.counters.dials == 1)
        #expect(bench.log.states == [.connecting, .connected, .closed])
    }

    @Test(arguments: [false, true])
    func `giving up is the last state, also when the client is closed after it`(
        isClosedInHandler: Bool
    ) throws {
        let bench = try ClientBench(isServing: false, backoff: Backoff(attempts: 1))
        let client = bench.client
        client.onStateChange { [log = bench.log] client, state in
            log.states.append(state)
            if isClosedInHandler && state.isFinal { client.close() }
        }
        try bench.reactor.turn(until: { client.state.isFinal })
        let last = client.state
        guard case .gaveUp = last else {
            Issue.record("\(last)")
            return
        }
        let told = bench.log.states
        if !isClosedInHandler { client.close() }
        #expect(client.state == last)
        try bench.reactor.turn(times: 3)
        bench.ask("late")
        try bench.turnUntilEnded()
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(bench.log.states == told && client.state == last)
        #expect(bench.log.outcomes["late"]?.count == 1)
    }
}
