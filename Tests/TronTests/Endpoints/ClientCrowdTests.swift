// Thousands of clients of one server: the gate before the dials, and the spread of their return.
import Glibc
import Testing

@testable import Tron

@Suite(.serialized) struct ClientCrowdTests {
    @Test func `no more clients dial at the same time than the limit says`() throws {
        let bench = try NetworkBench()
        bench.reactor.maximumSimultaneousAttempts = 16
        bench.kernel.fate = { _, number in number % 3 == 0 ? .hangs : .connects }
        var connected = 0
        for _ in 0..<1000 {
            bench.reactor.makeClient(to: "10.0.0.1:1", reconnecting: Backoff(jitter: .full)) { _ in
                connected += 1
            }
        }
        var most = 0
        for _ in 0..<20_000 where connected < 1000 {
            try bench.reactor.turn()
            most = max(most, bench.kernel.sockets.count - connected)
        }
        #expect(connected == 1000)
        #expect(most == 16)
    }

    @Test func `clients that are closed in the queue give their places to the others`() throws {
        let bench = try NetworkBench()
        bench.reactor.maximumSimultaneousAttempts = 2
        bench.kernel.fate = { _, number in number <= 2 ? .hangs : .connects }
        let clients = (0..<100).map { _ in bench.reactor.makeClient(to: "10.0.0.1:1") }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.kernel.dials.count == 2)
        for index in 2..<90 { clients[index].close() }
        try bench.reactor.turn()
        clients[0].close()
        clients[1].close()
        try bench.turn(until: { clients[90...].allSatisfy { $0.state.isConnected } })
        #expect(bench.kernel.dials.count == 12)
        #expect(clients[..<90].allSatisfy { $0.state == .closed })
    }

    @Test(arguments: ["in order", "in reverse", "by the stop"])
    func `none dials because another that was closed with it has left`(how: String) throws {
        let bench = try NetworkBench()
        bench.reactor.maximumSimultaneousAttempts = 1
        bench.kernel.fate = { _, _ in .hangs }
        bench.kernel.isFrozen = true
        let clients = (0..<10_000).map { _ in bench.reactor.makeClient(to: "10.0.0.1:1") }
        try bench.reactor.turn(times: 3)
        switch how {
        case "in order": for client in clients { client.close() }
        case "in reverse": for client in clients.reversed() { client.close() }
        default:
            bench.reactor.stop()
            try bench.reactor.run()
        }
        try bench.reactor.turn(times: 3)
        #expect(bench.kernel.dials.count == 1)
        #expect(clients.allSatisfy { $0.state == .closed })
    }

    @Test func `a client that is closed when it is to dial gives its place on`() throws {
        let bench = try NetworkBench()
        bench.reactor.maximumSimultaneousAttempts = 1
        bench.kernel.fate = { _, number in number == 1 ? .hangs : .connects }
        bench.kernel.isFrozen = true
        let clients = (0..<3).map { _ in bench.reactor.makeClient(to: "10.0.0.1:1") }
        try bench.reactor.turn(times: 3)
        clients[0].close()
        clients[1].close()
        try bench.turn(until: { clients[2].state.isConnected })
        #expect(bench.kernel.dials.count == 2)
    }

    private static let crowd = 10_000

    /// Connects a crowd and lets all connections break at once. The times are seconds since then.
    private func returnOfTheCrowd(
        outage: Double
    ) throws -> (bench: NetworkBench, dials: [Double], back: [Double]) {
        let bench = try NetworkBench()
        let kernel = bench.kernel
        var end = Int64.max
        kernel.fate = { [unowned kernel] _, _ in
            let isOut = kernel.clock >= end && Double(kernel.clock - end) / 1e9 <= outage
            return isOut ? .refuses(ECONNREFUSED) : .connects
        }
        var options = ClientOptions()
        options.jitterSeed = RandomRun.seed
        let clients = (0..<UInt64(Self.crowd)).map { number in
            options.jitterSeed = RandomRun.seed &+ number
            return bench.reactor.makeClient(
                to: "10.0.0.1:1", reconnecting: Backoff(cap: .seconds(12), jitter: .full),
                options: options)
        }
        try bench.turn(until: { clients.allSatisfy { $0.session != nil } })
        let before = kernel.dials.count
        end = kernel.clock
        var back: [Double] = []
        for client in clients {
            client.session?.abort()
            client.onStateChange { _, state in
                if state == .connected { back.append(Double(kernel.clock - end) / 1e9) }
            }
        }
        try bench.turn(until: { back.count == Self.crowd }, atMost: 100_000)
        let dials = kernel.dials[before...].map { Double($0.time - end) / 1e9 }
        return (bench, dials, back)
    }

    /// The most in any window of 100 ms.
    private func crowding(_ times: [Double]) -> Int {
        let sorted = times.sorted()
        var first = 0
        var most = 0
        for (index, time) in sorted.enumerated() {
            while sorted[first] < time - 0.1 { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }

    @Test func `ten thousand clients of a server that restarts come back spread`() throws {
        let (bench, dials, back) = try returnOfTheCrowd(outage: 0)
        #expect(dials.count == Self.crowd && back.count == Self.crowd)
        #expect((back.max() ?? .infinity) <= 3.01)
        // The mean of the thirty windows of the first delay, twice.
        #expect(crowding(dials) <= 2 * Self.crowd / 30, "seed \(RandomRun.seed)")
        _ = bench
    }

    @Test func `ten thousand clients are back within the cap after an outage`() throws {
        let outage = 5.0
        let (bench, dials, back) = try returnOfTheCrowd(outage: outage)
        #expect(dials.count > Self.crowd && back.count == Self.crowd)
        #expect((back.min() ?? 0) >= outage)
        #expect((back.max() ?? .infinity) <= outage + 12.01)
        // Attempts of several rounds meet, and yet no window holds twice the first round's mean.
        #expect(crowding(dials) <= 2 * Self.crowd / 30, "seed \(RandomRun.seed)")
        _ = bench
    }
}
