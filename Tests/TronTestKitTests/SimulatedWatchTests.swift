// What the watch finds: each kind of finding, brought about by a server that deserves it.
import Glibc
import Testing
import Tron
import TronTestKit

@Suite struct SimulatedWatchTests {
    private static let address = "127.0.0.1:9000"

    private func kinds(_ network: SimulatedNetwork) -> [SimulationFinding.Kind] {
        network.findings.map(\.kind)
    }

    @Test func `a loop that is always called again is a spin`() throws {
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server") { reactor in
            func again() { reactor.callSoon { again() } }
            again()
        }
        network.advance(by: .seconds(5))
        #expect(kinds(network) == [.spin])
        #expect(network.findings.first?.reactor == "server")
        server.reactor?.stop()
        let error = #expect(throws: SimulationError.self) {
            try network.finish()
        }
        #expect(error?.findings == network.findings)
    }

    @Test func `a session that pauses for ever sleeps over data`() throws {
        let network = SimulatedNetwork()
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: Self.address) { session in session.pauseReading() }
        }
        let peer = try network.connect(to: Self.address)
        peer.send(category: 1, data: "is anybody there?")
        network.advance(by: .seconds(59))
        #expect(network.findings == [])
        network.advance(by: .seconds(10))
        #expect(kinds(network) == [.sleepOverData])
    }

    @Test func `output that waits without bound is found by the bound that is set`() throws {
        let network = SimulatedNetwork()
        network.watch.maximumQueuedBytes = 100_000
        var options = ServerOptions()
        options.session.limits.maximumQueuedBytes = 1 << 20
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: Self.address, options: options) { session in
                reactor.schedule(after: .milliseconds(10), repeating: .milliseconds(10)) {
                    session.send(category: 1, data: [UInt8](repeating: 0, count: 1000))
                }
            }
        }
        try network.connect(to: Self.address).stopReading()
        network.advance(by: .seconds(6))
        #expect(kinds(network).contains(.unboundedQueue))
    }

    @Test func `work that comes from another thread is reported`() throws {
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server") { _ in }
        let remote = try #require(server.reactor?.remote)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<RemoteReactor>.fromOpaque(context!).takeUnretainedValue()
                    .submit { _ in }
                return nil
            }, Unmanaged.passUnretained(remote).toOpaque())
        pthread_join(thread, nil)
        network.advance(by: .milliseconds(1))
        #expect(kinds(network) == [.workFromElsewhere])
    }

    @Test func `a quiet server has no findings, however long it lives`() throws {
        let network = SimulatedNetwork()
        try network.reactor(named: "server") { reactor in
            try reactor.listen(on: Self.address) { session in session.onPacket { _, _ in } }
        }
        let peers = try (0..<3).map { _ in try network.connect(to: Self.address) }
        network.advance(by: .seconds(100_000))
        #expect(peers.allSatisfy { $0.isConnected })
        try network.finish()
    }
}
