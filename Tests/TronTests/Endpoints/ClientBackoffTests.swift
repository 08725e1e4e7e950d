// The delays between a client's attempts, on the fake clock: growth, the end, the new beginning.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientBackoffTests {
    private let packet = wire("hello")

    private func seconds(_ values: Int...) -> [Duration] { values.map { .seconds($0) } }

    private func refused(_ code: Int32) -> ClientFailure {
        let error = EndpointError(
            address: .ipv4(host: 0x0a00_0001, port: 9000), cause: SystemError(.connect, code: code))
        return .unreachable(.refused(error))
    }

    @Test func `waits 3, 6, 12 and 24 s, then gives up with the reason`() throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, _ in .refuses(ECONNREFUSED) }
        let client = bench.connect()
        try bench.turn(until: { client.state.isFinal })
        let expected: [ClientState] =
            [.connecting]
            + [3, 6, 12, 24].enumerated().flatMap { index, delay -> [ClientState] in
                [.waiting(delay: .seconds(delay), attempt: index + 1), .connecting]
            } + [.gaveUp(refused(ECONNREFUSED))]
        #expect(bench.log.states == expected)
        let dials = bench.kernel.dials.map { Double($0.time) / 1e9 - bench.log.times[0] }
        #expect(dials.count == 5)
        for (dial, exact) in zip(dials, [0.0, 3, 9, 21, 45]) {
            #expect((exact...exact + 0.005).contains(dial), "\(dial) for \(exact)")
        }
        #expect(client.counters.dials == 5 && client.counters.connections == 0)
        #expect(bench.kernel.sockets.isEmpty)
    }

    @Test func `without an end it goes on at the cap`() throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, _ in .refusesLater(ECONNREFUSED) }
        let client = bench.connect(to: "10.0.0.1:9000", Backoff(initial: .seconds(3)))
        try bench.turn(until: { bench.log.delays.count == 100 }, atMost: 20_000)
        #expect(bench.log.delays.prefix(6) == seconds(3, 6, 12, 24, 48, 60)[...])
        #expect(bench.log.delays.dropFirst(5).allSatisfy { $0 == .seconds(60) })
        #expect(!client.state.isFinal && bench.kernel.sockets.isEmpty)
    }

    @Test func `a connection that drops before its first packet keeps the delays growing`() throws {
        let bench = try NetworkBench()
        let client = bench.connect { $0.abort() }
        try bench.turn(until: { client.state.isFinal })
        #expect(bench.log.delays == seconds(3, 6, 12, 24))
        #expect(bench.log.states.last == .gaveUp(.lost(.aborted)))
        #expect(client.counters.connections == 5)
    }

    @Test func `the delays begin anew after a first packet`() throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, number in number % 3 == 0 ? .connects : .refuses(ECONNREFUSED) }
        let client = bench.connect()
        for _ in 0..<3 {
            try bench.turn(until: { client.session != nil })
            let session = try #require(client.session)
            bench.kernel.deliver(packet, to: session)
            try bench.turn(until: { session.counters.packetsReceived == 1 })
            session.abort()
            try bench.turn(until: { client.session == nil })
        }
        // Two refusals before each connection; after it, the loss itself is the first.
        #expect(bench.log.delays == seconds(3, 6, 3, 6, 12, 3, 6, 12, 3))
    }

    @Test func `the delays begin anew after the stable period, not before`() throws {
        let bench = try NetworkBench()
        var options = ClientOptions()
        options.stablePeriod = .seconds(10)
        let client = bench.connect(options: options)
        for lasting in [9, 9, 11, 9] {
            try bench.turn(until: { client.session != nil })
            bench.kernel.advance(.seconds(lasting))
            try bench.reactor.turn()
            client.session?.abort()
            try bench.turn(until: { client.state.isWaiting })
        }
        #expect(bench.log.delays == seconds(3, 6, 3, 6))
    }

    @Test func `without a stable period time proves nothing`() throws {
        let bench = try NetworkBench()
        let client = bench.connect()
        for _ in 0..<2 {
            try bench.turn(until: { client.session != nil })
            bench.kernel.advance(.seconds(100_000))
            client.session?.abort()
            try bench.turn(until: { client.state.isWaiting })
        }
        #expect(bench.log.delays == seconds(3, 6))
    }

    @Test func `where the program confirms, nothing that is received begins the delays anew`()
        throws
    {
        let bench = try NetworkBench()
        var options = ClientOptions()
        options.proof = .confirmation
        let client = bench.connect(options: options)
        for isConfirmed in [false, false, true, false] {
            try bench.turn(until: { client.session != nil })
            let session = try #require(client.session)
            bench.kernel.deliver(packet, to: session)
            try bench.turn(until: { session.counters.packetsReceived == 1 })
            if isConfirmed { client.confirm(session) }
            session.abort()
            try bench.turn(until: { client.state.isWaiting })
        }
        #expect(bench.log.delays == seconds(3, 6, 3, 6))
    }

    @Test func `a confirmed connection has proved itself without a packet`() throws {
        let bench = try NetworkBench()
        let client = bench.connect()
        for isConfirmed in [false, true, false] {
            try bench.turn(until: { client.session != nil })
            let session = try #require(client.session)
            if isConfirmed { client.confirm(session) }
            session.abort()
            try bench.turn(until: { client.state.isWaiting })
        }
        #expect(bench.log.delays == seconds(3, 3, 6))
    }

    @Test func `what is found out late confirms no other connection`() throws {
        let bench = try NetworkBench()
        let client = bench.connect()
        var last: Session?
        for _ in 0..<3 {
            try bench.turn(until: { client.session != nil })
            if let last { client.confirm(last) }
            last = client.session
            client.session?.abort()
            try bench.turn(until: { client.state.isWaiting })
            if let last { client.confirm(last) }
        }
        #expect(bench.log.delays == seconds(3, 6, 12))
    }

    @Test func `jitter is drawn from the seed, within the delay`() throws {
        func delays(seed: UInt64?, _ jitter: Backoff.Jitter) throws -> [Duration] {
            let bench = try NetworkBench()
            bench.kernel.fate = { _, _ in .refuses(ECONNREFUSED) }
            var options = ClientOptions()
            options.jitterSeed = seed
            let client = bench.connect(
                to: "10.0.0.1:9000", Backoff(attempts: 6, jitter: jitter), options: options)
            try bench.turn(until: { client.state.isFinal })
            return bench.log.delays
        }
        let full = try delays(seed: 1, .full)
        #expect(try full == delays(seed: 1, .full))
        #expect(try full != delays(seed: 2, .full))
        // Without one, six delays to the attosecond are never the same by chance.
        #expect(try delays(seed: nil, .full) != delays(seed: nil, .full))
        let limits = seconds(3, 6, 12, 24, 48, 60)
        #expect(full.count == 6 && zip(full, limits).allSatisfy { $0 <= $1 })
        let equal = try delays(seed: 1, .equal)
        #expect(zip(equal, limits).allSatisfy { ($1 / 2...$1).contains($0) })
    }
}
