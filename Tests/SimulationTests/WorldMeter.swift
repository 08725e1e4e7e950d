// The meter of a run: what it tells of an interval has to be what the kernel saw.
import TronTestKit

@testable import Tron

/// A meter of the run, and what was known when it was last read.
final class MeterRecord {
    let meter: Meter
    fileprivate var sent = 0
    fileprivate var received = 0
    fileprivate var ofServers: [Int] = []
    /// What each session had moved.
    fileprivate var moved: [SessionID: Int] = [:]
    /// The longest that a session's handler kept the others waiting, and in which turn.
    private var slowest: (turn: Int, time: Int64) = (0, 0)
    /// Made in this turn, of which it need not see the rest.
    private let beginning: Int

    init(_ meter: Meter, turn: Int) {
        self.meter = meter
        beginning = turn
    }

    /// A session's handler has taken so long.
    func noteHandler(_ time: Int64, turn: Int) {
        if turn > beginning && time > slowest.time { slowest = (turn, time) }
    }

    /// How slow the slowest session must have been at least, by the turns that are over.
    fileprivate func takeSlowest(in turn: Int) -> Int64 {
        defer { slowest = (0, 0) }
        return slowest.turn < turn ? slowest.time : 0
    }
}

extension World {
    func readMeter() {
        guard habits.has(.meters), let reactor, mayBegin,
            !records.contains(where: \.isBeginning)
        else { return }
        guard let record = meter else {
            let record = MeterRecord(reactor.makeMeter(), turn: kernel.turns)
            note(record)
            meter = record
            return
        }
        let limit = chance.pick(0, 1, 3, 1000)
        let interval = record.meter.read(talkers: limit)
        let (sent, received) = (record.sent, record.received)
        let (before, ofServers) = (record.moved, record.ofServers)
        note(record)
        let difference = interval.difference.sessions.traffic
        run.expect(
            difference.bytesSent == record.sent - sent
                && difference.bytesReceived == record.received - received,
            "a meter counts \(difference), the kernel \(record.sent - sent) bytes sent and "
                + "\(record.received - received) received")
        let told = Self.numbers(interval.difference.serverTotals)
        run.expect(
            told == zip(record.ofServers, ofServers).map { $0 - $1 },
            "a meter tells \(told) of servers that had \(ofServers) and have \(record.ofServers)")
        judge(interval.talkers, since: before, record, limit)
        let slowest = record.takeSlowest(in: kernel.turns)
        run.expect(
            interval.slowest?.time ?? .zero >= .nanoseconds(slowest),
            "a handler took \(slowest) ns, and the slowest is "
                + "\(interval.slowest.map { "\($0.time)" } ?? "none")")
        run.met(.meterRead)
        if slowest > 0 { run.met(.slowestTold) }
    }

    /// What has moved by now.
    private func note(_ record: MeterRecord) {
        record.sent = records.reduce(0) { $0 + $1.end.sentTotal }
        record.received = records.reduce(0) { $0 + $1.end.receivedTotal }
        record.ofServers = servers.reduce([0, 0, 0, 0, 0, 0]) {
            zip($0, Self.numbers($1.server.counters)).map { $0 + $1 }
        }
        record.moved = [:]
        for each in records { record.moved[each.id] = each.end.sentTotal + each.end.receivedTotal }
    }

    private static func numbers(_ counters: ServerCounters) -> [Int] {
        [
            counters.accepted, counters.refusedByLimit, counters.refusedByAddressLimit,
            counters.failed, counters.exhaustions, counters.ratePauses,
        ]
    }

    private func judge(
        _ talkers: [Meter.Talker], since before: [SessionID: Int], _ record: MeterRecord,
        _ limit: Int
    ) {
        func moved(_ id: SessionID) -> Int { (record.moved[id] ?? 0) - (before[id] ?? 0) }
        for talker in talkers {
            run.expect(
                talker.bytes > 0 && talker.bytes == moved(talker.session),
                "a meter counts \(talker.bytes) bytes of \(talker.session), the kernel "
                    + "\(moved(talker.session))")
        }
        let counts = talkers.map(\.bytes)
        run.expect(
            counts.count <= limit && counts == counts.sorted(by: >),
            "a meter tells of \(counts), and was asked for \(limit)")
        // Those that close may be on their way out.
        let others = records.filter { each in
            each.session.isOpen && !each.isClosed && moved(each.id) > 0
                && !talkers.contains { $0.session == each.id }
        }
        let least = counts.count == limit ? counts.last ?? .max : 0
        run.expect(
            others.allSatisfy { moved($0.id) <= least }, "a meter leaves out who moved more")
        if !talkers.isEmpty { run.met(.talkersTold) }
    }
}
