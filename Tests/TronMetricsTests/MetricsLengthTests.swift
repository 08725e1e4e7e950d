// Long answers of the metrics endpoint: they arrive whole, however slowly they are read, or end.
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

/// Metrics of more than a megabyte, as a program adds them.
enum LongMetrics {
    /// How they end.
    static let end = "\(name(count - 1))\"} \(count - 1)\n"

    private static let count = 6000

    private static func name(_ number: Int) -> String {
        String(repeating: "room", count: 50) + "\(number)"
    }

    static func write(to text: inout ExpositionText) {
        text.gauge("rooms", "Members.", by: "room", (0..<count).map { (name($0), $0) })
    }
}

@Suite struct MetricsLengthTests {
    private static func get(keepsAlive: Bool) -> String {
        "GET /metrics HTTP/1.1\r\nHost: a\r\n\(keepsAlive ? "" : "Connection: close\r\n")\r\n"
    }

    private func bench(_ options: MetricsOptions = MetricsOptions()) throws -> MetricsBench {
        let bench = try MetricsBench(options: options) { LongMetrics.write(to: &$0) }
        bench.kernel.isFrozen = true
        return bench
    }

    private func expectWhole(_ answer: Answer) {
        #expect(answer.status == 200 && answer.body.utf8.count > 1 << 20)
        #expect(answer.body.hasPrefix("# HELP tron_") && answer.body.hasSuffix(LongMetrics.end))
    }

    @Test func `long metrics are served whole to who reads, on one connection again and again`()
        throws
    {
        let bench = try bench()
        let peer = try bench.connect()
        for round in 1...3 {
            peer.send(Self.get(keepsAlive: true).utf8)
            try bench.reactor.turn(until: { answers(peer.drained.received).count == round })
            bench.kernel.advance(.seconds(60))
        }
        for answer in answers(peer.received) { expectWhole(answer) }
    }

    /// Reading takes minutes, far longer than a session has to close.
    @Test(arguments: [true, false])
    func `long metrics are served whole to who reads slowly`(keepsAlive: Bool) throws {
        let bench = try bench()
        let peer = try bench.connect()
        let text = Self.get(keepsAlive: keepsAlive)
        peer.send(text.utf8)
        // No part of its answer is another's.
        peer.send(text.utf8)
        var seconds = 0
        while answers(peer.received).isEmpty, seconds < 300 {
            try bench.reactor.turn(times: 2)
            peer.drain(atMost: 8 << 10)
            bench.kernel.advance(.seconds(1))
            seconds += 1
        }
        #expect(seconds > 100)
        expectWhole(try #require(answers(peer.received).first))
        try bench.reactor.turn(until: {
            keepsAlive ? answers(peer.drained.received).count == 2 : peer.drained.isAtEnd
        })
        #expect(answers(peer.received).count == (keepsAlive ? 2 : 1))
    }

    @Test(arguments: [true, false])
    func `who stops reading a long answer is ended by the idle timeout`(keepsAlive: Bool) throws {
        let bench = try bench()
        let peer = try bench.connect()
        for _ in 0..<3 { peer.send(Self.get(keepsAlive: keepsAlive).utf8) }
        try bench.reactor.turn(until: { !peer.received.isEmpty || !peer.drained.received.isEmpty })
        try bench.reactor.turn(times: 4)
        for _ in 0..<10 {
            bench.kernel.advance(.milliseconds(17_900))
            try bench.reactor.turn(times: 2)
            #expect(bench.endpoint.connectionCount == 1)
            let queued = bench.reactor.snapshot().sessions.queuedBytes
            // One answer, though three are asked for, without what the kernel took.
            #expect((1 << 19...3 << 19).contains(queued))
        }
        bench.kernel.advance(.seconds(2))
        try bench.reactor.turn(until: { bench.endpoint.connectionCount == 0 })
        #expect(bench.reactor.snapshot().sessions.queuedBytes == 0)
    }

    @Test func `an answer is as long as it may be, and one byte more is refused by its status`()
        throws
    {
        let length = try MetricsBench().reactor.snapshot().metricsText().count + 5000
        for (excess, status) in [(0, 200), (1, 500)] {
            var options = MetricsOptions()
            options.maximumAnswerLength = length
            var reactor: Reactor?
            let bench = try MetricsBench(options: options) { text in
                // As much as is missing, in a help text.
                text.gauge("a", "", 1)
                guard let reactor else { return }
                let missing = length + excess - reactor.snapshot().metricsText().count
                let own = "# HELP a \n# TYPE a gauge\na 1\n".utf8.count
                let other = "# HELP b \n# TYPE b gauge\nb 1\n".utf8.count
                text.gauge("b", String(repeating: "x", count: missing - own - other), 1)
            }
            reactor = bench.reactor
            defer { reactor = nil }
            let peer = try bench.connect()
            let health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
            peer.send((Self.get(keepsAlive: true) + health).utf8)
            try bench.reactor.turn(until: { answers(peer.drained.received).count == 2 })
            let both = answers(peer.received)
            #expect(both.map(\.status) == [status, 200])
            if excess == 0 {
                #expect(both[0].body.utf8.count == length)
            } else {
                #expect(
                    both[0].body
                        == "The metrics have \(length + 1) bytes, more than maximumAnswerLength, "
                        + "\(length).\n")
            }
        }
    }

    @Test func `half of an answer's default length are the metrics of 1,024 reactors`() throws {
        let snapshot = try MetricsBench().reactor.snapshot()
        let all = GroupSnapshot(Array(repeating: (snapshot, true), count: 1024))
        let length = all.metricsText().count
        #expect((1 << 20...3 << 19).contains(length))
    }

    @Test func `a length of nothing, and one of more than 512 MiB, end the process`() async {
        await #expect(processExitsWith: .failure) { try MetricsLengthTests.serve(0) }
        await #expect(processExitsWith: .failure) { try MetricsLengthTests.serve(512 << 20 + 1) }
        await #expect(processExitsWith: .failure) { try MetricsLengthTests.serve(.max) }
    }

    private static func serve(_ length: Int) throws {
        var options = MetricsOptions()
        options.maximumAnswerLength = length
        _ = try MetricsBench(options: options)
    }
}
