// Several reactors under one clock, and what lies between them.
import Testing
import Tron
import TronTestKit

@Suite struct SimulatedLinkTests {
    /// A client of `back` in a reactor of its own, which asks once a second.
    private final class Asker {
        /// Handlers hold it, since they are called once more when the network goes.
        private final class Notes {
            var outcomes: [String] = []
            var states: [ClientState] = []
        }

        let network: SimulatedNetwork
        private(set) var back: SimulatedReactor?
        private let notes = Notes()

        var outcomes: [String] { notes.outcomes }
        var states: [ClientState] { notes.states }

        init(_ network: SimulatedNetwork) throws {
            self.network = network
            back = try network.reactor(named: "back") { reactor in
                try reactor.listen(on: "0.0.0.0:9001") { session in
                    session.onPacket { session, packet in
                        session.reply(to: packet, data: packet.data)
                    }
                }
            }
            try network.reactor(named: "front") { [notes] reactor in
                let client = reactor.makeClient(
                    to: "back:9001", reconnecting: Backoff(initial: .milliseconds(100)))
                client.onStateChange { _, state in notes.states.append(state) }
                reactor.schedule(after: .seconds(1), repeating: .seconds(1)) {
                    client.request(category: 1, data: "x", timeout: .milliseconds(500)) { outcome in
                        switch outcome {
                        case .answered(let packet): notes.outcomes.append(packet.text)
                        case .failed(let error): notes.outcomes.append("\(error)")
                        }
                    }
                }
            }
        }

        var last: String? { outcomes.last }
    }

    @Test func `a reactor's client finds another reactor's server by its name`() throws {
        let asker = try Asker(SimulatedNetwork())
        try asker.network.run(until: { asker.outcomes == ["x", "x", "x"] })
        #expect(asker.states == [.connecting, .connected])
        try asker.network.finish()
    }

    @Test func `a partition lets nothing pass until it is healed`() throws {
        let asker = try Asker(SimulatedNetwork())
        let network = asker.network
        try network.run(until: { asker.last == "x" })
        network.partition("front", from: "back")
        try network.run(until: { asker.last != "x" })
        network.advance(by: .seconds(20))
        #expect(asker.last != "x")
        network.heal()
        try network.run(until: { asker.last == "x" })
        try network.finish()
    }

    @Test func `a crash resets its connections, and after a restart all goes on`() throws {
        let asker = try Asker(SimulatedNetwork())
        let network = asker.network
        try network.run(until: { asker.last == "x" })
        asker.back?.crash()
        try network.run(until: { asker.states.last != .connected })
        #expect(asker.back?.isRunning == false)
        network.advance(by: .seconds(3))
        #expect(asker.last != "x")
        try asker.back?.restart()
        try network.run(until: { asker.last == "x" })
        try network.finish()
    }

    @Test func `a slow way takes its time`() throws {
        let asker = try Asker(SimulatedNetwork())
        let network = asker.network
        network.setLink(between: "front", and: "back", latency: .milliseconds(200))
        try network.run(until: { asker.last == "x" })
        // The name, the handshake, and then a request a second: each takes two ways.
        let start = network.now
        let count = asker.outcomes.count
        try network.run(until: { asker.outcomes.count == count + 1 })
        #expect(network.now - start >= .milliseconds(400))
        try network.finish()
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `what arrives in pieces has gone a slow way once`(seed: UInt64) throws {
        let network = SimulatedNetwork(seed: seed)
        var received = 0
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: "127.0.0.1:9000") { session in
                session.onBytes { _, bytes in
                    received += bytes.byteCount
                    return bytes.byteCount
                }
            }
        }
        let peer = try network.connect(to: "127.0.0.1:9000", named: "far")
        network.advance(by: .milliseconds(1))
        network.setLink(between: "far", and: "server", latency: .milliseconds(200))
        peer.send([UInt8](repeating: 1, count: 12))
        network.advance(by: .milliseconds(199))
        #expect(received == 0)
        network.advance(by: .milliseconds(20))
        #expect(received == 12)
        try network.finish()
    }

    @Test func `a narrow way lets so many bytes a second pass`() throws {
        let network = SimulatedNetwork()
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: "127.0.0.1:9000") { session in
                session.onBytes { _, bytes in bytes.byteCount }
            }
        }
        let peer = try network.connect(to: "127.0.0.1:9000", named: "modem")
        network.setLink(
            between: "modem", and: "server", latency: .zero, bytesPerSecond: 10_000)
        peer.send([UInt8](repeating: 1, count: 50_000))
        network.advance(by: .milliseconds(2500))
        #expect((23_000...27_000).contains(peer.unsentBytes))
        try network.run(until: { peer.unsentBytes == 0 })
        #expect(network.now > .seconds(4))
        try network.finish()
    }

    @Test func `a scripted server answers a reactor's client`() throws {
        let network = SimulatedNetwork()
        try network.listen(on: "10.9.0.1:80", named: "legacy") { peer in
            peer.onChange = { peer in
                for packet in peer.takePackets() {
                    peer.send(sequence: packet.sequence, category: 2, data: "from afar")
                }
            }
        }
        var answer = ""
        try network.reactor(named: "front") { reactor in
            reactor.makeClient(to: "10.9.0.1:80")
                .request(category: 1, data: "", timeout: .seconds(3)) { outcome in
                    if case .answered(let packet) = outcome { answer = packet.text }
                }
        }
        try network.run(until: { answer == "from afar" })
        try network.finish()
    }

    @Test func `an idle connection with keepalive ends when the network is cut`() throws {
        let network = SimulatedNetwork()
        var options = ServerOptions()
        options.session.keepalive = Keepalive()
        var reasons: [CloseReason] = []
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: "127.0.0.1:9000", options: options) { session in
                session.onClose { _, reason in reasons.append(reason) }
            }
        }
        let peer = try network.connect(to: "127.0.0.1:9000", named: "far")
        try network.run(until: { peer.isConnected })
        network.advance(by: .seconds(100))
        network.partition("far", from: "server")
        network.advance(by: .seconds(15))
        #expect(reasons == [])
        try network.run(until: { !reasons.isEmpty }, within: .seconds(10))
        try network.finish()
    }
}
