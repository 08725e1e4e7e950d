// example-relay in front of example-key-value, on a simulated network: what a test of your own
// program may look like. Each takes milliseconds.
import Testing
import Tron
import TronTestKit

@testable import example_key_value
@testable import example_relay

@Suite struct RelaySimulationTests {
    /// The two programs, and where peers reach the relay.
    private final class Stage {
        static let address = "127.0.0.1:9000"
        private static let timeout = Duration.seconds(3)

        let network: SimulatedNetwork
        let store: SimulatedReactor
        let relay: SimulatedReactor

        init(_ network: SimulatedNetwork = SimulatedNetwork()) throws {
            self.network = network
            store = try network.reactor(named: "store") { reactor in
                try KeyValueExample.setUp(reactor, port: 9001, delay: .zero)
            }
            relay = try network.reactor(named: "relay") { reactor in
                try RelayExample.setUp(
                    reactor, port: 9000, backend: .loopback(port: 9001), timeout: Self.timeout)
            }
        }

        func connect() throws -> SimulatedPeer { try network.connect(to: Self.address) }
    }

    @Test func `peers reach the store through the relay`() throws {
        let stage = try Stage()
        let peers = try (0..<3).map { _ in try stage.connect() }
        for (number, peer) in peers.enumerated() {
            peer.set("key", to: "value \(number)", sequence: 1)
            peer.get("key", sequence: 2)
        }
        try stage.network.run(until: { peers.allSatisfy { $0.packets.count == 2 } })
        #expect(peers.allSatisfy { $0.answer(to: 2)?.first == 1 })
        try stage.network.finish()
    }

    @Test func `a partition is told as a timeout, and what is asked after it is answered`() throws {
        let stage = try Stage()
        let network = stage.network
        let peer = try stage.connect()
        peer.set("key", to: "value", sequence: 1)
        try network.run(until: { peer.answer(to: 1) != nil })

        network.partition("relay", from: "store")
        peer.get("key", sequence: 2)
        try network.run(until: { peer.answer(to: 2) != nil }, within: .seconds(4))
        #expect(peer.answer(to: 2) == [Failure.timedOut.rawValue])

        network.heal()
        peer.get("key", sequence: 3)
        try network.run(until: { peer.answer(to: 3) != nil })
        #expect(peer.answer(to: 3) == [1] + Array("value".utf8))
        try network.finish()
    }

    @Test func `a peer that does not read its answers delays no other`() throws {
        let stage = try Stage()
        let network = stage.network
        let (slow, quick) = (try stage.connect(), try stage.connect())
        let value = String(repeating: "v", count: 60_000)
        slow.set("key", to: value, sequence: 0)
        try network.run(until: { slow.answer(to: 0) != nil })

        slow.stopReading()
        for sequence in 1...100 { slow.get("key", sequence: Int32(sequence)) }
        network.advance(by: .seconds(5))
        let start = network.now
        quick.get("key", sequence: 1)
        try network.run(until: { quick.answer(to: 1)?.count == 60_001 })
        #expect(network.now - start < .milliseconds(100))

        slow.resumeReading()
        try network.run(until: { slow.packets.count == 101 })
        #expect(slow.packets.map(\.sequence) == Array(0...100))
        try network.finish()
    }

    @Test func `a crash of the store is told, and what comes before its return waits`() throws {
        let stage = try Stage()
        let network = stage.network
        let peer = try stage.connect()
        peer.set("key", to: "value", sequence: 1)
        try network.run(until: { peer.answer(to: 1) != nil })

        // On its way when the store goes: whether it was carried out nobody knows.
        network.setLink(between: "relay", and: "store", latency: .milliseconds(100))
        peer.get("key", sequence: 2)
        network.advance(by: .milliseconds(50))
        stage.store.crash()
        try network.run(until: { peer.answer(to: 2) != nil })
        #expect(peer.answer(to: 2) == [Failure.connectionLost.rawValue])

        peer.get("key", sequence: 3)
        network.advance(by: .seconds(1))
        #expect(peer.answer(to: 3) == nil)
        try stage.store.restart()
        try network.run(until: { peer.answer(to: 3) != nil })
        // It keeps its values in memory.
        #expect(peer.answer(to: 3) == [0])
        try network.finish()
    }

    @Test func `whatever goes wrong, each request is answered or told, once`() throws {
        try SimulatedNetwork.explore(seeds: 20) { network in
            let stage = try Stage(network)
            for fault in [SimulatedFault.shortRead, .shortWrite, .refusedConnection] {
                network.setProbability(of: fault, to: 0.3)
            }
            let peers = try (0..<4).map { _ in try stage.connect() }
            for peer in peers {
                for sequence in 0..<10 { peer.set("key", to: "x", sequence: Int32(sequence)) }
            }
            network.schedule(after: .milliseconds(2)) { stage.store.crash() }
            network.schedule(after: .seconds(1)) { try? stage.store.restart() }
            network.schedule(after: .seconds(2)) { network.partition("relay", from: "store") }
            network.schedule(after: .seconds(3)) { network.heal() }
            try network.run(until: { peers.allSatisfy { $0.packets.count == 10 } })
            network.advance(by: .seconds(10))
            for peer in peers { #expect(Set(peer.packets.map(\.sequence)) == Set(0..<10)) }
        }
    }

    @Test func `the signal to end leaves no request without an answer`() throws {
        let stage = try Stage()
        let peer = try stage.connect()
        for sequence in 0..<10 { peer.get("key", sequence: Int32(sequence)) }
        try stage.network.run(until: { !peer.packets.isEmpty })
        let asked = peer.packets.count
        stage.relay.raise(.terminate)
        try stage.network.run(until: { !stage.relay.isRunning })
        #expect(peer.hasEnded && peer.packets.count >= asked)
        try stage.network.finish()
    }
}
