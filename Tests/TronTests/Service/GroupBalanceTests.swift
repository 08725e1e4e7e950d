// How a group deals connections out, and what becomes of those that are handed over.
import Glibc
import Testing

@testable import Tron

@Suite struct GroupBalanceTests {
    @Test func `seventeen clients on three reactors differ by at most four sessions`() throws {
        for _ in 0..<5 {
            let bench = try GroupBench()
            try bench.connect(17)
            let counts = bench.counts
            #expect(counts.reduce(0, +) == 17)
            #expect(counts.max()! - counts.min()! <= 4, "\(counts)")
            bench.check()
            // Each is served where it is.
            for (index, peer) in bench.peers.enumerated() { peer.send(wire("\(index)")) }
            try bench.turn(until: { bench.texts.count == 17 })
            for (index, peer) in bench.peers.enumerated() {
                peer.drain()
                #expect(peer.texts == ["\(index)"])
            }
        }
    }

    @Test func `of a Unix socket the first reactor deals out to whoever has the fewest`() throws {
        let bench = try GroupBench(on: Bench.unixName())
        try bench.connect(17)
        #expect(bench.counts.sorted() == [5, 6, 6])
        #expect(bench.reactors[0].snapshot().serverTotals.handedOver == 17 - bench.counts[0])
        #expect(bench.reactors[1].snapshot().serverTotals.takenOver == bench.counts[1])
        bench.check()
        // Those that leave make room where they were.
        for peer in bench.peers.prefix(9) { peer.close() }
        try bench.turn(until: { bench.server.sessionCount == 8 })
        try bench.connect(4)
        #expect(bench.counts.reduce(0, +) == 12 && bench.counts.max()! <= 6)
        bench.check()
    }

    @Test func `the counts that balance looks at are those of each reactor and of what comes`() {
        let shares = ServerShares(count: 3, areDealt: false)
        for index in 0..<3 { shares.counts.open(index) }
        // Up to four more than the least it keeps, and those on their way count.
        shares.counts.set(3, at: 0)
        #expect(shares.taker(insteadOf: 0) == nil)
        shares.counts.set(4, at: 0)
        #expect(shares.taker(insteadOf: 0) == 1)
        #expect(shares.counts.send(to: 1))
        #expect(shares.counts[1] == 1 && shares.taker(insteadOf: 0) == 2)
        shares.counts.set(1, at: 2)
        #expect(shares.taker(insteadOf: 0) == nil)
        shares.counts.arrived(at: 1)
        #expect(shares.taker(insteadOf: 0) == 1)
        shares.counts.close(1)
        #expect(shares.taker(insteadOf: 0) == nil && !shares.counts.send(to: 1))
        #expect(shares.counts[1] == 0)
        #expect(shares.taker(insteadOf: 1) == nil, "nobody has fewer")
    }

    @Test func `the tolerance is four, and the size of chance where there are many`() {
        let least = [0, 4, 5, 8, 9, 100, 10_000]
        #expect(least.map(ServerShares.tolerance) == [4, 4, 4, 5, 6, 20, 200])
    }

    @Test func `a connection is kept where the other reactor refuses it`() throws {
        var limits = ReactorLimits()
        limits.maximumWaitingWork = 1
        let bench = try GroupBench(count: 2, on: Bench.unixName(), limits: limits)
        try bench.connect(1)
        #expect(bench.counts == [1, 0])
        #expect(bench.reactors[1].remote.submit { _ in }.isAccepted)
        try bench.knock()
        try bench.reactors[0].turn(times: 2)
        #expect(bench.counts == [2, 0] && bench.total(\.handedOver) == 0)
        bench.check()
        // As soon as it takes work again it gets the next.
        try bench.turn()
        try bench.connect(1)
        #expect(bench.counts == [2, 1] && bench.total(\.handedOver) == 1)
        bench.check()
    }

    @Test func `what is on its way to a server that stops is closed, told and counted`() throws {
        let bench = try GroupBench(count: 2, on: Bench.unixName())
        try bench.connect(1)
        let open = bench.kernel.openDescriptors.count
        let peers = [try bench.knock(), try bench.knock()]
        bench.reactors[1].servers[0].stopListening()
        bench.reactors[0].remote.submit { _ in }
        try bench.turn(times: 2)
        #expect(bench.counts == [3, 0], "a server that has stopped is sent nothing")
        for peer in peers { peer.close() }
        try bench.turn(until: { bench.server.sessionCount == 1 })
        #expect(bench.kernel.openDescriptors.count == open)
    }

    @Test func `what was sent before the server stopped is closed, told and counted`() throws {
        let bench = try GroupBench(count: 2, on: Bench.unixName())
        try bench.connect(1)
        let open = bench.kernel.openDescriptors.count
        let peer = try bench.knock()
        try bench.reactors[0].turn()
        #expect(bench.server.sessionCounts == [1, 1] && bench.counts == [1, 0])
        bench.reactors[1].servers[0].stopListening()
        try bench.reactors[1].turn(times: 2)
        #expect(bench.total(\.refusedByStop) == 1 && bench.total(\.handedOver) == 1)
        #expect(bench.logs[1].notes.contains { $0.hasSuffix("stopped before it was handed over") })
        #expect(bench.kernel.openDescriptors.count == open)
        peer.drainToEnd()
        #expect(peer.isAtEnd || peer.error == ECONNRESET)
        bench.check()
        // Its place is free, and so is that of a session's.
        #expect(bench.server.sessionCount == 1)
    }

    /// Where the reactor ends before the server is asked for.
    @Test func `what was sent before the reactor stopped becomes a session that ends with it`()
        throws
    {
        let bench = try GroupBench(count: 2, on: Bench.unixName())
        try bench.connect(1)
        let peer = try bench.knock()
        try bench.reactors[0].turn()
        bench.reactors[1].stop()
        try bench.turn()
        #expect(bench.logs[1].reasons == [.reactorStopped])
        peer.drainToEnd()
        #expect(peer.isAtEnd || peer.error == ECONNRESET)
        // From then on it is kept.
        try bench.connect(2)
        #expect(bench.counts == [3, 0])
        bench.check()
    }

    @Test func `sessions of the whole group are bounded together`() throws {
        var options = ServerOptions()
        options.limits.maximumSessions = 5
        let bench = try GroupBench(options: options)
        for _ in 0..<8 { try bench.knock() }
        try bench.turn(until: { bench.total(\.refusedByLimit) == 3 })
        #expect(bench.counts.reduce(0, +) == 5)
        for peer in bench.peers { peer.drain() }
        let closed = bench.peers.filter { $0.isAtEnd || $0.error != 0 }
        #expect(closed.count == 3)
        bench.peers.first { !$0.isAtEnd && $0.error == 0 }?.close()
        try bench.turn(until: { bench.server.sessionCount == 4 })
        try bench.connect(1)
        #expect(bench.total(\.refusedByLimit) == 3)
        bench.check()
    }

    @Test func `sessions of one address are bounded for the whole group`() throws {
        var options = ServerOptions()
        options.limits.maximumSessionsPerAddress = 4
        options.limits.maximumSessions = 6
        let bench = try GroupBench(options: options)
        for _ in 0..<6 { try bench.knock() }
        try bench.turn(until: { bench.total(\.refusedByAddressLimit) == 2 })
        #expect(bench.counts.reduce(0, +) == 4)
        // Their places among the six are free again.
        for peer in bench.peers { peer.close() }
        try bench.turn(until: { bench.server.sessionCount == 0 })
        try bench.connect(4)
        bench.check()
    }
}

@Suite struct GroupProxyTests {
    private static func options() throws -> ServerOptions {
        var options = ServerOptions()
        options.proxyProtocol = try .required(from: [.unix, Network("127.0.0.0/8")])
        return options
    }

    @Test func `a connection is handed over before its PROXY header`() throws {
        let bench = try GroupBench(count: 2, on: Bench.unixName(), options: Self.options())
        bench.kernel.isFrozen = true
        for _ in 0..<2 { try bench.knock() }
        try bench.turn(times: 3)
        #expect(bench.server.sessionCounts == [1, 1])
        #expect(bench.counts == [0, 0])
        for peer in bench.peers {
            peer.send("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".utf8)
            peer.send(wire("behind"))
        }
        try bench.turn(until: { bench.texts.count == 2 })
        let client = try SocketAddress("192.0.2.1:56324")
        #expect(bench.logs[1].sessions.map(\.remoteAddress) == [client])
        bench.check()
    }

    @Test func `who may not speak for others is closed where it was accepted`() throws {
        var options = ServerOptions()
        options.proxyProtocol = try .required(from: [Network("10.0.0.0/8")])
        options.limits.maximumSessions = 1
        let bench = try GroupBench(count: 2, on: Bench.unixName(), options: options)
        for _ in 0..<3 { try bench.knock() }
        try bench.turn(until: { bench.total(\.proxy.untrusted) == 3 })
        #expect(bench.total(\.handedOver) == 0 && bench.server.sessionCount == 0)
    }

    @Test func `connections without a header have places, and give them back`() throws {
        var options = try Self.options()
        options.limits.maximumSessions = 2
        let bench = try GroupBench(count: 2, on: Bench.unixName(), options: options)
        bench.kernel.isFrozen = true
        for _ in 0..<3 { try bench.knock() }
        try bench.turn(until: { bench.total(\.refusedByLimit) == 1 })
        #expect(bench.server.sessionCounts == [1, 1])
        bench.peers[0].send("nonsense that is no header".utf8)
        bench.peers[1].close()
        try bench.turn(until: { bench.server.sessionCount == 0 })
        for _ in 0..<2 { try bench.knock().send("PROXY UNKNOWN\r\n".utf8) }
        try bench.turn(until: { bench.counts == [1, 1] })
        bench.check()
    }
}
