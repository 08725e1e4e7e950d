// What `serve --watch` shows, as text. Pure: out of what happened in the last second, and a width.
import Tron

/// One look at a reactor.
struct LiveView {
    /// What happened since the last look.
    let interval: Meter.Interval
    /// What has happened since the beginning.
    var total: ReactorSnapshot { interval.total }

    /// Its lines on a terminal of so many columns; none is wider.
    func lines(width: Int, isColoured: Bool) -> [String] {
        var rows = [sessionsRow, trafficRow("received", \.bytesReceived, \.packetsReceived)]
        rows.append(trafficRow("sent", \.bytesSent, \.packetsSent))
        rows.append(timesRow("loop lag", interval.difference.lag))
        rows.append(timesRow("handlers", interval.difference.handlerTimes))
        rows.append(Row("slowest", slowest))
        rows.append(Row("closed", closes(of: total.sessions.closed)))
        rows += talkers.isEmpty ? [Row("busiest", "nobody")] : talkers
        return rows.map { $0.line(width: width, isColoured: isColoured) }
    }

    /// The same on one line, for a file or a pipe.
    var line: String {
        let difference = interval.difference
        let traffic = difference.sessions.traffic
        var parts = ["sessions \(difference.sessions.open)"]
        for (name, packets, bytes) in [
            ("received", traffic.packetsReceived, traffic.bytesReceived),
            ("sent", traffic.packetsSent, traffic.bytesSent),
        ] {
            parts.append("\(name) \(perSecond(packets)) packets/s \(megabytes(bytes))")
        }
        parts.append("loop lag p99 " + milliseconds(difference.lag, 0.99))
        parts.append("handlers p99 " + milliseconds(difference.handlerTimes, 0.99))
        parts.append("closed " + closes(of: difference.sessions.closed))
        if let first = interval.talkers.first {
            parts.append("busiest \(megabytes(first.bytes)) \(name(first.session, first.peer))")
        }
        return printable(parts.joined(separator: "; "))
    }
}

/// A word and what there is to say of it.
private struct Row {
    let title: String
    let text: String

    init(_ title: String, _ text: String) {
        self.title = title
        self.text = text
    }

    /// The title in bold.
    func line(width: Int, isColoured: Bool) -> String {
        let padding = String(repeating: " ", count: max(0, 10 - title.count))
        let plain = printable(title + padding + text).prefix(width)
        guard isColoured, !title.isEmpty else { return String(plain) }
        return "\u{1b}[1m\(plain.prefix(title.count))\u{1b}[0m\(plain.dropFirst(title.count))"
    }
}

/// Peers choose their names; none may move the cursor, or be wider than it seems.
private func printable(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { (0x20...0x7e).contains($0.value) ? $0 : "?" }
    return String(String.UnicodeScalarView(scalars))
}

// MARK: - The rows

extension LiveView {
    private var sessionsRow: Row {
        let sessions = total.sessions
        let servers = total.serverTotals
        let refused =
            servers.refusedByLimit + servers.refusedByAddressLimit + servers.proxy.total
        return Row(
            "sessions",
            "\(grouped(sessions.open)) open, \(grouped(total.serverTotals.accepted)) accepted, "
                + "\(grouped(refused)) refused, \(grouped(sessions.closed.total)) closed")
    }

    private func trafficRow(
        _ title: String, _ bytes: KeyPath<Traffic, Int>, _ packets: KeyPath<Traffic, Int>
    ) -> Row {
        let traffic = interval.difference.sessions.traffic
        let queued = interval.difference.sessions.queuedBytes
        let end = title == "sent" ? "   \(grouped(queued)) bytes wait" : ""
        let rate = padded(grouped(perSecond(traffic[keyPath: packets])), to: 10) + " packets/s"
        return Row(title, rate + padded(megabytes(traffic[keyPath: bytes]), to: 15) + end)
    }

    private func timesRow(_ title: String, _ times: Histogram) -> Row {
        let values = [("p50", 0.5), ("p99", 0.99), ("max", 1)].map { name, quantile in
            name + " " + padded(milliseconds(times, quantile), to: 11)
        }
        return Row(title, values.joined(separator: "  "))
    }

    private var slowest: String {
        guard let session = interval.slowest else { return "nobody" }
        let time = decimal(session.time / .milliseconds(1), places: 3) + " ms"
        return padded(time, to: 15) + "  " + name(session.session, session.peer)
    }

    private var talkers: [Row] {
        interval.talkers.enumerated().map { index, talker in
            let text = padded(megabytes(talker.bytes), to: 15) + "  "
            return Row(index == 0 ? "busiest" : "", text + name(talker.session, talker.peer))
        }
    }

    private func name(_ session: SessionID, _ peer: SocketAddress?) -> String {
        "session \(session) with " + (peer.map { "\($0)" } ?? "unknown")
    }

    private func closes(of counts: CloseCounts) -> String {
        let named = CloseCause.allCases.filter { counts[$0] > 0 }
            .map { "\($0) \(grouped(counts[$0]))" }
        return named.isEmpty ? "none" : named.joined(separator: ", ")
    }
}

// MARK: - Numbers

extension LiveView {
    private func perSecond(_ count: Int) -> Int {
        Int(interval.difference.perSecond(count).rounded())
    }

    private func megabytes(_ bytes: Int) -> String {
        decimal(interval.difference.perSecond(bytes) / 1e6, places: 2) + " MB/s"
    }

    private func milliseconds(_ times: Histogram, _ quantile: Double) -> String {
        let value = quantile == 1 ? times.maximum : times.value(atQuantile: quantile)
        return decimal(Double(value) / 1e6, places: 3) + " ms"
    }

    private func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
