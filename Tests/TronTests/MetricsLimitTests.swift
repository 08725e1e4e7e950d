// Clients of the metrics endpoint that are slow, silent, greedy or many: each meets its bound.
import Testing

@testable import Tron

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
        options.connections = 2
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

    @Test func `a peer that asks and does not read is not read from, and loses nothing`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        let limits = MetricsOptions().server.session.limits
        let most = limits.outboundBytes + bench.reactor.registry.limits.bytesReadPerTurn
        let requests = [UInt8](String(repeating: get, count: 200).utf8)
        var sent = 0
        var stuck = 0
        while stuck < 20 {
            let start = sent % requests.count
            let count = peer.send(requests[start...])
            sent += max(0, count)
            stuck = count > 0 ? 0 : stuck + 1
            bench.kernel.isFrozen = true
            try bench.reactor.turn()
            bench.kernel.isFrozen = false
            #expect(bench.bytesHeld <= most)
        }
        let whole = sent / get.utf8.count
        peer.finish()
        try bench.reactor.turn(until: { peer.drained.isAtEnd }, atMost: 100_000)
        #expect(answers(peer.received).map(\.status) == Array(repeating: 200, count: whole))
    }

    @Test func `a peer that asks and does not read is closed after the idle time`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        let requests = [UInt8](String(repeating: get, count: 20_000).utf8)
        peer.send(requests)
        let start = bench.kernel.clock
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 }, atMost: 10_000)
        #expect(Double(bench.kernel.clock - start) / 1e9 < 400)
        #expect(bench.bytesHeld == 0)
    }
}
