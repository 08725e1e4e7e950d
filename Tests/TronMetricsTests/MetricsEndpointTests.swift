// The metrics endpoint as HTTP clients meet it: answers, refusals, connections kept and closed.
import Glibc
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

private let get = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
private let health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

@Suite struct MetricsEndpointTests {
    @Test func `metrics are answered as Prometheus reads them`() throws {
        let answers = try MetricsBench().ask(get)
        let answer = try #require(answers.first)
        #expect(answers.count == 1 && answer.status == 200)
        #expect(answer.fields["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.fields["Connection"] == "keep-alive")
        #expect(answer.body.hasPrefix("# HELP tron_") && answer.body.hasSuffix("\n"))
    }

    @Test func `readiness is told apart from health`() throws {
        let bench = try MetricsBench()
        let ready = health.replacing("healthz", with: "readyz")
        #expect(try bench.ask(ready).map(\.status) == [200])
        bench.reactor.isPreparing = true
        #expect(try bench.ask(ready + health).map(\.status) == [503, 200])
        bench.reactor.isPreparing = false
        #expect(try bench.ask(ready).map(\.status) == [200])
        bench.reactor.drain(within: .seconds(5), notice: .seconds(5))
        #expect(try bench.ask(ready + health).map(\.status) == [503, 200])
    }

    @Test func `what the program adds stands behind the rest, as it is at each answer`() throws {
        var rooms = 3
        let bench = try MetricsBench { metrics in
            metrics.gauge("chat_rooms", "Rooms with a member.", rooms)
            metrics.counter("chat_lines_total", "Lines, by room.", by: "room", [("a\"b", 7)])
        }
        let before = try #require(bench.ask(get).first)
        #expect(before.body.hasPrefix("# HELP tron_"))
        #expect(
            before.body.hasSuffix(
                """
                # HELP chat_rooms Rooms with a member.
                # TYPE chat_rooms gauge
                chat_rooms 3
                # HELP chat_lines_total Lines, by room.
                # TYPE chat_lines_total counter
                chat_lines_total{room="a\\"b"} 7

                """))
        rooms = 4
        #expect(try bench.ask(get).first?.body.contains("\nchat_rooms 4\n") == true)
        #expect(try bench.ask(health).map(\.body) == ["ok\n"])
    }

    @Test func `HEAD is answered as GET, without the body`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        peer.send(health.replacing("GET", with: "HEAD").utf8)
        peer.send(health.utf8)
        try bench.reactor.turn(until: { peer.drained.received.count > 150 })
        let both = answers(peer.received, bodiless: [0])
        #expect(both.map(\.status) == [200, 200])
        #expect(both[0].fields == both[1].fields)
        #expect(both.map(\.body) == ["", "ok\n"])
    }

    @Test(arguments: [
        "GET /": 404, "GET /metrics/": 404, "HEAD /other": 404, "GET /metrics?x=y": 200,
        "GET http://host/healthz": 200, "POST /metrics": 405, "OPTIONS *": 405, "DELETE /": 405,
    ])
    func `other targets and other methods are told so`(start: String, status: Int) throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        peer.send("\(start) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        peer.send(health.utf8)
        let bodiless: Set = start.hasPrefix("HEAD") ? [0] : []
        try bench.reactor.turn(until: {
            answers(peer.drained.received, bodiless: bodiless).count == 2
        })
        let both = answers(peer.received, bodiless: bodiless)
        #expect(both.map(\.status) == [status, 200])
        #expect(both[0].fields["Allow"] == (status == 405 ? "GET, HEAD" : nil))
    }

    @Test(arguments: HTTPSample.malformed)
    func `what is malformed is answered once and closed`(sample: HTTPSample) throws {
        let bench = try MetricsBench()
        for cut in [sample.bytes.count, 1, sample.bytes.count / 2] {
            let peer = try bench.connect()
            peer.send(sample.bytes[..<cut])
            try bench.reactor.turn(times: 1)
            peer.send(sample.bytes[cut...])
            peer.send(get.utf8)
            try bench.reactor.turn(until: { peer.drained.isAtEnd })
            let answers = answers(peer.received)
            #expect(answers.map(\.status) == [sample.status.rawValue])
            #expect(answers.first?.fields["Connection"] == "close")
            #expect(answers.first?.body.hasPrefix("\(sample.status.rawValue) ") == true)
            peer.close()
            try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 })
        }
    }

    @Test func `requests in one write are answered in their order, wherever it is cut`() throws {
        let bench = try MetricsBench()
        let other = "GET /other HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
        let stream = [UInt8]((health + other + get + health).utf8)
        for cut in 1...stream.count {
            let peer = try bench.connect()
            peer.send(stream[..<cut])
            try bench.reactor.turn(times: 1)
            peer.send(stream[cut...])
            peer.finish()
            try bench.reactor.turn(until: { peer.drained.isAtEnd })
            #expect(answers(peer.received).map(\.status) == [200, 404, 200, 200])
        }
    }

    @Test(arguments: [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ])
    func `a connection that is not to be kept is closed after its answer`(text: String) throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        peer.send((text + health).utf8)
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        let answers = answers(peer.received)
        #expect(answers.map(\.status) == [200])
        #expect(answers.first?.fields["Connection"] == "close")
    }

    @Test func `a connection is kept for an old client that asks for it`() throws {
        let text = "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        #expect(try MetricsBench().ask(text + text).map(\.status) == [200, 200])
    }

    @Test func `the form with a port serves this machine alone, and says which port`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let endpoint = try reactor.serveMetrics(port: 0)
        #expect(endpoint.address.withPort(0) == .loopback(port: 0))
        #expect(endpoint.address.port != 0)
        #expect(throws: EndpointError.self) { try reactor.serveMetrics(on: endpoint.address) }
    }

    @Test func `an endpoint serves though nobody holds it, and stops once however often asked`()
        throws
    {
        let reactor = try Reactor(kernel: FaultyKernel())
        let address = try SocketAddress(Bench.unixName())
        try reactor.serveMetrics(on: address)
        let peer = try Peer(to: address)
        peer.send(health.utf8)
        try reactor.turn(until: { answers(peer.drained.received).count == 1 })
        peer.close()
        let other = try reactor.serveMetrics(on: SocketAddress(Bench.unixName()))
        for _ in 0..<2 { other.stop() }
        #expect((try? Peer(to: other.address)) == nil)
    }

    @Test func `an address that is taken is told with the call`() throws {
        let bench = try MetricsBench(on: "127.0.0.1:0")
        let address = bench.endpoint.address
        let error = #expect(throws: EndpointError.self) {
            try bench.reactor.serveMetrics(on: address)
        }
        #expect(error == EndpointError(address: address, cause: .init(.bind, code: EADDRINUSE)))
    }

    @Test func `the limits are the documented ones`() {
        let options = MetricsOptions()
        #expect(options.maximumConnections == 128 && options.requestTimeout == .seconds(10))
        #expect(options.idleTimeout == .seconds(180) && options.maximumAnswerLength == 3 << 20)
    }

    @Test func `stop ends the connections and frees the address`() throws {
        let bench = try MetricsBench()
        let peer = try bench.connect()
        peer.send(get.utf8)
        try bench.reactor.turn(until: { !peer.drained.received.isEmpty })
        bench.endpoint.stop()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.close()
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 })
        try bench.reactor.serveMetrics(on: bench.endpoint.address)
    }

    @Test func `handlers are timed while there is an endpoint, and no longer`() throws {
        let bench = try MetricsBench()
        func timedCalls() throws -> UInt64 {
            let before = bench.reactor.snapshot().handlerTimes.count
            var isCalled = false
            bench.reactor.schedule(after: .milliseconds(1)) { isCalled = true }
            try bench.reactor.turn(until: { isCalled })
            return bench.reactor.snapshot().handlerTimes.count - before
        }
        #expect(try timedCalls() == 1)
        bench.endpoint.stop()
        try bench.reactor.turn()
        #expect(try timedCalls() == 0)
    }

    @Test func `a reactor that serves metrics is released, whether it ran or not`() throws {
        for turns in [0, 3] {
            weak var released: Reactor?
            do {
                let bench = try MetricsBench()
                released = bench.reactor
                try bench.reactor.turn(times: turns)
            }
            #expect(released == nil)
        }
    }
}
