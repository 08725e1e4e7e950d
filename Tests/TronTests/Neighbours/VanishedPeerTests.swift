// A peer that vanishes without a word: behind a firewall that drops, in a network of its own.
import Glibc
import Testing

@testable import Tron

@Suite(.enabled(if: PeerNetwork.isPossible, "needs root, ip and nft"))
struct VanishedPeerTests {
    /// A client that tries until the server is up, and stops the reactor when a session ends.
    private func connect(
        _ reactor: Reactor, to network: PeerNetwork, _ options: ClientOptions,
        ended: @escaping (CloseReason) -> Void
    ) -> Client {
        reactor.makeClient(
            to: [network.address],
            reconnecting: Backoff(initial: .milliseconds(50), multiplier: 1), options: options
        ) { session in
            session.onClose { _, reason in
                ended(reason)
                reactor.stop()
            }
        }
    }

    @Test func `a peer behind a dropping firewall fails the request, then the connection`() throws {
        let network = try PeerNetwork()
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.deadAfter = .seconds(2)
        options.timeoutsBeforeReconnect = nil
        var outcomes: [String] = []
        var reasons: [CloseReason] = []
        let client = connect(reactor, to: network, options) { reasons.append($0) }
        func ask(_ text: String, _ timeout: Duration, then: @escaping () -> Void) {
            client.request(category: 1, data: text, timeout: timeout) { outcome in
                switch outcome {
                case .answered(let packet): outcomes.append(packet.text)
                case .failed(let error): outcomes.append("\(text): \(error)")
                }
                then()
            }
        }
        ask("there", .seconds(20)) {
            #expect(network.dropEverything())
            ask("gone", .milliseconds(300)) {}
        }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        #expect(outcomes == ["there", "gone: no answer in time"])
        #expect(reasons == [.dead])
    }

    @Test func `an idle connection to a vanished peer is found dead, too`() throws {
        let network = try PeerNetwork()
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.deadAfter = .seconds(3)
        options.session.heartbeat = Heartbeat(category: 200, interval: .seconds(1))
        var reasons: [CloseReason] = []
        let client = connect(reactor, to: network, options) { reasons.append($0) }
        client.onStateChange { _, state in
            if state == .connected { #expect(network.dropEverything()) }
        }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        let expected = [CloseReason.dead, .system(SystemError(.recv, code: ETIMEDOUT))]
        #expect(reasons.count == 1 && expected.contains(reasons[0]), "\(reasons)")
    }

    /// Nothing is acknowledged any more, of what the kernel holds and of what waits behind it. The
    /// kernel itself would go on for a quarter of an hour.
    @Test(arguments: [true, false])
    func `a vanished peer for which output waits is found dead in time`(isAsking: Bool) throws {
        let network = try PeerNetwork()
        let reactor = try Reactor()
        var options = ClientOptions()
        options.session.deadAfter = .seconds(2)
        if isAsking { options.session.heartbeat = Heartbeat(category: 200, interval: .seconds(1)) }
        options.session.limits.maximumQueuedBytes = 64 << 20
        var reasons: [CloseReason] = []
        var queued: [Int] = []
        let client = connect(reactor, to: network, options) { reasons.append($0) }
        var start: ContinuousClock.Instant?
        client.onStateChange { client, state in
            guard state == .connected, let session = client.session else { return }
            start = .now
            #expect(network.dropEverything())
            for _ in 0..<32 {
                session.send(category: 1, data: [UInt8](repeating: 0, count: 1 << 20))
            }
            reactor.schedule(after: .milliseconds(500), repeating: .milliseconds(500)) {
                queued.append(session.queuedBytes)
            }
        }
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        let time = try ContinuousClock.now - #require(start)
        #expect(reasons == [.dead])
        // The kernel is asked when the time is over, and once more if something had moved before.
        #expect(time > .seconds(1.9) && time < .seconds(7), "after \(time)")
        #expect(queued.first ?? 0 > 1 << 20, "nothing waited")
    }
}
