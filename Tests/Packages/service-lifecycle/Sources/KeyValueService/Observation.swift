// What a reactor does, for swift-log and swift-metrics.
import Logging
import Metrics
import Tron

extension Reactor {
    /// Logs what happens, and records what was counted every so often and when a server has been
    /// drained. Takes the place of `onEvent`.
    public func observe(with logger: Logger, every interval: Duration = .seconds(10)) {
        let recording = Recording(makeMeter())
        onEvent { event in
            logger.log(level: event.isProblem ? .warning : .info, "\(event)")
            // The reactor stops after its drain, and its timers with it.
            if case .drained = event { recording.record() }
        }
        schedule(after: interval, repeating: interval) { recording.record() }
    }
}

/// The metrics of one reactor. Counters grow by what was counted since the last time.
private final class Recording {
    private let meter: Tron.Meter
    private let packetsReceived = Counter(label: "tron_packets_received_total")
    private let packetsSent = Counter(label: "tron_packets_sent_total")
    private let bytesReceived = Counter(label: "tron_bytes_received_total")
    private let bytesSent = Counter(label: "tron_bytes_sent_total")
    private let accepted = Counter(label: "tron_sessions_accepted_total")
    private let sessions = Gauge(label: "tron_sessions_open")
    private let queuedBytes = Gauge(label: "tron_queued_bytes")
    private let lag = Gauge(label: "tron_loop_lag_seconds_p99")

    init(_ meter: Tron.Meter) { self.meter = meter }

    func record() {
        let interval = meter.read().difference
        let traffic = interval.sessions.traffic
        packetsReceived.increment(by: traffic.packetsReceived)
        packetsSent.increment(by: traffic.packetsSent)
        bytesReceived.increment(by: traffic.bytesReceived)
        bytesSent.increment(by: traffic.bytesSent)
        accepted.increment(by: interval.serverTotals.accepted)
        sessions.record(interval.sessions.open)
        queuedBytes.record(interval.sessions.queuedBytes)
        lag.record(Double(interval.lag.value(atQuantile: 0.99)) / 1e9)
    }
}
