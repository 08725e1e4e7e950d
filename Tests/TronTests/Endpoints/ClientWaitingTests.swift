// Requests without a connection: they wait within bounds, are sent once or again, or fail.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientWaitingTests {
    @Test func `requests wait for the first connection, oldest first`() throws {
        let bench = try ClientBench(isServing: false)
        for number in 0..<10 { bench.ask("\(number)", timeout: .seconds(60)) }
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        #expect(bench.log.order.isEmpty && bench.client.pendingRequestCount == 10)
        try bench.serve()
        try bench.turnUntilEnded(10)
        #expect(bench.log.requests.map(\.text) == (0..<10).map { "\($0)" })
        #expect(bench.log.order == (0..<10).map { "\($0)" })
    }

    @Test func `more than a session's output may hold is sent as room comes`() throws {
        let bench = try ClientBench(isServing: false)
        let size = 400_000
        let texts = (0..<30).map { String(repeating: "\($0 % 10)", count: size + $0) }
        for text in texts { bench.ask(text, timeout: .seconds(600)) }
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        try bench.serve()
        try bench.turnUntilEnded(texts.count)
        #expect(bench.log.requests.map(\.text) == texts)
        #expect(texts.allSatisfy { bench.log.outcomes[$0] == ["re:" + $0] })
        #expect(bench.client.counters.connections == 1)
    }

    @Test func `by the policy they fail at once instead, but not within the call`() throws {
        let bench = try ClientBench(isServing: false) { $0.whileDisconnected = .fail }
        bench.ask("a")
        #expect(bench.log.order.isEmpty)
        try bench.turnUntilEnded()
        #expect(bench.log.outcomes["a"] == ["not connected"])
    }

    @Test func `as many wait as the limit says, and a place is free when one ends`() throws {
        let bench = try ClientBench(isServing: false) { $0.maximumCopiedRequests = 2 }
        for name in ["a", "b", "c"] { bench.ask(name, timeout: .milliseconds(50)) }
        try bench.turnUntilEnded(3)
        #expect(bench.log.outcomes["c"] == ["too many requests pending"])
        #expect(bench.log.outcomes["a"] == ["no answer in time"])
        for name in ["d", "e"] { bench.ask(name, timeout: .seconds(60)) }
        try bench.serve()
        try bench.turnUntilEnded(5)
        #expect(bench.log.outcomes["d"] == ["re:d"] && bench.log.outcomes["e"] == ["re:e"])
    }

    @Test func `a request whose time ends while it waits is never sent`() throws {
        let bench = try ClientBench(isServing: false)
        bench.ask("a", timeout: .milliseconds(500))
        try bench.turnUntilEnded()
        #expect(bench.log.outcomes["a"] == ["no answer in time"])
        try bench.serve()
        try bench.reactor.turn(until: { bench.client.state.isConnected })
        bench.ask("b")
        try bench.turnUntilEnded(2)
        #expect(bench.log.requests.map(\.text) == ["b"])
    }

    @Test func `the queue does not grow by requests that ended in it`() throws {
        let bench = try ClientBench(isServing: false)
        for round in 0..<100 {
            for number in 0..<20 { bench.ask("\(number)", timeout: .milliseconds(1)) }
            try bench.turnUntilEnded(20 * (round + 1))
        }
        #expect(bench.client.requests.orderCount < 200 && bench.client.requests.waitingCount == 0)
    }

    @Test func `a request that may be repeated is sent once more on the next connection`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        bench.ask("again", timeout: .seconds(60), isRepeatable: true)
        bench.ask("once", timeout: .seconds(60))
        try bench.reactor.turn(until: { bench.log.requests.count == 2 })
        bench.log.answers = true
        bench.peer?.abort()
        try bench.turnUntilEnded(2)
        #expect(bench.log.requests.map(\.text) == ["again", "once", "again"])
        #expect(Set(bench.log.requests.map(\.sequence)) == [0, 1])
        #expect(bench.log.outcomes["again"] == ["re:again"])
        #expect(bench.log.outcomes["once"]?[0].hasPrefix("connection lost") == true)
        #expect(bench.client.counters.requestsSent == 3)
    }

    @Test func `a repeated request keeps its first deadline`() throws {
        let bench = try ClientBench()
        bench.log.answers = false
        let start = bench.kernel.clock
        bench.ask("again", timeout: .seconds(5), isRepeatable: true)
        for _ in 0..<3 {
            let count = bench.log.requests.count
            try bench.reactor.turn(until: { bench.log.requests.count > count })
            bench.peer?.abort()
            try bench.reactor.turn(until: { bench.client.session == nil })
        }
        try bench.turnUntilEnded()
        #expect(bench.log.outcomes["again"] == ["no answer in time"])
        #expect((5000...5002).contains((bench.kernel.clock - start) / 1_000_000))
    }

    @Test func `a request that is made while the session closes waits for the next`() throws {
        let bench = try ClientBench()
        bench.client.session?.close()
        bench.ask("a", timeout: .seconds(60))
        bench.client.session?.abort()
        bench.ask("b", timeout: .seconds(60))
        try bench.turnUntilEnded(2)
        #expect(bench.log.outcomes == ["a": ["re:a"], "b": ["re:b"]])
    }

    @Test func `requests that wait survive a connection that closes in its setup`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let name = Bench.unixName()
        _ = try reactor.listen(on: name) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        var setups = 0
        let client = reactor.makeClient(to: name) { session in
            setups += 1
            if setups < 3 { session.close() }
        }
        var ends: [String] = []
        client.request(category: 1, data: "a", timeout: .seconds(100)) { outcome in
            switch outcome {
            case .answered(let packet): ends.append(packet.text)
            case .failed(let error): ends.append("\(error)")
            }
        }
        try reactor.turn(until: { !ends.isEmpty })
        #expect(ends == ["a"] && setups == 3)
    }

    @Test func `a client that gives up fails what waits, and refuses more`() throws {
        let bench = try ClientBench(isServing: false, backoff: Backoff(attempts: 1))
        bench.ask("waits", timeout: .seconds(60)) { bench.ask("asked again") }
        try bench.turnUntilEnded(2)
        #expect(bench.client.state.isFinal)
        #expect(bench.log.outcomes["waits"] == ["not connected"])
        #expect(bench.log.outcomes["asked again"] == ["not connected"])
        bench.ask("more")
        try bench.turnUntilEnded(3)
        #expect(bench.log.outcomes["more"] == ["not connected"])
    }

    @Test func `sequences wrap past the largest with requests pending across it`() throws {
        let bench = try ClientBench { $0.firstSequence = .max - 49 }
        bench.log.answers = false
        for number in 0..<100 { bench.ask("\(number)") }
        try bench.reactor.turn(until: { bench.log.requests.count == 100 })
        let sequences = bench.log.requests.map(\.sequence)
        #expect(sequences == Array(Int32.max - 49 ... .max) + Array(0..<50))
        for request in bench.log.requests.reversed() {
            bench.peer?.send(sequence: request.sequence, category: 7, data: "re:" + request.text)
        }
        try bench.turnUntilEnded(100)
        for number in 0..<100 { #expect(bench.log.outcomes["\(number)"] == ["re:\(number)"]) }
    }

    @Test func `no more copies are kept than may wait, while there is a connection too`() throws {
        let bench = try ClientBench { $0.maximumCopiedRequests = 2 }
        bench.log.answers = false
        for name in ["a", "b", "c"] { bench.ask(name, isRepeatable: true) }
        bench.ask("not repeatable")
        bench.kernel.isFrozen = true
        try bench.turnUntilEnded()
        #expect(bench.log.outcomes == ["c": ["too many requests pending"]])
        bench.kernel.isFrozen = false
    }
}
