// Names: resolved off the loop, remembered for half a minute, on a few threads at most.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite struct ResolverTests {
    /// What the resolving threads did.
    private final class Lookups: Sendable {
        let count = Atomic(0)
        let running = Atomic(0)
        let most = Atomic(0)
        let isBlocked = Atomic(false)

        /// Counts itself, and stays while blocked, for two real seconds at most.
        func perform() {
            count.add(1, ordering: .relaxed)
            let running = running.add(1, ordering: .relaxed).newValue
            _ = most.max(running, ordering: .relaxed)
            for _ in 0..<2000 where isBlocked.load(ordering: .relaxed) { usleep(1000) }
            self.running.subtract(1, ordering: .relaxed)
        }
    }

    private let lookups = Lookups()

    private func bench(
        answering addresses: [SocketAddress] = [.loopback(port: 0)],
        limits: ReactorLimits = ReactorLimits()
    ) throws -> NetworkBench {
        let bench = try NetworkBench(limits: limits)
        bench.kernel.resolution = { [lookups] _ in
            lookups.perform()
            return .success(addresses)
        }
        return bench
    }

    @Test func `a name's addresses are tried in turn, with the port`() throws {
        let second = SocketAddress.ipv4(host: 2, port: 0)
        let bench = try bench(answering: [.loopback(port: 0), second])
        bench.kernel.fate = { _, number in number == 1 ? .refuses(ECONNREFUSED) : .connects }
        let client = bench.connect(to: "example.test:81")
        try bench.turn(until: { client.state.isConnected })
        #expect(
            bench.kernel.dials.map(\.address) == [.loopback(port: 81), second.withPort(81)])
        #expect(bench.log.states == [.connecting, .connected])
    }

    @Test func `an answer is used for 30 s, and then asked for again`() throws {
        let bench = try bench()
        var clients: [Client] = []
        func connectOne() throws {
            clients.append(bench.reactor.makeClient(to: "example.test:81"))
            try bench.turn(until: { clients.allSatisfy { $0.state.isConnected } })
        }
        try connectOne()
        bench.kernel.advance(.seconds(29))
        try connectOne()
        #expect(lookups.count.load(ordering: .relaxed) == 1)
        bench.kernel.advance(.seconds(2))
        try connectOne()
        #expect(lookups.count.load(ordering: .relaxed) == 2)
    }

    @Test func `a failure is told, tried again, and not remembered`() throws {
        let bench = try NetworkBench()
        bench.kernel.resolution = { [lookups] host in
            lookups.perform()
            guard lookups.count.load(ordering: .relaxed) > 2 else {
                return .failure(ResolutionError(host: host, message: "try later"))
            }
            return .success([.loopback(port: 0)])
        }
        let client = bench.connect(to: "example.test:81")
        try bench.turn(until: { client.state.isConnected })
        #expect(lookups.count.load(ordering: .relaxed) == 3)
        #expect(bench.log.delays == [.seconds(3), .seconds(6)])
    }

    @Test func `a name that stays unknown is given up with its reason`() throws {
        let bench = try NetworkBench()
        let client = bench.connect(to: "example.test:81", Backoff(attempts: 1))
        try bench.turn(until: { client.state.isFinal })
        let error = ResolutionError(host: "example.test", message: "unknown")
        #expect(client.state == .gaveUp(.unresolved(error)))
    }

    @Test func `one lookup serves all who ask for the same name`() throws {
        let bench = try bench()
        lookups.isBlocked.store(true, ordering: .relaxed)
        let clients = (1...50).map { bench.reactor.makeClient(to: "example.test:\($0)") }
        try bench.reactor.turn(times: 3)
        lookups.isBlocked.store(false, ordering: .relaxed)
        try bench.turn(until: { clients.allSatisfy { $0.state.isConnected } })
        #expect(lookups.count.load(ordering: .relaxed) == 1)
        #expect(Set(bench.kernel.dials.map(\.address.port)).count == 50)
    }

    @Test func `at most eight threads resolve at the same time, and the loop goes on`() throws {
        let bench = try bench()
        lookups.isBlocked.store(true, ordering: .relaxed)
        let clients = (1...40).map { bench.reactor.makeClient(to: "host\($0).test:81") }
        let other = bench.reactor.makeClient(to: "10.0.0.1:1")
        try bench.turn(until: {
            lookups.running.load(ordering: .relaxed) == 8 && other.state.isConnected
        })
        lookups.isBlocked.store(false, ordering: .relaxed)
        try bench.turn(until: { clients.allSatisfy { $0.state.isConnected } })
        #expect(lookups.count.load(ordering: .relaxed) == 40)
        #expect(lookups.most.load(ordering: .relaxed) == 8)
    }

    @Test func `a name that is looked up for long keeps no other client from dialing`() throws {
        let bench = try bench()
        bench.reactor.maximumSimultaneousAttempts = 1
        lookups.isBlocked.store(true, ordering: .relaxed)
        let slow = bench.reactor.makeClient(to: "example.test:81")
        let other = bench.reactor.makeClient(to: "10.0.0.1:1")
        try bench.turn(until: { other.state.isConnected })
        #expect(slow.state == .connecting && lookups.isBlocked.load(ordering: .relaxed))
        lookups.isBlocked.store(false, ordering: .relaxed)
        try bench.turn(until: { slow.state.isConnected })
    }

    @Test func `a client may be closed, and the reactor stop, while a name is looked up`() throws {
        weak var forgotten: Client?
        do {
            let bench = try bench()
            lookups.isBlocked.store(true, ordering: .relaxed)
            let client = bench.connect(to: "example.test:81")
            let other = bench.reactor.makeClient(to: "other.test:81")
            forgotten = other
            try bench.turn(until: { lookups.running.load(ordering: .relaxed) == 2 })
            client.close()
            try bench.reactor.turn()
            #expect(bench.log.states == [.connecting, .closed])
            bench.reactor.stop()
            try bench.reactor.run()
            #expect(other.state == .closed)
            lookups.isBlocked.store(false, ordering: .relaxed)
            #expect(bench.kernel.dials.isEmpty)
        }
        #expect(forgotten == nil, "the lookup keeps its client alive")
    }
}
