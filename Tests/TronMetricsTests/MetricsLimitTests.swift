// Clients of the metrics endpoint that are slow, silent, greedy or many: each meets its bound.
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

private let get = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"

@Suite struct MetricsLimitTests {
    /// Sends a byte a second until the connection has ended; how many it took.
    private func trickle(_ bytes: some Sequence<UInt8>, on bench: MetricsBench) throws -> Int {
        let peer = try bench.connect()
        var sent = 0
        for byte in bytes {
            peer.send([byte])
            sent += 1
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 3)
            bench.kernel.isFrozen = false
            if peer.drained.isAtEnd || peer.error != 0 { break }
            bench.kernel.advance(.seconds(1))
        }
        return sent
    }

    @Test(arguments: [
        get, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n" + get + get + get,
        "\r\n" + get,
    ])
    func `a request that does not end in time is closed without an answer`(text: String) throws {
        let bench = try MetricsBench()
        let seconds = try trickle(text.utf8, on: bench)
        #expect((10...12).contains(seconds))
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 })
    }

    @Test func `the time of a request begins with its first byte`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        for round in 1...4 {
            bench.kernel.advance(.seconds(100))
            try bench.reactor.turn(times: 2)
            peer.send(get.utf8)
            try bench.reactor.turn(until: { answers(peer.drained.received).count == round })
        }
    }

    @Test func `a silent connection is closed after the idle time`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        let start = bench.kernel.clock
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect((180.0...180.1).contains(Double(bench.kernel.clock - start) / 1e9))
    }

    @Test func `connections over the limit are closed at once`() throws {
        var options = MetricsOptions()
        options.maximumConnections = 2
        let bench = try MetricsBench(options: options)
        let kept = try [bench.connect(), bench.connect()]
        let refused = try Peer(to: bench.endpoint.address)
        try bench.reactor.turn(until: { refused.drained.isAtEnd })
        kept[0].send(get.utf8)
        try bench.reactor.turn(until: { answers(kept[0].drained.received).count == 1 })
        kept[1].finish()
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 1 })
        _ = try bench.connect()
    }

    @Test func `one request is answered a millisecond, and the connections take turns`() throws {
        let bench = try MetricsBench()
        let peers = try (0..<4).map { _ in try bench.connect() }
        bench.kernel.isFrozen = true
        for peer in peers { peer.send(String(repeating: get, count: 3).utf8) }
        var counts: [[Int]] = []
        for _ in 0..<12 {
            try bench.reactor.turn(times: 4)
            counts.append(peers.map { answers($0.drained.received).count })
            bench.kernel.advance(.milliseconds(1))
        }
        #expect(counts.map { $0.reduce(0, +) } == Array(1...12))
        // The second request of the first is there before the others are read.
        #expect(counts.allSatisfy { $0.max()! - $0.min()! <= 2 })
    }

    @Test func `a connection that ends while it waits holds nobody up`() throws {
        let bench = try MetricsBench(on: "127.0.0.1:0")
        let peers = try (0..<4).map { _ in try bench.connect() }
        for peer in peers { peer.send(get.utf8) }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 2)
        peers[1].reset()
        peers[2].reset()
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 2 })
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { answers(peers[3].drained.received).count == 1 })
    }

    @Test func `an endpoint can be stopped while connections wait`() throws {
        let bench = try MetricsBench()
        let peers = try (0..<4).map { _ in try bench.connect() }
        for peer in peers { peer.send((get + get).utf8) }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 2)
        bench.endpoint.stop()
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { peers.allSatisfy { $0.drained.isAtEnd } })
        for peer in peers { peer.close() }
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 })
        bench.kernel.advance(.seconds(1))
        try bench.reactor.turn(times: 3)
        #expect(bench.reactor.snapshot().liveTimers == 0)
    }

    @Test func `a peer that asks and does not read is not read from, and loses nothing`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        let limits = MetricsOptions().server.session.limits
        let longestAnswer = 32 << 10
        let most =
            limits.outputHighWatermark + longestAnswer + ReactorLimits().maximumBytesReadPerTurn
        let count = 300
        peer.send(String(repeating: get, count: count).utf8)
        peer.finish()
        bench.kernel.isFrozen = true
        var (answered, written, largest) = (0, 0, 0)
        for _ in 0..<3 * count {
            try bench.reactor.turn()
            let sessions = bench.reactor.snapshot().sessions
            let total = sessions.traffic.bytesSent + sessions.queuedBytes
            // At most one is answered a millisecond.
            if total > written { answered += 1 }
            written = total
            let kept = sessions.traffic.bytesReceived - answered * get.utf8.count
            largest = max(largest, kept + sessions.queuedBytes)
            bench.kernel.advance(.milliseconds(1))
        }
        #expect(answered < count)
        #expect((limits.outputHighWatermark...most).contains(largest))
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { peer.drained.isAtEnd }, atMost: 100_000)
        #expect(answers(peer.received).map(\.status) == Array(repeating: 200, count: count))
    }

    @Test func `a peer that asks and does not read is closed after the idle time`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        peer.send([UInt8](String(repeating: get, count: 2000).utf8))
        let start = bench.kernel.clock
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 }, atMost: 20_000)
        #expect(Double(bench.kernel.clock - start) / 1e9 < 400)
    }
}
