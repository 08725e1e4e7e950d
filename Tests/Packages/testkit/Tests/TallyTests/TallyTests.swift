// A user's tests: the server and its client, on a network that is simulated.
import Tally
import Testing
import Tron
import TronTestKit

@Suite struct TallyTests {
    private func serve(_ network: SimulatedNetwork) throws -> SimulatedReactor {
        try network.reactor(named: "server") { reactor in
            try TallyServer.listen(on: reactor, port: 9000)
        }
    }

    private func vote(_ network: SimulatedNetwork) throws -> Voter {
        var voter: Voter?
        try network.reactor(named: "voter") { reactor in
            voter = Voter(for: "red", at: "server:9000", on: reactor)
        }
        return try #require(voter)
    }

    @Test func `each line is counted and answered`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let peer = try network.connect(to: "server:9000")
        peer.send("red\ngreen\nred\n")
        try network.run(until: { peer.text == "red 1\ngreen 1\nred 2\n" })
        try network.finish()
    }

    @Test func `who says nothing for half a minute is gone`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let peer = try network.connect(to: "server:9000")
        network.advance(by: .seconds(29))
        #expect(peer.isConnected && !peer.hasEnded)
        try network.run(until: { peer.hasEnded || peer.isBroken }, within: .seconds(2))
        try network.finish()
    }

    @Test func `votes go on after a partition, a crash and a new start`() throws {
        try SimulatedNetwork.explore(seeds: 50) { network in
            network.setProbability(of: .shortRead, to: 0.3)
            network.setProbability(of: .slowConnection, to: 0.3)
            let server = try serve(network)
            let voter = try vote(network)
            try network.run(until: { voter.count == 3 })

            network.partition("voter", from: "server")
            network.advance(by: .seconds(10))
            let before = voter.count
            network.heal("voter", "server")
            try network.run(until: { voter.count > before })

            server.crash()
            try network.run(until: { voter.losses == 1 })
            try server.restart()
            try network.run(until: { voter.count == 5 })
        }
    }

    @Test func `a peer that does not read is no burden to others`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let slow = try network.connect(to: "server:9000", named: "slow")
        slow.stopReading()
        slow.send(String(repeating: "x\n", count: 500_000))
        network.advance(by: .seconds(20))
        #expect(slow.isConnected && slow.unsentBytes > 500_000)
        let peer = try network.connect(to: "server:9000")
        peer.send("red\n")
        try network.run(until: { peer.text == "red 1\n" }, within: .milliseconds(10))
        try network.finish()
    }

    @Test func `the signal to end is heard`() throws {
        let network = SimulatedNetwork()
        let server = try serve(network)
        let peer = try network.connect(to: "server:9000")
        peer.send("red\n")
        try network.run(until: { peer.text == "red 1\n" })
        server.raise(.terminate)
        try network.run(until: { !server.isRunning })
        #expect(peer.hasEnded)
        try network.finish()
    }

    @Test func `the same seed is the same story`() throws {
        func story(_ seed: UInt64) throws -> [String] {
            let network = SimulatedNetwork(seed: seed)
            network.setProbability(of: .shortRead, to: 0.5)
            _ = try serve(network)
            let voter = try vote(network)
            try network.run(until: { voter.count == 10 })
            return network.trace
        }
        let (first, again, another) = (try story(1), try story(1), try story(2))
        #expect(first == again && first != another)
    }
}
