// Networks that lose packets, break in two, or go away with everybody in them.
import Glibc
import Testing

@testable import Tron

@Suite(.enabled(if: PeerNetwork.isPossible, "needs root, ip and nft"), .serialized)
struct BadNetworkTests {
    private let kernelReasons: [CloseReason] = [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH].flatMap {
        code in [SystemError.Call.recv, .send].map { .system(SystemError($0, code: code)) }
    }

    /// Sessions to the server of a network, each with a request under way that is answered.
    private func sessions(
        _ count: Int, _ place: Neighbourhood, to network: PeerNetwork, ends: EndCounts,
        heartbeat: Heartbeat? = nil
    ) throws -> [Client] {
        var options = ClientOptions()
        options.session.deadAfter = .seconds(2)
        options.session.heartbeat = heartbeat
        var answers = 0
        // The server may need a moment to begin; the ends are counted, so none comes back.
        let again = Backoff(initial: .milliseconds(50), multiplier: 1)
        let clients = (0..<count).map { _ in
            place.reactor.makeClient(to: [network.address], reconnecting: again, options: options) {
                session in
                session.onClose { _, reason in ends.add(reason) }
            }
        }
        for client in clients {
            client.request(category: 1, data: "there", timeout: .seconds(30)) { outcome in
                if case .answered = outcome { answers += 1 }
            }
        }
        try place.turn(until: { answers == count })
        return clients
    }

    /// The connections end by themselves, and their requests with them.
    private func expectEnds(
        _ clients: [Client], _ place: Neighbourhood, _ ends: EndCounts, as usual: [CloseReason]
    ) throws {
        var failures = 0
        for client in clients {
            client.onStateChange { client, state in if state.isWaiting { client.close() } }
            client.request(category: 1, data: "gone", timeout: .seconds(30)) { outcome in
                if case .failed = outcome { failures += 1 }
            }
        }
        try place.turn(until: { ends.total >= clients.count && failures == clients.count })
        print("vanished peers: \(ends.counts)")
        #expect(ends.others(than: usual) == [:])
        #expect(ends.total == clients.count && failures == clients.count)
        // The reactor's own two descriptors are left.
        try place.turn(until: { place.kernel.openDescriptors.count == 2 })
    }

    @Test func `a hundred peers behind a firewall that drops are found dead`() throws {
        let network = try PeerNetwork()
        let place = try Neighbourhood()
        let ends = EndCounts()
        let clients = try sessions(100, place, to: network, ends: ends)
        #expect(network.dropEverything())
        // Nothing of what is sent is acknowledged.
        try expectEnds(clients, place, ends, as: [.dead] + kernelReasons)
    }

    @Test func `a hundred peers whose network is taken away are found dead`() throws {
        let network = try PeerNetwork()
        let place = try Neighbourhood()
        let ends = EndCounts()
        let heartbeat = Heartbeat(category: 200, interval: .milliseconds(500))
        let clients = try sessions(100, place, to: network, ends: ends, heartbeat: heartbeat)
        #expect(network.takeAway())
        try expectEnds(clients, place, ends, as: [.dead] + kernelReasons)
    }

    @Test func `with a tenth of the packets lost, and five seconds of none, all bytes arrive`()
        throws
    {
        let network = try PeerNetwork()
        let place = try Neighbourhood()
        let ends = EndCounts()
        var options = ClientOptions()
        options.timeoutsBeforeReconnect = nil
        // A probe may be lost, too; and the partition is longer than the usual idea of dead.
        options.session.keepalive = nil
        let client = place.reactor.makeClient(
            to: [network.address],
            reconnecting: Backoff(initial: .milliseconds(50), multiplier: 1), options: options
        ) { $0.onClose { _, reason in ends.add(reason) } }
        try place.turn(until: { client.state.isConnected })
        var generator = SeededGenerator(seed: RandomRun.seed)
        let random = RandomBytes(using: &generator)
        var (asked, answered, wrong) = (0, 0, 0)
        func ask(_ count: Int) {
            for _ in 0..<count {
                let bytes = Array(random.slice(limit: 4096, using: &generator))
                asked += 1
                client.request(category: 1, data: bytes, timeout: .seconds(60)) { outcome in
                    if case .answered(let packet) = outcome {
                        answered += 1
                        if packet.data.withUnsafeBytes({ Array($0) }) != bytes { wrong += 1 }
                    }
                }
            }
        }
        #expect(network.lose(percent: 10))
        ask(200)
        try place.turn(until: { answered >= 20 })
        #expect(network.dropEverything())
        var timeouts = 0
        client.request(category: 1, data: "unheard", timeout: .seconds(1)) { outcome in
            if case .failed(.timedOut) = outcome { timeouts += 1 }
        }
        ask(20)
        try place.turn(for: .seconds(5))
        #expect(timeouts == 1)
        #expect(network.lose(percent: 10))
        ask(20)
        try place.turn(until: { answered == asked })
        // The packets that were on their way may all have had luck.
        for _ in 0..<50 where !network.hasLost() {
            ask(10)
            try place.turn(until: { answered == asked })
        }
        #expect(network.hasLost(), "the network lost nothing")
        #expect(answered == asked && wrong == 0 && ends.total == 0, "seed \(RandomRun.seed)")
    }
}
