// Requests on the fake clock: answered, timed out, too late, lost, refused.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientRequestTests {
    @Test func `answers come back to their requests, whatever their order`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        let names = (0..<100).map { "r\($0)" }
        for name in names { bench.ask(name) }
        try bench.reactor.turn(until: { bench.log.requests.count == 100 })
        for request in bench.log.requests.shuffled() {
            bench.peer?.send(
                sequence: request.sequence, category: 7, data: "to " + request.text)
        }
        try bench.turnUntilEnded(100)
        for name in names { #expect(bench.log.outcomes[name] == ["to " + name]) }
        #expect(bench.log.requests.allSatisfy { $0.category == 7 })
        #expect(bench.client.counters.requestsAnswered == 100)
        #expect(bench.client.pendingRequestCount == 0 && bench.log.texts.isEmpty)
    }

    @Test func `a request fails at its deadline, within one tick`() throws {
        let bench = try ClientBench { $0.timeoutsBeforeReconnect = nil }
        bench.log.answers = false
        let start = bench.kernel.clock
        var ends: [String: Int64] = [:]
        for milliseconds in [1, 17, 1000, 3000] {
            let name = "\(milliseconds)"
            bench.ask(name, timeout: .milliseconds(milliseconds)) {
                ends[name] = bench.kernel.clock - start
            }
        }
        try bench.turnUntilEnded(4)
        #expect(bench.log.order == ["1", "17", "1000", "3000"])
        for (name, end) in ends {
            let exact = Int64(name).map { $0 * 1_000_000 } ?? 0
            #expect((exact...exact + 1_000_000).contains(end), "\(name) ms: \(end) ns")
            #expect(bench.log.outcomes[name] == ["no answer in time"])
        }
        #expect(bench.client.counters.requestsTimedOut == 4)
    }

    @Test func `a late answer is counted, and given to nobody`() throws {
        let bench = try ClientBench { $0.timeoutsBeforeReconnect = nil }
        bench.log.answers = false
        bench.ask("late", timeout: .milliseconds(10))
        try bench.turnUntilEnded()
        let request = try #require(bench.log.requests.first)
        bench.log.answers = true
        for number in 0..<200 { bench.ask("next \(number)") }
        bench.peer?.send(sequence: request.sequence, category: 7, data: "re:late")
        bench.peer?.send(sequence: request.sequence, category: 7, data: "re:late")
        try bench.turnUntilEnded(201)
        try bench.reactor.turn(until: { bench.client.counters.lateAnswers == 2 })
        #expect(bench.log.outcomes["late"] == ["no answer in time"])
        for number in 0..<200 {
            #expect(bench.log.outcomes["next \(number)"] == ["re:next \(number)"])
        }
        #expect(bench.log.texts.isEmpty)
    }

    @Test func `what answers no request goes to the session's own handler`() throws {
        let bench = try ClientBench()
        bench.ask("a")
        try bench.turnUntilEnded()
        for sequence: Int32 in [-1, 1, 77, .max, .min] {
            bench.peer?.send(sequence: sequence, category: 1, data: "push \(sequence)")
        }
        try bench.reactor.turn(until: { bench.log.texts.count == 5 })
        #expect(bench.log.texts.first == "push -1" && bench.client.counters.lateAnswers == 0)
    }

    @Test func `requests that were sent fail with the reason when the connection breaks`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        for number in 0..<10 { bench.ask("\(number)") }
        try bench.reactor.turn(until: { bench.log.requests.count == 10 })
        bench.peer?.close()
        try bench.turnUntilEnded(10)
        let lost = "connection lost: closed by the peer"
        #expect(bench.log.outcomes.values.allSatisfy { $0 == [lost] })
        #expect(bench.log.order == (0..<10).map { "\($0)" }, "oldest first")
        #expect(bench.client.pendingRequestCount == 0)
    }

    @Test(arguments: [1, 3]) func `timeouts in a row make the connection anew`(limit: Int) throws {
        let bench = try ClientBench { $0.timeoutsBeforeReconnect = limit }
        for round in 0..<limit - 1 {
            bench.log.answers = false
            bench.ask("lost \(round)", timeout: .milliseconds(10))
            try bench.turnUntilEnded(round + 1)
        }
        #expect(bench.client.state == .connected)
        if limit > 1 {
            // An answer in between, and they count from the first again.
            bench.log.answers = true
            bench.ask("answered")
            try bench.turnUntilEnded(limit)
            bench.log.answers = false
        }
        bench.log.answers = false
        let before = bench.log.order.count
        for round in 0..<limit {
            #expect(bench.client.state == .connected)
            bench.ask("again \(round)", timeout: .milliseconds(10))
            try bench.turnUntilEnded(before + round + 1)
        }
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        #expect(bench.log.states.filter(\.isConnected).count == 1)
        try bench.reactor.turn(until: { bench.client.state.isConnected })
    }

    @Test func `timeouts may be left to their requests alone`() throws {
        let bench = try ClientBench { $0.timeoutsBeforeReconnect = nil }
        bench.log.answers = false
        for number in 0..<50 {
            bench.ask("\(number)", timeout: .milliseconds(10))
            try bench.turnUntilEnded(number + 1)
        }
        #expect(bench.client.state == .connected && bench.client.counters.connections == 1)
    }

    @Test func `a timeout takes what else was sent with the connection`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        bench.ask("short", timeout: .milliseconds(10))
        bench.ask("long", timeout: .seconds(100))
        try bench.turnUntilEnded(2)
        let lost = "connection lost: \(CloseReason.unanswered(requests: 1))"
        #expect(bench.log.outcomes["short"] == ["no answer in time"])
        #expect(bench.log.outcomes["long"] == [lost])
    }

    @Test func `a request asked again from its timeout waits for the next connection`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        bench.ask("first", timeout: .milliseconds(10)) {
            bench.log.answers = true
            bench.ask("second", timeout: .seconds(5))
        }
        try bench.turnUntilEnded(2)
        #expect(bench.log.outcomes["second"] == ["re:second"])
        #expect(bench.client.counters.connections == 2)
    }

    @Test func `too much data is refused, and harms nothing`() throws {
        let bench = try ClientBench { $0.session.limits.maximumDataLength = 100 }
        bench.ask(String(repeating: "x", count: 101))
        bench.ask("small")
        #expect(bench.log.order.isEmpty, "never before the call returns")
        try bench.turnUntilEnded(2)
        #expect(bench.log.outcomes["small"] == ["re:small"])
        #expect(bench.log.outcomes.count == 2 && bench.client.state == .connected)
    }

    @Test func `no more requests may be pending than the limit says`() throws {
        let bench = try ClientBench { $0.maximumPendingRequests = 3 }
        for number in 0..<5 { bench.ask("\(number)") }
        try bench.turnUntilEnded(5)
        for number in 0..<3 { #expect(bench.log.outcomes["\(number)"] == ["re:\(number)"]) }
        for number in 3..<5 {
            #expect(bench.log.outcomes["\(number)"] == ["too many requests pending"])
        }
    }

    @Test func `output that the peer does not read is refused or ends the session`() throws {
        for policy in [OverflowPolicy.refuse, .close] {
            let bench = try ClientBench {
                $0.session.overflow = policy
                $0.session.limits.maximumDataLength = 1000
                $0.session.limits.maximumQueuedBytes = 10_000
                $0.session.limits.outputHighWatermark = 5000
                $0.session.limits.outputLowWatermark = 1000
                $0.timeoutsBeforeReconnect = nil
            }
            bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
            for number in 0..<20 { bench.ask("\(number)" + String(repeating: "x", count: 990)) }
            bench.kernel.fault = { _, _, _ in nil }
            try bench.turnUntilEnded(20)
            let ends = bench.log.outcomes.values.flatMap { $0 }
            let refused = ends.count { $0 == "more output waits than allowed" }
            #expect(ends.count == 20 && refused >= 1, "\(policy): \(ends)")
            #expect((bench.client.counters.connections == 1) == (policy == .refuse))
        }
    }
}
