// One server and its scripted peers: what passes between them, and what does not.
import Testing
import Tron
import TronTestKit

@Suite struct SimulatedServerTests {
    private static let address = "127.0.0.1:9000"

    /// An echo that notes how its sessions end.
    private static func echo(_ reactor: Reactor, _ log: Log, deadAfter: Duration? = nil) throws {
        var options = ServerOptions()
        options.session.deadAfter = deadAfter
        if deadAfter != nil {
            options.session.heartbeat = Heartbeat(category: 200, interval: .seconds(1))
        }
        try reactor.listen(on: address, options: options) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            session.onClose { _, reason in log.notes.append("\(reason)") }
        }
    }

    private final class Log {
        var notes: [String] = []
    }

    @Test func `a peer is answered by the server under test`() throws {
        let network = SimulatedNetwork()
        try network.reactor(named: "server") { reactor in try Self.echo(reactor, Log()) }
        let peer = try network.connect(to: Self.address)
        peer.send(sequence: 7, category: 1, data: "ping")
        try network.run(until: { !peer.packets.isEmpty })
        #expect(
            peer.takePackets() == [OwnedPacket(sequence: 7, category: 1, data: Array("ping".utf8))])
        #expect(peer.received == [] && peer.isConnected)
        try network.finish()
    }

    @Test func `an hour of virtual time passes at once, and timers ring in it`() throws {
        let network = SimulatedNetwork()
        var rings = 0
        try network.reactor(named: "clock") { reactor in
            reactor.schedule(after: .seconds(60), repeating: .seconds(60)) { rings += 1 }
        }
        network.advance(by: .seconds(3600) + .milliseconds(2))
        #expect(rings == 60)
        #expect(network.now >= .seconds(3600) && network.now < .seconds(3601))
        try network.finish()
    }

    @Test func `peers end in every way, and the server is told how`() throws {
        let network = SimulatedNetwork()
        let log = Log()
        try network.reactor(named: "server") { reactor in
            try Self.echo(reactor, log, deadAfter: .seconds(3))
        }
        let ways: [(SimulatedPeer) -> Void] = [
            { $0.finish() }, { $0.close() }, { $0.reset() }, { $0.vanish() },
        ]
        for (index, way) in ways.enumerated() {
            let peer = try network.connect(to: Self.address)
            peer.send(category: 1, data: "x")
            try network.run(until: { !peer.packets.isEmpty })
            way(peer)
            try network.run(until: { log.notes.count > index })
        }
        let reset = SystemError(.recv, code: 104)
        #expect(log.notes[0...1] == ["\(CloseReason.peerClosed)", "\(CloseReason.peerClosed)"])
        #expect(log.notes[2] == "\(CloseReason.system(reset))")
        // The kernel gives it up after the same time; which of the two comes first is chance.
        let timeout = SystemError(.recv, code: 110)
        #expect([CloseReason.dead, .system(timeout)].map(\.description).contains(log.notes[3]))
        try network.finish()
    }

    @Test func `a peer that does not read keeps its answers waiting until it does`() throws {
        let network = SimulatedNetwork()
        try network.reactor(named: "server") { reactor in try Self.echo(reactor, Log()) }
        let peer = try network.connect(to: Self.address)
        peer.stopReading()
        let data = [UInt8](repeating: 7, count: 10_000)
        for number in 0..<200 { peer.send(sequence: Int32(number), category: 1, data: data) }
        network.advance(by: .seconds(10))
        #expect(peer.received.isEmpty && peer.unsentBytes > 500_000)
        peer.resumeReading()
        try network.run(until: { peer.packets.count == 200 })
        #expect(peer.packets.map(\.sequence) == Array(0..<200))
        try network.finish()
    }

    @Test func `a signal that the server watches ends it gracefully`() throws {
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server") { reactor in
            try Self.echo(reactor, Log())
            try reactor.onSignal(.terminate) { _ in reactor.drain(within: .seconds(5)) }
        }
        let peer = try network.connect(to: Self.address)
        try network.run(until: { peer.isConnected })
        server.raise(.terminate)
        try network.run(until: { !server.isRunning })
        #expect(peer.hasEnded)
        let late = try network.connect(to: Self.address)
        try network.run(until: { late.isBroken })
        try network.finish()
    }

    @Test func `tasks on the reactor's executor are part of the simulation`() throws {
        let network = SimulatedNetwork()
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: Self.address) { session in
                session.task { session in
                    for try await packet in session.packets {
                        try await session.reply(to: packet, data: packet.data)
                    }
                }
            }
        }
        let peer = try network.connect(to: Self.address)
        for number in 0..<100 { peer.send(sequence: Int32(number), category: 1, data: "x") }
        try network.run(until: { peer.packets.count == 100 })
        try network.finish()
    }

    @Test func `faults of every kind together change nothing of what is answered`() throws {
        try SimulatedNetwork.explore(seeds: 20) { network in
            try network.reactor(named: "server") { reactor in try Self.echo(reactor, Log()) }
            let kinds: [SimulatedFault] = [
                .shortRead, .shortWrite, .falseReadiness, .interruptedCall, .staleEvent,
                .shuffledEvents, .noDescriptor, .clockJump,
            ]
            for kind in kinds { network.setProbability(of: kind, to: 0.2) }
            let peers = try (0..<5).map { _ in try network.connect(to: Self.address) }
            for peer in peers {
                for number in 0..<20 {
                    peer.send(sequence: Int32(number), category: 1, data: "\(number)")
                }
            }
            try network.run(until: { peers.allSatisfy { $0.packets.count == 20 } })
            #expect(peers.allSatisfy { $0.packets.map(\.text) == (0..<20).map(String.init) })
        }
    }
}
