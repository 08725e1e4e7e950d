// Counters add up and subtract, every one of them, also those that are added later.
import Testing

@testable import Tron

@Suite struct CounterTests {
    /// A set of plain numbers that are all different: the n-th is `start` and n times `step`.
    private func filled<Counters: CounterSet>(
        _ counters: Counters, from start: Int, by step: Int
    ) -> Counters {
        var counters = counters
        withUnsafeMutableBytes(of: &counters) { bytes in
            let numbers = bytes.bindMemory(to: Int.self)
            for index in numbers.indices { numbers[index] = start + index * step }
        }
        return counters
    }

    private func numbers(_ counters: some CounterSet) -> [Int] {
        withUnsafeBytes(of: counters) { Array($0.bindMemory(to: Int.self)) }
    }

    /// How many numbers there are, also in the sets of a set; nil where there is anything else.
    private func count(in value: Any) -> Int? {
        if value is Int { return 1 }
        guard value is any CounterSet else { return nil }
        let counts = Mirror(reflecting: value).children.map { count(in: $0.value) }
        return counts.contains(nil) ? nil : counts.compactMap { $0 }.reduce(0, +)
    }

    private func check<Counters: CounterSet>(_ empty: Counters) {
        #expect(count(in: empty) == numbers(empty).count)
        #expect(numbers(empty).allSatisfy { $0 == 0 })
        let earlier = filled(empty, from: 10, by: 7)
        let later = filled(empty, from: 1000, by: 100)
        let indices = numbers(empty).indices
        #expect(numbers(later.since(earlier)) == indices.map { 990 + $0 * 93 })
        var sum = later
        sum.add(earlier)
        #expect(numbers(sum) == indices.map { 1010 + $0 * 107 })
    }

    @Test func `every number of a set is added and subtracted`() {
        check(Traffic())
        check(ServerCounters())
        check(ProxyCounters())
        check(ClientCounters())
    }

    @Test func `ends are added and subtracted cause by cause`() {
        var (earlier, later) = (CloseCounts(), CloseCounts())
        for cause in CloseCause.allCases {
            earlier[cause] = cause.rawValue
            later[cause] = 10 + 3 * cause.rawValue
        }
        let difference = later.since(earlier)
        earlier.add(later)
        for cause in CloseCause.allCases {
            #expect(difference[cause] == 10 + 2 * cause.rawValue)
            #expect(earlier[cause] == 10 + 4 * cause.rawValue)
        }
        #expect(difference.total == CloseCause.allCases.reduce(0) { $0 + 10 + 2 * $1.rawValue })
    }

    @Test func `each cause is counted by itself, and subtracts`() {
        var counters = ServerCounters()
        let causes: [ReactorEvent.Refusal] = [
            .untrustedProxy, .connectionsWithoutHeader, .proxyHeader(.notAHeader),
            .lateProxyHeader, .endedBeforeProxyHeader(nil), .stoppedBeforeProxyHeader,
        ]
        for (index, cause) in causes.enumerated() {
            for _ in 0...index { counters.proxy.count(cause) }
        }
        let proxy = counters.proxy
        #expect([proxy.untrusted, proxy.tooMany, proxy.faulty] == [1, 2, 3])
        #expect([proxy.late, proxy.ended, proxy.stopped] == [4, 5, 6] && proxy.total == 21)
        var twice = counters
        twice.add(counters)
        #expect(twice.proxy.total == 42 && twice.since(counters) == counters)
    }

    private func totals(_ number: Int) -> SessionTotals {
        var totals = SessionTotals()
        totals.traffic = filled(Traffic(), from: number, by: number)
        (totals.open, totals.opened) = (number + 1, number + 2)
        (totals.queuedBytes, totals.largestQueue) = (number + 3, number + 4)
        totals.closed[.idle] = number + 5
        return totals
    }

    @Test func `of sessions the sums subtract, and what is told of now stays`() {
        let difference = totals(100).since(totals(10))
        #expect(difference.traffic == filled(Traffic(), from: 90, by: 90))
        #expect(difference.opened == 90 && difference.closed[.idle] == 90)
        #expect(difference.open == 101 && difference.queuedBytes == 103)
        #expect(difference.largestQueue == 104)
        var sum = totals(10)
        sum.add(totals(100))
        #expect(sum.open == 112 && sum.opened == 114 && sum.queuedBytes == 116)
        #expect(sum.largestQueue == 104 && sum.traffic == filled(Traffic(), from: 110, by: 110))
    }

    /// Two snapshots of a reactor, each number of the later one with a difference of its own.
    @Test func `every number of a snapshot is told as its difference, or as it is now`() throws {
        let bench = try ClientBench()
        try bench.reactor.turn(times: 3)
        let earlier = bench.reactor.snapshot()
        var later = earlier
        later.time += .seconds(2)
        later.turns += 3
        later.events += 4
        later.systemCalls += 5
        later.liveTimers += 6
        later.lag.record(7)
        later.handlerTimes.record(8, times: 2)
        later.sessions.add(totals(100))
        later.serverTotals.add(filled(ServerCounters(), from: 9, by: 1))
        later.clientTotals.add(filled(ClientCounters(), from: 19, by: 1))
        later.servers[0].counters.accepted += 10
        later.servers[0].sessions.opened += 11
        later.clients[0].counters.dials += 12
        later.clients[0].sessions.opened += 13
        later.clients[0].pendingRequests += 14
        let difference = later.since(earlier)
        #expect(difference.time == .seconds(2) && difference.turns == 3)
        #expect(difference.events == 4 && difference.systemCalls == 5)
        #expect(difference.liveTimers == later.liveTimers)
        #expect(difference.lag.total == 7 && difference.lag.count == 1)
        #expect(difference.handlerTimes.total == 16 && difference.handlerTimes.count == 2)
        #expect(difference.sessions.traffic == totals(100).traffic)
        #expect(difference.sessions.open == later.sessions.open)
        #expect(difference.serverTotals == filled(ServerCounters(), from: 9, by: 1))
        #expect(difference.clientTotals == filled(ClientCounters(), from: 19, by: 1))
        #expect(difference.servers[0].counters.accepted == 10)
        #expect(difference.servers[0].sessions.opened == 11)
        #expect(difference.clients[0].counters.dials == 12)
        #expect(difference.clients[0].sessions.opened == 13)
        #expect(difference.clients[0].pendingRequests == later.clients[0].pendingRequests)
        #expect(Mirror(reflecting: later).children.count == 12, "a number that is not looked at")
        // What was not there before stays as it is.
        var without = earlier
        without.servers = []
        without.clients = []
        let new = later.since(without)
        #expect(new.servers[0].counters == later.servers[0].counters)
        #expect(new.clients[0].counters == later.clients[0].counters)
    }
}
