// The text format of metrics, byte for byte.
import Testing

@testable import TronMetrics

@Suite struct ExpositionTextTests {
    private func text(_ write: (inout ExpositionText) -> Void) -> String {
        var text = ExpositionText()
        write(&text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func `counters and gauges have their help and their type`() {
        let text = text {
            $0.counter("tron_packets_total", "Packets.", 7)
            $0.gauge("tron_queued_bytes", "Bytes that wait.", -1)
        }
        #expect(
            text == """
                # HELP tron_packets_total Packets.
                # TYPE tron_packets_total counter
                tron_packets_total 7
                # HELP tron_queued_bytes Bytes that wait.
                # TYPE tron_queued_bytes gauge
                tron_queued_bytes -1

                """)
    }

    @Test func `seconds and shares have their fractions`() {
        let text = text {
            $0.counter("chat_busy_seconds_total", "Work.", 0.25)
            $0.gauge("chat_hit_ratio", "Hits.", by: "cache", [("a", 0.5), ("b", -.infinity)])
            $0.gauge("chat_age_seconds", "Age.", Double.nan)
        }
        #expect(
            text == """
                # HELP chat_busy_seconds_total Work.
                # TYPE chat_busy_seconds_total counter
                chat_busy_seconds_total 0.25
                # HELP chat_hit_ratio Hits.
                # TYPE chat_hit_ratio gauge
                chat_hit_ratio{cache="a"} 0.5
                chat_hit_ratio{cache="b"} -Inf
                # HELP chat_age_seconds Age.
                # TYPE chat_age_seconds gauge
                chat_age_seconds NaN

                """)
    }

    @Test func `the bucket of all is there once, also beside an infinite bound`() {
        let text = text {
            $0.histogram("lag", "Lag.", .init(buckets: [(.infinity, 4)], sum: 0.5, count: 4))
        }
        #expect(text.contains("lag_bucket{le=\"+Inf\"} 4\nlag_sum"))
        #expect(text.matches(of: /\+Inf/).count == 1)
    }

    @Test func `a labelled counter is one family of samples`() {
        let text = text {
            $0.counter("tron_closed_total", "Ends.", by: "reason", [("idle", 1), ("dead", 2)])
        }
        #expect(
            text == """
                # HELP tron_closed_total Ends.
                # TYPE tron_closed_total counter
                tron_closed_total{reason="idle"} 1
                tron_closed_total{reason="dead"} 2

                """)
    }

    @Test func `a histogram ends with the bucket of all, the sum and the count`() {
        let text = text {
            $0.histogram(
                "tron_lag_seconds", "Lag.",
                .init(buckets: [(1e-06, 1), (0.25, 3), (8, 3)], sum: 0.5, count: 4))
        }
        #expect(
            text == """
                # HELP tron_lag_seconds Lag.
                # TYPE tron_lag_seconds histogram
                tron_lag_seconds_bucket{le="1e-06"} 1
                tron_lag_seconds_bucket{le="0.25"} 3
                tron_lag_seconds_bucket{le="8.0"} 3
                tron_lag_seconds_bucket{le="+Inf"} 4
                tron_lag_seconds_sum 0.5
                tron_lag_seconds_count 4

                """)
    }

    @Test func `gauges and histograms have their samples for each value of a label`() {
        let text = text {
            $0.gauge("tron_open", "Open.", by: "reactor", [("0", 1), ("1", 2)])
            $0.histogram(
                "tron_lag_seconds", "Lag.", by: "reactor",
                [("7", .init(buckets: [(0.25, 3)], sum: 0.5, count: 4))])
        }
        #expect(
            text == """
                # HELP tron_open Open.
                # TYPE tron_open gauge
                tron_open{reactor="0"} 1
                tron_open{reactor="1"} 2
                # HELP tron_lag_seconds Lag.
                # TYPE tron_lag_seconds histogram
                tron_lag_seconds_bucket{reactor="7",le="0.25"} 3
                tron_lag_seconds_bucket{reactor="7",le="+Inf"} 4
                tron_lag_seconds_sum{reactor="7"} 0.5
                tron_lag_seconds_count{reactor="7"} 4

                """)
    }

    @Test func `what would end a line or a value is escaped`() {
        let text = text {
            $0.counter("a_total", "one\ntwo \\ \"three\"", by: "b", [("c\"\\\nd", 1)])
        }
        #expect(text.contains(#"# HELP a_total one\ntwo \\ "three""# + "\n"))
        #expect(text.contains(#"a_total{b="c\"\\\nd"} 1"#))
    }

    @Test(arguments: ["a", "_", "A1:b_c", ":"]) func `what may be a name`(_ name: String) {
        #expect(text { $0.gauge(name, "", 1) }.hasSuffix("\n\(name) 1\n"))
    }

    @Test func `what is no name, or no label, or was given before, ends the process`() async {
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a b"]) }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["1a"]) }
        await #expect(processExitsWith: .failure) { ExpositionText.write([""]) }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a\u{e4}"]) }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a", "b", "a"]) }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a"], by: "b:c") }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a"], by: "__b") }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a"], by: "le") }
        await #expect(processExitsWith: .failure) { ExpositionText.write(["a"], by: "") }
    }
}

extension ExpositionText {
    /// Gauges of these names.
    fileprivate static func write(_ names: [String], by label: String? = nil) {
        var text = ExpositionText()
        for name in names {
            if let label {
                text.gauge(name, "", by: label, [("x", 1)])
            } else {
                text.gauge(name, "", 1)
            }
        }
    }
}
