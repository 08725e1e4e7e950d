// The deadlines of a client's requests: each in time, and few timers for all of them.
import Testing

@testable import Tron

@Suite struct RequestDeadlinesTests {
    private func bench() throws -> ClientBench {
        try ClientBench { $0.timeoutsBeforeReconnect = nil }
    }

    @Test func `requests of one time share a timer, and others meanwhile have their own`() throws {
        let bench = try bench()
        let wheel = bench.reactor.registry.wheel
        let before = wheel.count
        for number in 0..<100 { bench.ask("usual \(number)") }
        #expect(wheel.count == before + 1)
        for number in 0..<10 { bench.ask("long \(number)", timeout: .seconds(9)) }
        #expect(wheel.count == before + 11)
        try bench.turnUntilEnded(110)
        #expect(wheel.count <= before + 1, "at most one rings for nothing")
        bench.ask("long", timeout: .seconds(9))
        bench.ask("long again", timeout: .seconds(9))
        #expect(wheel.count <= before + 1, "the queue takes another time when nothing waits in it")
        try bench.reactor.turn(until: { wheel.count == before }, atMost: 100)
        #expect(bench.client.counters.requestsAnswered == 112)
    }

    @Test func `no timer is left of a client that was closed`() throws {
        let bench = try bench()
        bench.log.answers = false
        let before = bench.reactor.registry.wheel.count
        for number in 0..<20 {
            bench.ask("\(number)", timeout: number.isMultiple(of: 2) ? .seconds(3) : .seconds(9))
        }
        bench.client.close()
        #expect(bench.log.order.count == 20)
        try bench.turnFrozen(10)
        #expect(bench.client.state == .closed && bench.reactor.registry.wheel.count == before)
    }

    @Test func `a request behind one that was answered has all of its time`() throws {
        let bench = try bench()
        bench.ask("answered")
        try bench.turnUntilEnded(1)
        bench.kernel.advance(.seconds(1))
        bench.log.answers = false
        let start = bench.kernel.clock
        bench.ask("unanswered")
        try bench.turnUntilEnded(2)
        #expect((3_000_000_000...3_001_000_000).contains(bench.kernel.clock - start))
    }

    @Test func `each of many times ends in time, whatever was answered before it`() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let bench = try bench()
        let (client, kernel, log) = (bench.client, bench.kernel, bench.log)
        var answered = 0
        var timedOut = 0
        func ask(_ timeout: Duration) {
            let start = kernel.clock
            client.request(category: 7, data: "x", timeout: timeout) { outcome in
                guard case .failed = outcome else {
                    answered += 1
                    return
                }
                let late = kernel.clock - start - timeout.clampedNanoseconds
                #expect((0...1_000_000).contains(late), "\(late) ns late")
                timedOut += 1
            }
        }
        let times: [Duration] = [.milliseconds(50), .milliseconds(50), .milliseconds(7), .zero]
        for _ in 0..<1000 {
            let isAnswered = Bool.random(using: &generator)
            let time = times.randomElement(using: &generator) ?? .zero
            let delay = Duration.microseconds(Int64.random(in: 0..<2_000_000, using: &generator))
            bench.reactor.schedule(after: delay) {
                log.answers = isAnswered
                ask(time)
            }
        }
        try bench.reactor.turn(until: { answered + timedOut == 1000 }, atMost: 10_000)
        #expect(answered > 100 && timedOut > 100, "seed \(RandomRun.seed)")
    }

    @Test func `many that end at once leave the turn's budget to others`() throws {
        let bench = try bench()
        bench.log.answers = false
        let limit = bench.reactor.registry.limits.maximumTimersPerTurn
        for number in 0..<limit + 10 { bench.ask("\(number)", timeout: .milliseconds(10)) }
        try bench.reactor.turn(until: { !bench.log.order.isEmpty })
        #expect(bench.log.order.count == limit)
        try bench.reactor.turn()
        #expect(bench.log.order == (0..<limit + 10).map { "\($0)" })
    }

    @Test func `the queue stays within a few times what waits, whatever was answered`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let table = RequestTable(maximum: 1000, copies: 0, firstSequence: 0)
        let deadlines = RequestDeadlines(of: table, reactor.registry)
        var generator = SeededGenerator(seed: RandomRun.seed)
        var waiting: [Int32] = []
        var largest = 0
        for _ in 0..<min(20_000, RandomRun.operations) {
            if waiting.count == 300 {
                let place = Int.random(in: 0..<300, using: &generator)
                #expect(table.take(waiting.remove(at: place)) != nil)
            }
            let sequence = table.nextSequence()
            let timer = deadlines.add(sequence, .seconds(3), for: .none)
            table.add(
                RequestRecord(completion: { _ in }, deadline: timer, place: .sent), as: sequence)
            waiting.append(sequence)
            largest = max(largest, deadlines.queuedCount)
        }
        #expect(table.count == 300)
        #expect((300...2048).contains(largest), "\(largest), seed \(RandomRun.seed)")
    }
}
