// How reactors of a simulated network begin, fail to, and go on on another thread.
import Glibc
import Testing
import Tron
import TronTestKit

@Suite struct SimulatedLifeTests {
    private static let address = "127.0.0.1:9000"

    private struct Refused: Error {}

    private static func echo(_ reactor: Reactor) throws {
        try reactor.listen(on: address) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
    }

    private final class Body {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own, and waits for its end.
    private func onAnotherThread(_ body: @escaping () throws -> Void) throws {
        var outcome: Result<Void, any Error> = .success(())
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body { outcome = Result { try body() } }).toOpaque())
        try #require(code == 0)
        pthread_join(thread, nil)
        try outcome.get()
    }

    // MARK: Threads

    @Test func `a network that was made on one thread is used on another, and goes back`() throws {
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server", setup: Self.echo)
        // A timer, and names, which another thread looks up: all of it comes here.
        var states: [String] = []
        try network.reactor(named: "front") { reactor in
            reactor.makeClient(to: "server:9000").onStateChange { states.append("\($1)") }
        }
        func converse() throws {
            let peer = try network.connect(to: Self.address)
            peer.send(category: 1, data: "hello")
            try network.run(until: { !peer.packets.isEmpty })
            network.advance(by: .seconds(20))
            #expect(server.reactor?.snapshot().sessions.open ?? 0 > 0)
        }
        try onAnotherThread { try converse() }
        try converse()
        try onAnotherThread {
            try server.restart()
            try converse()
            #expect(network.findings == [])
        }
        #expect(!states.isEmpty)
        try network.finish()
    }

    @Test func `what is called through a reactor is called on the calling thread`() throws {
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server", setup: Self.echo)
        try onAnotherThread { #expect(server.reactor?.snapshot().sessions.open == 0) }
        var rings = 0
        server.reactor?.schedule(after: .seconds(1)) { rings += 1 }
        network.advance(by: .seconds(2))
        #expect(rings == 1)
        try onAnotherThread { try network.finish() }
    }

    // MARK: Setups that throw

    @Test func `a reactor whose setup throws is none, and its address is free`() throws {
        let network = SimulatedNetwork()
        var turns = 0
        #expect(throws: Refused.self) {
            try network.reactor(named: "server") { reactor in
                try Self.echo(reactor)
                reactor.schedule(after: .zero, repeating: .milliseconds(1)) { turns += 1 }
                throw Refused()
            }
        }
        let early = try network.connect(to: Self.address)
        network.advance(by: .seconds(1))
        #expect(early.isBroken && turns == 0)
        try network.reactor(named: "server", setup: Self.echo)
        let peer = try network.connect(to: Self.address)
        peer.send(category: 1, data: "hello")
        try network.run(until: { !peer.packets.isEmpty })
        try network.finish()
    }

    @Test(arguments: [true, false])
    func `a setup that throws at a restart leaves a reactor that may be restarted`(
        crashes: Bool
    ) throws {
        let network = SimulatedNetwork()
        var fails = false
        var turns = 0
        let server = try network.reactor(named: "server") { reactor in
            try Self.echo(reactor)
            if !fails { return }
            reactor.schedule(after: .zero, repeating: .milliseconds(1)) { turns += 1 }
            throw Refused()
        }
        if crashes { server.crash() }
        fails = true
        for _ in 0..<2 {
            #expect(throws: Refused.self) { try server.restart() }
            #expect(!server.isRunning && server.reactor == nil)
            network.advance(by: .seconds(1))
        }
        let early = try network.connect(to: Self.address)
        network.advance(by: .seconds(1))
        #expect(early.isBroken && turns == 0)
        fails = false
        try server.restart()
        let peer = try network.connect(to: Self.address)
        peer.send(category: 1, data: "hello")
        try network.run(until: { !peer.packets.isEmpty })
        try network.finish()
    }
}
