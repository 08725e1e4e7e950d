// The metrics of a group: what one reactor tells of all, while none of them waits for another.
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

/// A group whose first reactor serves metrics.
private final class GroupMetricsBench {
    let group: GroupBench
    let endpoint: MetricsEndpoint

    /// The group deals its connections out evenly.
    init(
        limits: ReactorLimits = ReactorLimits(), notice: Duration = .zero,
        adding add: @escaping (inout ExpositionText) -> Void = { _ in }
    ) throws {
        group = try GroupBench(on: Bench.unixName(), limits: limits, notice: notice)
        endpoint = try group.reactors[0].serveMetrics(
            on: SocketAddress(Bench.unixName()), adding: add)
        group.kernel.isFrozen = true
        try group.turn(times: 2)
    }

    /// A peer of the endpoint that has sent these requests.
    func ask(_ paths: [String]) throws -> Peer {
        let peer = try Peer(to: endpoint.address)
        for path in paths { peer.send("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8) }
        return peer
    }

    /// The answers, once there are as many as paths.
    func answers(_ paths: String...) throws -> [Answer] {
        let peer = try ask(paths)
        var found: [Answer] = []
        for _ in 0..<1000 where found.count < paths.count {
            try group.turn()
            group.kernel.advance(.milliseconds(1))
            found = TronMetricsTests.answers(peer.drained.received)
        }
        peer.close()
        return found
    }

    /// So many milliseconds of all reactors but one.
    func turn(without index: Int, milliseconds: Int) throws {
        for _ in 0..<milliseconds {
            for (other, reactor) in group.reactors.enumerated() where other != index {
                try reactor.turn()
            }
            group.kernel.advance(.milliseconds(1))
        }
    }
}

/// The value of a sample.
private func value(_ name: String, in text: String) -> Int? {
    text.split(separator: "\n").first { $0.hasPrefix(name + " ") }?.split(separator: " ").last
        .flatMap { Int($0) }
}

@Suite struct MetricsGroupTests {
    @Test func `metrics are sums, and what tells the reactors apart has a label`() throws {
        let bench = try GroupMetricsBench()
        try bench.group.connect(9)
        for peer in bench.group.peers { peer.send(wire("ping")) }
        try bench.group.turn(until: { bench.group.texts.count == 9 })
        let text = try #require(bench.answers("metrics").first).body
        func labelled(_ name: String) -> [Int?] {
            (0..<3).map { value("\(name){reactor=\"\($0)\"}", in: text) }
        }
        var counts = bench.group.counts
        #expect(counts.reduce(0, +) == 9)
        // The connection that asks.
        counts[0] += 1
        #expect(labelled("tron_sessions_open") == counts)
        #expect(value("tron_sessions_opened_total", in: text) == 10)
        #expect(value("tron_packets_received_total", in: text) == 9)
        let totals = bench.group.reactors.map { $0.snapshot().serverTotals }
        #expect(labelled("tron_connections_handed_over_total") == totals.map(\.handedOver))
        #expect(labelled("tron_connections_taken_over_total") == totals.map(\.takenOver))
        #expect(labelled("tron_loop_lag_seconds_count").allSatisfy { $0! > 0 })
        #expect(value("tron_sessions_open", in: text) == nil)
        #expect(
            text.split(separator: "\n").filter { $0.contains("reactor=") }.allSatisfy { line in
                ["sessions_open", "handed_over", "taken_over", "loop_lag"].contains {
                    line.contains($0)
                }
            })
    }

    @Test func `a loop that does not turn is told of after a second, and holds nobody up`() throws {
        let bench = try GroupMetricsBench()
        try bench.group.connect(3)
        #expect(bench.group.counts == [1, 1, 1])
        let before = try #require(bench.answers("metrics", "healthz").first).body
        let health = try bench.ask(["healthz"])
        try bench.turn(without: 1, milliseconds: 500)
        let metrics = try bench.ask(["metrics"])
        // The one waits for the other; nothing else does.
        for reactor in [0, 2] {
            bench.group.logs[reactor].sessions[0].send(category: 1, data: "now")
        }
        try bench.turn(without: 1, milliseconds: 100)
        #expect(bench.group.peers.count { $0.drained.texts == ["now"] } == 2)
        #expect(health.drained.received.isEmpty && metrics.drained.received.isEmpty)
        try bench.turn(without: 1, milliseconds: 500)
        #expect(answers(health.drained.received).map(\.status) == [503])
        #expect(metrics.drained.received.isEmpty)
        try bench.turn(without: 1, milliseconds: 1000)
        let answer = try #require(answers(metrics.drained.received).first)
        #expect(answer.status == 200)
        for reactor in [1, 2] {
            let name = "tron_sessions_open{reactor=\"\(reactor)\"}"
            #expect(value(name, in: answer.body) == value(name, in: before))
        }
        #expect(
            value("tron_turns_total", in: answer.body)! > value("tron_turns_total", in: before)!)
        #expect(try bench.answers("healthz").map(\.status) == [200])
    }

    @Test func `a reactor that has ended is no loop that hangs`() throws {
        let bench = try GroupMetricsBench()
        bench.group.reactors[2].stop()
        try bench.group.turn(until: { bench.group.reactors[2].isFinished })
        bench.group.group.ended(at: 2)
        #expect(try bench.answers("healthz", "readyz").map(\.status) == [200, 503])
    }

    @Test(arguments: [0, 1]) func `a loop whose queue is full for a moment turns all the same`(
        _ full: Int
    ) throws {
        var limits = ReactorLimits()
        limits.maximumWaitingWork = 8
        let bench = try GroupMetricsBench(limits: limits)
        func fill() { while bench.group.reactors[full].remote.submit({ _ in }).isAccepted {} }
        let peer = try bench.ask(["healthz"])
        for _ in 0..<20 {
            fill()
            try bench.turn(without: 1, milliseconds: 1)
        }
        #expect(peer.drained.received.isEmpty)
        for _ in 0..<100 where peer.drained.received.isEmpty {
            try bench.group.turn()
            bench.group.kernel.advance(.milliseconds(1))
        }
        #expect(answers(peer.received).map(\.status) == [200])
    }

    @Test func `one that prepares itself again is not ready, and so neither is its group`() throws {
        let bench = try GroupMetricsBench()
        bench.group.reactors[1].isPreparing = true
        #expect(!bench.group.group.isReady)
        #expect(try bench.answers("readyz").map(\.status) == [503])
        bench.group.reactors[1].isPreparing = false
        #expect(try bench.answers("readyz").map(\.status) == [200])
    }

    @Test func `a group is ready when all its reactors are, and until it drains`() throws {
        let bench = try GroupMetricsBench(notice: .seconds(60))
        #expect(try bench.answers("readyz").map(\.status) == [200])
        bench.group.group.shutDown()
        try bench.group.turn(times: 2)
        #expect(try bench.answers("readyz", "healthz").map(\.status) == [503, 200])
    }

    @Test func `requests in one write are answered in their order`() throws {
        let bench = try GroupMetricsBench()
        let statuses = try bench.answers("healthz", "other", "metrics", "readyz", "healthz")
        #expect(statuses.map(\.status) == [200, 404, 200, 200, 200])
        #expect(statuses[2].body.hasPrefix("# HELP") && statuses[4].body == "ok\n")
    }

    @Test func `a group whose metrics are long is answered with all of them`() throws {
        let bench = try GroupMetricsBench { LongMetrics.write(to: &$0) }
        let answers = try bench.answers("metrics", "healthz", "metrics")
        try #require(answers.map(\.status) == [200, 200, 200])
        #expect(answers[0].body.utf8.count > 1 << 20)
        #expect(answers[2].body.hasSuffix(LongMetrics.end))
    }

    @Test func `who has ended its stream, and who leaves while others are asked`() throws {
        let bench = try GroupMetricsBench()
        let finished = try bench.ask(["healthz", "metrics"])
        finished.finish()
        for _ in 0..<1000 where !finished.drained.isAtEnd {
            try bench.group.turn()
            bench.group.kernel.advance(.milliseconds(1))
        }
        #expect(answers(finished.received).map(\.status) == [200, 200])
        finished.close()
        let leaving = try bench.ask(["metrics"])
        try bench.turn(without: 1, milliseconds: 10)
        leaving.close()
        try bench.turn(without: 1, milliseconds: 10)
        #expect(try bench.answers("healthz").map(\.status) == [200])
    }

    @Test func `all reactors time their handlers from the first question to the endpoint's end`()
        throws
    {
        let bench = try GroupMetricsBench()
        // These time handlers, too.
        for reactor in bench.group.reactors { reactor.onEvent(nil) }
        func timedCalls() throws -> [Bool] {
            let before = bench.group.reactors.map { $0.snapshot().handlerTimes.count }
            var calls = 0
            for reactor in bench.group.reactors {
                reactor.schedule(after: .milliseconds(1)) { calls += 1 }
            }
            bench.group.kernel.advance(.milliseconds(2))
            try bench.group.turn(until: { calls == 3 })
            return zip(bench.group.reactors, before).map { $0.snapshot().handlerTimes.count > $1 }
        }
        _ = try bench.answers("metrics")
        #expect(try timedCalls() == [true, true, true])
        bench.endpoint.stop()
        try bench.group.turn(until: { bench.endpoint.connectionCount == 0 })
        try bench.group.turn(times: 4)
        #expect(try timedCalls() == [false, false, false])
    }
}
