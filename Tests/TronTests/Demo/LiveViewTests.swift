// What `serve --watch` shows: its text line by line, and the program on a terminal and without one.
import Glibc
import Testing

@testable import Tron
@testable import echo_demo

@Suite struct LiveViewTests {
    private func view() throws -> LiveView {
        var difference = try Reactor().snapshot()
        difference.time = .seconds(2)
        difference.sessions.open = 12_345
        difference.sessions.queuedBytes = 5000
        difference.sessions.traffic.bytesReceived = 150_000_000
        difference.sessions.traffic.packetsReceived = 2_000_000
        difference.sessions.traffic.bytesSent = 15_000
        difference.sessions.traffic.packetsSent = 3
        difference.sessions.closed[.peerClosed] = 7
        for _ in 0..<98 { difference.lag.record(20_000) }
        for _ in 0..<2 { difference.lag.record(31_000_000) }
        var total = difference
        total.sessions.closed[.peerClosed] = 1234
        total.sessions.closed[.idle] = 2
        total.serverTotals.accepted = 13_581
        total.serverTotals.refusedByLimit = 1
        total.serverTotals.refusedByAddressLimit = 2
        let key = SessionID(reactor: 0, key: SlabKey(rawValue: 1 << 32 | 4))
        let talkers = [
            Meter.Talker(session: key, peer: .loopback(port: 4000), bytes: 25_000_000),
            Meter.Talker(session: key, peer: nil, bytes: 1),
        ]
        let slowest = Meter.SlowSession(
            session: key, peer: .loopback(port: 4000), time: .microseconds(1500))
        return LiveView(
            interval: Meter.Interval(
                total: total, difference: difference, talkers: talkers, slowest: slowest))
    }

    @Test func `a second is shown in rates, and what has been in sums`() throws {
        let id = SessionID(reactor: 0, key: SlabKey(rawValue: 1 << 32 | 4))
        let lines = try view().lines(width: 100, isColoured: false)
        #expect(
            lines == [
                "sessions  12,345 open, 13,581 accepted, 3 refused, 1,236 closed",
                "received   1,000,000 packets/s     75.00 MB/s",
                "sent               2 packets/s      0.01 MB/s   5,000 bytes wait",
                "loop lag  p50    0.020 ms  p99   31.000 ms  max   31.000 ms",
                "handlers  p50    0.000 ms  p99    0.000 ms  max    0.000 ms",
                "slowest          1.500 ms  session \(id) with 127.0.0.1:4000",
                "closed    peer_closed 1,234, idle 2",
                "busiest        12.50 MB/s  session \(id) with 127.0.0.1:4000",
                "                0.00 MB/s  session \(id) with unknown",
            ])
    }

    @Test func `without a terminal it is one line, and it tells the interval alone`() throws {
        let id = SessionID(reactor: 0, key: SlabKey(rawValue: 1 << 32 | 4))
        let expected =
            "sessions 12345; received 1000000 packets/s 75.00 MB/s; sent 2 packets/s 0.01 MB/s; "
            + "loop lag p99 31.000 ms; handlers p99 0.000 ms; closed peer_closed 7; "
            + "busiest 12.50 MB/s session \(id) with 127.0.0.1:4000"
        #expect(try view().line == expected)
    }

    @Test func `no line is wider than the terminal, with colours or without`() throws {
        let plain = try view().lines(width: 200, isColoured: false)
        for width in 1...80 {
            let lines = try view().lines(width: width, isColoured: false)
            #expect(lines == plain.map { String($0.prefix(width)) })
            let coloured = try view().lines(width: width, isColoured: true)
            let bare = coloured.map {
                $0.replacing("\u{1b}[1m", with: "").replacing("\u{1b}[0m", with: "")
            }
            #expect(bare == lines)
            #expect(width < 20 || coloured != lines)
        }
    }

    @Test func `what a peer is called cannot move the cursor`() throws {
        var total = try Reactor().snapshot()
        total.time = .seconds(1)
        let path = try UnixPath("@\u{1b}[2J\u{7}\u{e9}")
        let talker = Meter.Talker(
            session: SessionID(reactor: 0, key: SlabKey(rawValue: 1)), peer: .unix(path), bytes: 1)
        let interval = Meter.Interval(
            total: total, difference: total, talkers: [talker], slowest: nil)
        let view = LiveView(interval: interval)
        #expect(view.lines(width: 100, isColoured: false).last?.hasSuffix("@?[2J??") == true)
        #expect(view.line.hasSuffix("@?[2J??"))
    }

    @Test func `numbers are grouped and rounded`() {
        for (number, text) in [0: "0", 999: "999", 1000: "1,000", -1_234_567: "-1,234,567"] {
            #expect(grouped(number) == text)
        }
        #expect(decimal(0, places: 2) == "0.00")
        #expect(decimal(0.005, places: 2) == "0.01")
        #expect(decimal(1234.5678, places: 3) == "1,234.568")
        #expect(decimal(-0.5, places: 1) == "-0.5")
        #expect(decimal(0.999, places: 2) == "1.00")
    }
}

// MARK: - The program

extension LiveViewTests {
    @Test func `without a terminal it writes a line a second`() throws {
        let server = try EchoServer(["--port", "0", "--watch"])
        let client = try PlainClient(server.address)
        client.send(wire("ping"))
        #expect(try client.receive(count: 15).count == 15)
        for _ in 0..<2 {
            let line = try server.process.readLine()
            #expect(line.hasPrefix("sessions 1; received "))
            #expect(!line.contains("\u{1b}"))
        }
        #expect(try server.end(with: SIGTERM, closing: client).status == 0)
    }
}
