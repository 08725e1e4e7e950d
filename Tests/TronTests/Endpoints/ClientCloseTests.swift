// The client's end, in every phase and from within every callback: final, and told once.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite struct ClientCloseTests {
    /// A phase, and how a client gets there.
    enum Phase: CaseIterable {
        case notBegun, queued, resolving, dialing, connected, waiting, gaveUp, closing
    }

    private struct Stage {
        let bench: NetworkBench
        let client: Client
        let others: [Client]
        let lookup: Lookup
    }

    /// Keeps the resolver's thread until the stage's test has ended, two minutes at most.
    private final class Lookup: Sendable {
        private let isOpen = Atomic(false)

        func waitUntilOpen() {
            for _ in 0..<120_000 where !isOpen.load(ordering: .acquiring) { usleep(1000) }
        }

        func open() { isOpen.store(true, ordering: .releasing) }
    }

    private func stage(_ phase: Phase) throws -> Stage {
        let bench = try NetworkBench()
        bench.reactor.maximumSimultaneousAttempts = 1
        var others: [Client] = []
        var address = "10.0.0.1:1"
        bench.kernel.isFrozen = true
        switch phase {
        case .queued:
            bench.kernel.fate = { _, _ in .hangs }
            others = [bench.reactor.makeClient(to: address)]
        case .resolving: address = "name.test:1"
        case .dialing: bench.kernel.fate = { _, _ in .hangs }
        case .waiting: bench.kernel.fate = { _, _ in .refuses(ECONNREFUSED) }
        case .gaveUp: bench.kernel.fate = { _, _ in .refuses(EACCES) }
        case .notBegun, .connected, .closing: break
        }
        // Names are looked up for as long as the test lasts.
        let lookup = Lookup()
        bench.kernel.resolution = { _ in
            lookup.waitUntilOpen()
            return .success([.loopback(port: 0)])
        }
        let client = bench.connect(to: address)
        switch phase {
        case .notBegun: break
        case .queued, .resolving, .dialing: try bench.reactor.turn(times: 3)
        case .connected: try bench.turn(until: { client.state.isConnected })
        case .closing:
            try bench.turn(until: { client.state.isConnected })
            client.session?.close()
        case .waiting: try bench.turn(until: { client.state.isWaiting })
        case .gaveUp: try bench.turn(until: { client.state.isFinal })
        }
        return Stage(bench: bench, client: client, others: others, lookup: lookup)
    }

    @Test(arguments: Phase.allCases) func `close ends the client in every phase`(
        phase: Phase
    ) throws {
        let stage = try stage(phase)
        defer { stage.lookup.open() }
        let (bench, client) = (stage.bench, stage.client)
        let told = bench.log.states.count
        var ends = 0
        client.request(category: 1, data: "a", timeout: .seconds(60)) { _ in ends += 1 }
        client.close()
        client.close()
        client.request(category: 1, data: "b") { _ in ends += 1 }
        bench.kernel.isFrozen = false
        bench.reactor.schedule(after: .seconds(100)) { bench.log.notes.append("later") }
        try bench.turn(until: { !bench.log.notes.isEmpty })
        #expect(ends == 2)
        #expect(bench.log.states.dropFirst(told) == (phase == .gaveUp ? [] : [.closed]))
        #expect(client.state.isFinal && client.session == nil)
        for other in stage.others { other.close() }
        try bench.reactor.turn(times: 2)
        #expect(bench.kernel.sockets.isEmpty)
    }

    @Test(arguments: Phase.allCases) func `the reactor's stop ends it in every phase`(
        phase: Phase
    ) throws {
        let stage = try stage(phase)
        defer { stage.lookup.open() }
        let (bench, client) = (stage.bench, stage.client)
        let told = bench.log.states.count
        var ends: [String] = []
        client.request(category: 1, data: "a", timeout: .seconds(60)) { outcome in
            if case .failed(let error) = outcome { ends.append("\(error)") }
        }
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(ends == [phase == .gaveUp ? "not connected" : "closed"])
        #expect(bench.log.states.dropFirst(told) == (phase == .gaveUp ? [] : [.closed]))
        #expect(client.state.isFinal && bench.kernel.sockets.isEmpty)
    }

    @Test(arguments: 1...4) func `close may be called when the n-th state is told`(
        number: Int
    ) throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, dial in dial == 1 ? .refuses(ECONNREFUSED) : .connects }
        let client = bench.reactor.makeClient(to: "10.0.0.1:1")
        client.onStateChange { [log = bench.log] client, state in
            log.states.append(state)
            if log.states.count == number { client.close() }
        }
        try bench.turn(until: { client.state == .closed })
        bench.kernel.advance(.seconds(60))
        try bench.reactor.turn(times: 5)
        #expect(bench.log.states.count == number + 1)
        #expect(bench.log.states.filter { $0 == .closed }.count == 1)
        #expect(bench.kernel.sockets.isEmpty)
    }

    @Test func `close may be called in the setup, and nothing but the end is told after`() throws {
        let bench = try NetworkBench()
        var client: Client?
        client = bench.connect { _ in client?.close() }
        try bench.turn(until: { client?.state == .closed })
        try bench.reactor.turn(times: 2)
        #expect(bench.log.states == [.connecting, .closed])
        client = nil
    }

    @Test func `what a completion asks for while the client closes is refused`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        for name in ["a", "b"] {
            bench.ask(name) {
                bench.ask("after " + name)
                bench.client.close()
            }
        }
        bench.client.close()
        try bench.turnUntilEnded(4)
        #expect(bench.log.outcomes.count == 4)
        #expect(bench.log.outcomes.values.allSatisfy { $0 == ["closed"] })
        #expect(bench.log.states == [.connecting, .connected, .closed])
    }

    @Test func `close loses nothing that is queued`() throws {
        let bench = try ClientBench()
        bench.client.session?.send(category: 1, data: "last words")
        bench.client.close()
        try bench.reactor.turn(until: { bench.log.requests.map(\.text) == ["last words"] })
        try bench.reactor.turn(until: { bench.peer?.isOpen == false })
        #expect(bench.client.state == .closed)
    }

    @Test func `refused requests are told also when the reactor stops in that turn`() throws {
        let bench = try ClientBench()
        bench.client.close()
        try bench.turnFrozen()
        bench.reactor.schedule(after: .zero) {
            bench.ask("a") { bench.ask("b") }
            bench.reactor.stop()
        }
        try bench.reactor.run()
        #expect(bench.log.outcomes == ["a": ["closed"], "b": ["closed"]])
    }

    @Test func `a stopped reactor ends a client's session with reactorStopped`() throws {
        let bench = try NetworkBench()
        var reasons: [CloseReason] = []
        let client = bench.connect { session in
            session.onClose { _, reason in reasons.append(reason) }
        }
        try bench.turn(until: { client.state.isConnected })
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(reasons == [.reactorStopped])
        // There is no turn any more that could tell it later.
        var ends = 0
        client.request(category: 1, data: "late") { _ in ends += 1 }
        #expect(ends == 1)
    }

    @Test func `closed by who is told that it gives up, it says that it has given up`() throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, _ in .refuses(EACCES) }
        let client = bench.connect(to: "10.0.0.1:1")
        var states: [ClientState] = []
        client.onStateChange { _, state in states.append(state) }
        client.request(category: 1, data: "a", timeout: .seconds(3)) { _ in client.close() }
        try bench.turn(until: { client.state.isFinal })
        try bench.reactor.turn(times: 3)
        #expect(states.last == client.state && states.filter(\.isFinal).count == 1)
        guard case .gaveUp = client.state else {
            Issue.record("\(client.state)")
            return
        }
    }
}
