// What a reactor or a group has done so far, as the metrics that `/metrics` is answered with.
import Tron

extension ReactorSnapshot {
    /// The metrics in Prometheus' text format; `add` adds others.
    func metricsText(adding add: (inout ExpositionText) -> Void = { _ in }) -> [UInt8] {
        text(adding: add) { text in
            let (open, turn) = (Self.openSessions, Self.loopLag)
            text.gauge(open.name, open.help, sessions.open)
            text.histogram(turn.name, turn.help, .nanoseconds(lag))
        }
    }
}

extension GroupSnapshot {
    /// The metrics of the reactors together; what tells them apart has a label, `reactor`, with the
    /// index. `add` adds others.
    func metricsText(adding add: (inout ExpositionText) -> Void = { _ in }) -> [UInt8] {
        total.text(adding: add) { text in
            let (open, turn) = (ReactorSnapshot.openSessions, ReactorSnapshot.loopLag)
            text.gauge(open.name, open.help, by: "reactor", values(\.sessionsOpen))
            text.counter(
                "tron_connections_handed_over_total",
                "Connections that the reactor accepted and gave to another.", by: "reactor",
                values(\.handedOver))
            text.counter(
                "tron_connections_taken_over_total",
                "Connections that another reactor accepted and gave to this one.", by: "reactor",
                values(\.takenOver))
            text.histogram(
                turn.name, turn.help, by: "reactor",
                reactors.map { ("\($0.index)", .nanoseconds($0.lag)) })
        }
    }

    private func values(_ number: KeyPath<Member, Int>) -> [(String, Int)] {
        reactors.map { ("\($0.index)", $0[keyPath: number]) }
    }
}

// MARK: - Families

extension ReactorSnapshot {
    fileprivate static let openSessions = (
        name: "tron_sessions_open", help: "Sessions, those that ask for metrics included."
    )
    fileprivate static let loopLag = (
        name: "tron_loop_lag_seconds", help: "How long a turn kept everything else waiting."
    )

    /// All families; `writeApart` writes those by which the reactors of a group are told apart.
    fileprivate func text(
        adding add: (inout ExpositionText) -> Void, _ writeApart: (inout ExpositionText) -> Void
    ) -> [UInt8] {
        var text = ExpositionText()
        writeTraffic(to: &text)
        writeApart(&text)
        writeSessions(to: &text)
        writeServers(to: &text)
        writeClients(to: &text)
        writeLoop(to: &text)
        add(&text)
        return text.bytes
    }

    private func writeTraffic(to text: inout ExpositionText) {
        let traffic = sessions.traffic
        text.counter("tron_bytes_received_total", "Bytes received.", traffic.bytesReceived)
        text.counter("tron_bytes_sent_total", "Bytes that the kernel took.", traffic.bytesSent)
        text.counter(
            "tron_packets_received_total",
            "Packets given to handlers; of other protocols, what a handler consumed at a time.",
            traffic.packetsReceived)
        text.counter("tron_packets_sent_total", "Packets queued.", traffic.packetsSent)
        text.counter(
            "tron_packets_refused_total", "Packets that were not queued: too large or too many.",
            traffic.packetsRefused)
        text.counter(
            "tron_packet_rate_pauses_total",
            "How often reading waited because packets came faster than they may.",
            traffic.ratePauses)
        text.gauge("tron_queued_bytes", "Bytes that wait to be sent.", sessions.queuedBytes)
        text.gauge(
            "tron_queued_bytes_max", "The most bytes that ever waited in one session.",
            sessions.largestQueue)
    }

    private func writeSessions(to text: inout ExpositionText) {
        text.counter("tron_sessions_opened_total", "Sessions that began.", sessions.opened)
        text.counter(
            "tron_sessions_closed_total", "Sessions that ended, by the reason.", by: "reason",
            CloseCause.allCases.map { ("\($0)", sessions.closed[$0]) })
    }

    private func writeServers(to text: inout ExpositionText) {
        text.counter(
            "tron_sessions_accepted_total", "Sessions that servers accepted.",
            serverTotals.accepted)
        text.counter(
            "tron_sessions_refused_total", "Connections closed at once, by the limit.",
            by: "limit",
            [
                ("sessions", serverTotals.refusedByLimit),
                ("per_address", serverTotals.refusedByAddressLimit),
                ("stop", serverTotals.refusedByStop),
            ])
        let proxy = serverTotals.proxy
        text.counter(
            "tron_proxied_refused_total",
            "Connections closed for want of a PROXY header that is accepted, by the cause.",
            by: "cause",
            [
                ("untrusted", proxy.untrusted), ("too_many", proxy.tooMany),
                ("faulty", proxy.faulty), ("late", proxy.late), ("ended", proxy.ended),
                ("stopped", proxy.stopped),
            ])
        text.counter(
            "tron_accepts_failed_total", "Connections that the kernel or epoll refused.",
            serverTotals.failed)
        text.counter(
            "tron_descriptor_exhaustions_total",
            "How often accepting rested: out of descriptors, or all attempts failed.",
            serverTotals.exhaustions)
        text.counter(
            "tron_accept_rate_pauses_total",
            "How often accepting waited because connections came faster than they may.",
            serverTotals.ratePauses)
    }

    private func writeClients(to text: inout ExpositionText) {
        text.counter(
            "tron_dials_total", "Attempts of clients to connect.", clientTotals.dials)
        text.counter(
            "tron_connections_total", "Connections of clients that stood.",
            clientTotals.connections)
        text.counter(
            "tron_reconnects_total", "How often clients tried anew after a delay.",
            clientTotals.reconnects)
        text.counter(
            "tron_requests_sent_total", "Requests sent, each time that they were.",
            clientTotals.requestsSent)
        text.counter(
            "tron_requests_ended_total", "Requests that ended, by their outcome.", by: "outcome",
            [
                ("answered", clientTotals.requestsAnswered),
                ("timed_out", clientTotals.requestsTimedOut),
                ("failed", clientTotals.requestsFailed),
            ])
        text.counter(
            "tron_late_answers_total", "Answers to requests that had ended.",
            clientTotals.lateAnswers)
        text.gauge(
            "tron_requests_pending", "Requests that wait for an answer or a connection.",
            clients.reduce(0) { $0 + $1.pendingRequests })
    }

    private func writeLoop(to text: inout ExpositionText) {
        text.gauge("tron_timers_live", "Timers that are set.", liveTimers)
        text.counter("tron_turns_total", "Turns of the loop.", turns)
        text.counter("tron_events_total", "Events that the kernel told of.", events)
        text.counter("tron_system_calls_total", "System calls of the loop.", systemCalls)
        text.histogram(
            "tron_handler_seconds", "How long handlers took, a call for a ready source each.",
            .nanoseconds(handlerTimes))
    }
}

extension ExpositionText.Distribution {
    /// Upper bounds of times in nanoseconds.
    private static let bounds: [UInt64] = [
        10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000,
        2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// Of times in nanoseconds, in seconds.
    fileprivate static func nanoseconds(_ times: Histogram) -> Self {
        let buckets = bounds.map { (bound: Double($0) / 1e9, count: Int(times.count(upTo: $0))) }
        return Self(
            buckets: buckets, sum: Double(times.total) / 1e9, count: Int(times.count))
    }
}
