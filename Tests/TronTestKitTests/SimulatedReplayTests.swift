// The same seed is the same run; a failure names its seed.
import Testing
import Tron
import TronTestKit

@Suite struct SimulatedReplayTests {
    /// A relay of two reactors under faults, with all that chance can decide.
    private func story(_ seed: UInt64) throws -> [String] {
        let network = SimulatedNetwork(seed: seed)
        try network.reactor(named: "back") { reactor in
            try reactor.listen(on: "0.0.0.0:9001") { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
        }
        try network.reactor(named: "front") { reactor in
            let client = reactor.makeClient(
                to: "back:9001", reconnecting: Backoff(initial: .milliseconds(50), jitter: .full))
            try reactor.listen(on: "127.0.0.1:9000") { session in
                session.onPacket { session, packet in
                    let address = session.replyAddress(of: packet)
                    Task(executorPreference: reactor.executor) { [remote = reactor.remote] in
                        let answer = try await client.request(
                            category: 1, data: "x", timeout: .seconds(3))
                        remote.reply(to: address, data: answer.data)
                    }
                }
            }
        }
        for kind in [SimulatedFault.shortRead, .refusedConnection, .shuffledEvents] {
            network.setProbability(of: kind, to: 0.3)
        }
        let peers = try (0..<3).map { _ in try network.connect(to: "127.0.0.1:9000") }
        for (number, peer) in peers.enumerated() {
            peer.send(sequence: Int32(number), category: 1, data: "question")
        }
        network.schedule(after: .milliseconds(3)) { network.partition("front", from: "back") }
        network.schedule(after: .seconds(2)) { network.heal() }
        network.advance(by: .seconds(30))
        #expect(network.findings == [])
        return network.trace
    }

    @Test func `the same seed gives the same trace, and another one another`() throws {
        let traces = try (1...10).map { try story($0) }
        let again = try (1...10).map { try story($0) }
        #expect(traces == again)
        #expect(Set(traces).count == traces.count)
        #expect(traces.allSatisfy { $0.count > 50 })
    }

    @Test func `a failure names its seed, its last steps and how to repeat it`() throws {
        let network = SimulatedNetwork(seed: 42)
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: "127.0.0.1:9000") { _ in }
        }
        try network.connect(to: "127.0.0.1:9000")
        network.note("nobody answers")
        let error = #expect(throws: SimulationError.self) {
            try network.run(until: { false }, within: .seconds(1))
        }
        let text = "\(try #require(error))"
        #expect(text.contains("seed 42") && text.contains("TRON_SEED=42"))
        #expect(text.contains("nobody answers") && text.contains("server: accept"))
        #expect(text.contains("did not hold within 1.0 seconds"))
    }

    @Test func `exploring ends at the first seed that fails`() throws {
        var played: [UInt64] = []
        let error = #expect(throws: SimulationError.self) {
            try SimulatedNetwork.explore(seeds: 10, from: 100) { network in
                played.append(network.seed)
                try network.run(until: { network.seed < 103 }, within: .seconds(1))
            }
        }
        #expect(played == [100, 101, 102, 103] && error?.seed == 103)
    }
}
