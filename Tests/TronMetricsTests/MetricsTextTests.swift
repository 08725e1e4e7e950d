// The metrics that are served: named as Prometheus wants them, and equal to what was done.
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

/// The samples of a text, by name and label.
private func samples(_ text: [UInt8]) -> [String: Double] {
    var samples: [String: Double] = [:]
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count == 2 { samples[String(words[0])] = Double(words[1]) }
    }
    return samples
}

@Suite struct MetricsTextTests {
    @Test func `sessions, packets and refusals are counted as they were`() throws {
        var options = ServerOptions()
        options.limits.maximumSessions = 2
        let bench = try Bench(options: options) { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let peers = try [bench.connect(), bench.connect()]
        for peer in peers { peer.send(wire("ping") + wire("pong")) }
        try bench.reactor.turn(until: { peers.allSatisfy { $0.drained.texts.count == 2 } })
        let refused = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { refused.drained.isAtEnd })
        peers[0].finish()
        try bench.turnUntilClosed()
        let samples = samples(bench.reactor.snapshot().metricsText())
        let bytes = Double(4 * wire("ping").count)
        for (name, value) in [
            "tron_sessions_open": 1, "tron_sessions_opened_total": 2,
            "tron_sessions_accepted_total": 2, #"tron_sessions_refused_total{limit="sessions"}"#: 1,
            #"tron_sessions_refused_total{limit="per_address"}"#: 0,
            #"tron_sessions_closed_total{reason="peer_closed"}"#: 1,
            #"tron_sessions_closed_total{reason="idle"}"#: 0, "tron_packets_received_total": 4,
            "tron_packets_sent_total": 4, "tron_bytes_received_total": bytes,
            "tron_bytes_sent_total": bytes, "tron_queued_bytes": 0, "tron_requests_pending": 0,
        ] as [String: Double] {
            #expect(samples[name] == value, "\(name)")
        }
        #expect(samples["tron_turns_total"]! > 0)
        #expect(samples["tron_system_calls_total"]! > samples["tron_turns_total"]!)
    }

    @Test func `requests are counted by their outcome`() throws {
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                if packet.text == "ping" { session.reply(to: packet, data: packet.data) }
            }
        }
        let client = bench.reactor.makeClient(to: [bench.server.address])
        var ended = 0
        for text in ["ping", "ping", "silence"] {
            client.request(category: 1, data: text, timeout: .seconds(1)) { _ in ended += 1 }
        }
        try bench.reactor.turn(until: { ended == 2 })
        #expect(samples(bench.reactor.snapshot().metricsText())["tron_requests_pending"] == 1)
        try bench.reactor.turn(until: { ended == 3 })
        let samples = samples(bench.reactor.snapshot().metricsText())
        for (name, value) in [
            "tron_requests_sent_total": 3, "tron_requests_pending": 0, "tron_dials_total": 1,
            "tron_connections_total": 1, #"tron_requests_ended_total{outcome="answered"}"#: 2,
            #"tron_requests_ended_total{outcome="timed_out"}"#: 1,
            #"tron_requests_ended_total{outcome="failed"}"#: 0,
        ] as [String: Double] {
            #expect(samples[name] == value, "\(name)")
        }
    }

    @Test func `times are histograms whose buckets only grow, up to all`() throws {
        let bench = try Bench()
        let meter = bench.reactor.makeMeter()
        let peer = try bench.connect()
        for _ in 0..<50 {
            peer.send(wire("ping"))
            try bench.reactor.turn()
        }
        let samples = samples(bench.reactor.snapshot().metricsText())
        for name in ["tron_loop_lag_seconds", "tron_handler_seconds"] {
            let buckets = samples.filter { $0.key.hasPrefix(name + "_bucket{le=") }
                .map { key, count -> (bound: Double, count: Double) in
                    let bound = key.split(separator: "\"")[1]
                    return (bound == "+Inf" ? .infinity : Double(bound)!, count)
                }
                .sorted { $0.bound < $1.bound }
            #expect(buckets.count == 20)
            #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.count <= $1.count })
            #expect(buckets.last?.count == samples[name + "_count"])
            #expect(samples[name + "_count"]! >= 50)
            #expect(samples[name + "_sum"] != nil)
        }
        withExtendedLifetime(meter) {}
    }

    @Test func `every family has a help and a type, and keeps to the rules for names`() throws {
        let text = String(decoding: try Reactor().snapshot().metricsText(), as: UTF8.self)
        var type = ""
        var family = ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") {
                #expect(words.count == 4)
                family = String(words[2])
                continue
            }
            if line.hasPrefix("# TYPE ") {
                #expect(words[2] == family)
                type = String(words[3])
                #expect(["counter", "gauge", "histogram"].contains(type))
                #expect(family.hasPrefix("tron_"))
                #expect(family.hasSuffix("_total") == (type == "counter"))
                #expect(family.hasSuffix("_seconds") == (type == "histogram"))
                continue
            }
            let name = words[0].prefix { $0 != "{" }
            #expect(type == "histogram" ? name.hasPrefix(family + "_") : name == family)
        }
    }
}
