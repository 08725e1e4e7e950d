// What reactors may hold: bounded, told by memoryBound, and no more than each part's own share.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientMemoryTests {
    private static let requestsOfEach = 20

    /// Clients with small limits, each connected and with as many requests as it may have.
    private static func bench(clients: Int) throws -> NetworkBench {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 4096
        let bench = try NetworkBench(limits: limits)
        var options = ClientOptions()
        options.maximumPendingRequests = requestsOfEach
        options.maximumCopiedRequests = requestsOfEach
        options.session.limits.maximumDataLength = 100
        options.session.limits.maximumQueuedBytes = 4096
        options.session.limits.outputHighWatermark = 2048
        options.session.limits.outputLowWatermark = 1024
        for _ in 0..<clients {
            let client = bench.reactor.makeClient(to: "10.0.0.1:1", options: options)
            for _ in 0..<requestsOfEach {
                client.request(category: 1, data: "x", timeout: .seconds(1000)) { _ in }
            }
        }
        bench.kernel.isFrozen = true
        try bench.turn(until: {
            bench.reactor.snapshot().clientTotals.requestsSent == clients * requestsOfEach
        })
        return bench
    }

    /// Measured in a process of its own, where nobody else allocates; it prints what it finds:
    /// bytes that were allocated for so many clients, and how far their reactor's bound rose.
    @Test func `a thousand clients take ten times what a hundred take, and within the bound`()
        async throws
    {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            let empty = try Self.bench(clients: 0).reactor.memoryBound
            _ = try Self.bench(clients: 10)
            for clients in [100, 1000] {
                let before = allocatedBytes()
                let bench = try Self.bench(clients: clients)
                print("found", allocatedBytes() - before, bench.reactor.memoryBound - empty)
            }
        }
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        let found = text.split(separator: "\n").filter { $0.hasPrefix("found ") }
            .map { $0.split(separator: " ").compactMap { Int($0) } }
        try #require(found.count == 2 && found.allSatisfy { $0.count == 2 }, "\(text)")
        let (few, many) = (found[0], found[1])
        #expect(few[0] > 100 * 1000, "\(few[0]) bytes are too few to compare with")
        // What all share grows by doubling, so that twice as much may be there as is needed.
        #expect(many[0] <= 20 * few[0], "\(many[0]) bytes against \(few[0])")
        #expect(many[1] == 10 * few[1])
        #expect(few[0] <= few[1] && many[0] <= many[1], "\(found)")
    }
}

@Suite struct MemoryBoundTests {
    /// What a reactor may hold without any endpoint.
    private func empty() throws -> Int { try Reactor(kernel: FaultyKernel()).memoryBound }

    /// What a dialled session adds.
    private func session() throws -> Int {
        let bench = try Bench()
        let before = bench.reactor.memoryBound
        bench.reactor.connectOnce(to: bench.server.address) { _ in }
        return bench.reactor.memoryBound - before
    }

    /// A client whose limits are its own.
    private func options(copies: Int) -> ClientOptions {
        var options = ClientOptions()
        options.maximumCopiedRequests = copies
        options.session.limits.maximumDataLength = 1000
        return options
    }

    @Test func `a dialled session counts from the attempt to its end, whatever becomes of it`()
        throws
    {
        let bench = try Bench()
        let (reactor, one) = (bench.reactor, try session())
        #expect(one > 0)
        let before = reactor.memoryBound
        var dialled: [Session] = []
        for _ in 0..<5 {
            reactor.connectOnce(to: bench.server.address) {
                dialled += (try? $0.get()).map { [$0] } ?? []
            }
        }
        #expect(reactor.memoryBound == before + 5 * one)
        try reactor.turn(until: { dialled.count == 5 })
        #expect(reactor.memoryBound == before + 5 * one)
        dialled[0].abort()
        dialled[1].close()
        try reactor.turn(until: { reactor.memoryBound == before + 3 * one })
        reactor.connectOnce(to: bench.server.address) { _ in }.cancel()
        try reactor.turn(times: 2)
        #expect(reactor.memoryBound == before + 3 * one)
        for session in dialled { session.abort() }
        try reactor.turn(times: 3)
        #expect(reactor.memoryBound == before)
    }

    @Test func `a client counts once with its copies, however often it connects`() throws {
        let bench = try ClientBench()
        let reactor = bench.reactor
        let before = reactor.memoryBound
        let few = reactor.makeClient(to: bench.address, options: options(copies: 10))
        let least = reactor.memoryBound - before
        let many = reactor.makeClient(to: bench.address, options: options(copies: 1010))
        #expect(reactor.memoryBound - before == 2 * least + 1000 * 1000)
        let all = reactor.memoryBound
        for _ in 0..<3 {
            try reactor.turn(until: { few.session != nil && many.session != nil })
            few.session?.abort()
            many.session?.abort()
            try reactor.turn(until: { few.session == nil && many.session == nil })
            #expect(reactor.memoryBound == all)
        }
        many.close()
        try reactor.turn(until: { reactor.memoryBound == before + least })
        few.close()
        try reactor.turn(until: { reactor.memoryBound == before })
    }

    /// Looked at before anything, while it dials, once it has a session, and while it waits.
    @Test func `a client's session counts once, also while it is dialled`() throws {
        let bench = try NetworkBench()
        let kernel = bench.kernel
        kernel.fate = { _, dial in dial == 1 ? .hangs : .connects }
        let base = bench.reactor.memoryBound
        let client = bench.connect(options: options(copies: 10))
        let bound = bench.reactor.memoryBound
        #expect(bound > base + 10 * 1000)
        func isDialing() -> Bool { if case .dialing = client.dialer { true } else { false } }
        kernel.isFrozen = true
        try bench.turn(until: isDialing)
        #expect(bench.reactor.memoryBound == bound)
        kernel.isFrozen = false
        try bench.turn(until: { client.state.isWaiting })
        #expect(bench.reactor.memoryBound == bound)
        try bench.turn(until: isDialing)
        #expect(bench.reactor.memoryBound == bound)
        try bench.turn(until: { client.state.isConnected })
        #expect(bench.reactor.memoryBound == bound)
        client.close()
        try bench.turn(until: { bench.reactor.memoryBound == base })
    }

    @Test func `what ends before its sessions counts until the last of them has ended`() throws {
        let bench = try ClientBench(isServing: false)
        let reactor = bench.reactor
        bench.client.close()
        try reactor.turn(times: 3)
        let base = try empty()
        #expect(reactor.memoryBound == base)
        var server = ServerOptions()
        server.limits.maximumSessions = 7
        try bench.serve(server)
        let serverShare = reactor.memoryBound - base
        let client = reactor.makeClient(to: bench.address, options: options(copies: 3))
        let clientShare = reactor.memoryBound - base - serverShare
        #expect(serverShare > 0 && clientShare > 0)
        try reactor.turn(until: { client.session != nil && bench.peer != nil })
        let session = client.session
        // Output that its peer does not read keeps the closed client's session.
        bench.peer?.pauseReading()
        for _ in 0..<1000 { session?.send(category: 1, data: [UInt8](repeating: 0, count: 1000)) }
        bench.server?.stop(sessions: .close)
        bench.peer?.send(category: 1, data: "left")
        client.close()
        bench.kernel.isFrozen = true
        try reactor.turn(times: 5)
        let living = [session, bench.peer].compactMap { $0 }.filter { !$0.hasEnded }
        #expect(living.count == 2)
        #expect(reactor.memoryBound == base + living.reduce(0) { $0 + $1.memoryBound })
        session?.abort()
        bench.peer?.abort()
        try reactor.turn(times: 3)
        #expect(reactor.memoryBound == base)
    }

    /// At random: endpoints and sessions come and go in any order.
    @Test func `when all are gone nothing is left of the bound, whatever their order`() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let base = reactor.memoryBound
        var servers: [Server] = []
        var clients: [Client] = []
        var sessions: [Session] = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<9, using: &generator) {
            case 0:
                servers.append(try reactor.listen(on: Bench.unixName()) { sessions.append($0) })
            case 1, 2:
                guard let server = servers.randomElement(using: &generator) else { continue }
                clients.append(reactor.makeClient(to: [server.address]) { sessions.append($0) })
            case 3:
                guard let server = servers.randomElement(using: &generator) else { continue }
                reactor.connectOnce(to: server.address) {
                    if case .success(let session) = $0 { sessions.append(session) }
                }
            case 4: servers.popLast()?.stop()
            case 5: servers.randomElement(using: &generator)?.drain(within: .seconds(1)) { _ in }
            case 6: clients.popLast()?.close()
            case 7: sessions.randomElement(using: &generator)?.abort()
            default: try reactor.turn(times: 2)
            }
            #expect(reactor.memoryBound >= base)
        }
        for client in clients { client.close() }
        for server in servers { server.stop(sessions: .abort) }
        for session in sessions { session.abort() }
        for _ in 0..<200 where reactor.memoryBound > base { try reactor.turn() }
        #expect(reactor.memoryBound == base, "seed \(RandomRun.seed)")
    }

    @Test func `limits as large as there are do not trap`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var options = ServerOptions()
            options.limits.maximumSessions = .max
            for _ in 0..<5 { try reactor.listen(on: "127.0.0.1:0", options: options) { _ in } }
            precondition(reactor.memoryBound > 0)
        }
    }

    @Test func `a client may let any number of requests wait`() async {
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor()
            var client = ClientOptions()
            client.maximumCopiedRequests = .max
            reactor.makeClient(to: "127.0.0.1:1", options: client)
            precondition(reactor.memoryBound > 0)
        }
    }
}
