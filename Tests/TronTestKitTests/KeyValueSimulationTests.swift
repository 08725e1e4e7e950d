// example-key-value alone on a simulated network.
import Testing
import Tron
import TronTestKit

@testable import example_key_value

@Suite struct KeyValueSimulationTests {
    private func serve(
        _ network: SimulatedNetwork, delay: Duration = .zero
    ) throws -> SimulatedReactor {
        try network.reactor(named: "store") { reactor in
            try KeyValueExample.setUp(reactor, port: 9001, delay: delay)
        }
    }

    @Test func `what was set is there until it is removed`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let peer = try network.connect(to: "127.0.0.1:9001")
        peer.get("key", sequence: 1)
        peer.set("key", to: "value", sequence: 2)
        peer.get("key", sequence: 3)
        peer.send(sequence: 4, category: StoreRequest.remove, data: StoreRequest.data("key"))
        peer.get("key", sequence: 5)
        try network.run(until: { peer.packets.count == 5 })
        #expect(
            (1...5).map { peer.answer(to: $0) } == [[0], [0], [1] + Array("value".utf8), [1], [0]])
        try network.finish()
    }

    @Test func `a store with a slow disk answers so much later, and before it ends`() throws {
        let network = SimulatedNetwork()
        let store = try serve(network, delay: .seconds(2))
        let peer = try network.connect(to: "127.0.0.1:9001")
        for sequence in 1...3 { peer.set("key", to: "value", sequence: Int32(sequence)) }
        network.advance(by: .milliseconds(1999))
        #expect(peer.packets.isEmpty)
        // Each is owed its answer, which the end waits for.
        store.raise(.terminate)
        network.advance(by: .milliseconds(5))
        #expect((1...3).map { peer.answer(to: $0) } == [[0], [1], [1]])
        try network.run(until: { !store.isRunning })
        try network.finish()
    }

    @Test func `what is no request ends its connection and no other`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let (rude, polite) = (
            try network.connect(to: "127.0.0.1:9001"), try network.connect(to: "127.0.0.1:9001")
        )
        rude.send(sequence: 1, category: 99, data: "")
        polite.get("key", sequence: 1)
        try network.run(until: { rude.hasEnded && polite.answer(to: 1) != nil })
        #expect(polite.isConnected)
        try network.finish()
    }

    @Test func `a peer whose network is cut while it asks gets its answers afterwards`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let peer = try network.connect(to: "127.0.0.1:9001", named: "mobile")
        network.setLink(between: "mobile", and: "store", latency: .milliseconds(10))
        for sequence in 0..<40 { peer.set("\(sequence)", to: "x", sequence: Int32(sequence)) }
        // The connection stands after one way, the questions have come after two.
        network.schedule(after: .milliseconds(25)) { network.partition("mobile", from: "store") }
        network.advance(by: .seconds(10))
        let before = peer.packets.count
        network.heal()
        try network.run(until: { peer.packets.count == 40 })
        #expect(before == 0)
        try network.finish()
    }

    @Test func `a peer that trickles its request is answered when it is whole`() throws {
        let network = SimulatedNetwork()
        _ = try serve(network)
        let peer = try network.connect(to: "127.0.0.1:9001")
        let request = OwnedPacket(
            sequence: 1, category: StoreRequest.get, data: StoreRequest.data("key")
        ).wireBytes
        for byte in request {
            #expect(peer.packets.isEmpty)
            peer.send([byte])
            network.advance(by: .seconds(1))
        }
        #expect(peer.answer(to: 1) == [0])
        try network.finish()
    }

    @Test func `a crash loses the values and its connections, and a new start serves again`() throws
    {
        let network = SimulatedNetwork()
        let store = try serve(network)
        let peer = try network.connect(to: "127.0.0.1:9001")
        peer.set("key", to: "value", sequence: 1)
        try network.run(until: { peer.answer(to: 1) != nil })
        store.crash()
        try network.run(until: { peer.isBroken })
        try store.restart()
        let next = try network.connect(to: "127.0.0.1:9001")
        next.get("key", sequence: 1)
        try network.run(until: { next.answer(to: 1) == [0] })
        try network.finish()
    }
}
