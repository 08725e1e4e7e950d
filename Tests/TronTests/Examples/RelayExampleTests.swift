// The relay example as a process: each peer has its own answers, whatever other peers do, until
// the relay's end.
import Glibc
import Testing

@testable import Tron
@testable import relay_load

@Suite struct RelayExampleTests: RelaySuite {
    /// The relay's own bound, with one packet of each peer in its turn; and 32 MiB for the program.
    private static let memoryOfEightPeers = 8 * 6 << 20 + 32 << 20

    @Test func `each peer gets its own answers, in order, of all sizes`() throws {
        let backend = try EchoServer()
        let relay = try RelayUnderTest(to: backend.address)
        let settings = RelayLoad.Settings(requests: 500, upTo: 64 << 10)
        let bench = try Self.bench(relay, settings)
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(bench.load.answered == settings.total)
        #expect(try relay.end() == (settings.total, 0))
    }

    @Test func `a peer that does not read takes nothing from those that do`() throws {
        let alone = try answersOfSeven(beside: nil)
        let silent = SilentPeer()
        let beside = try answersOfSeven(beside: silent)
        #expect(silent.isOpen && silent.requests >= 16)
        #expect(Double(beside) >= 0.9 * Double(alone), "\(beside) of \(alone)")
    }

    /// How many answers the peers that read have, once the backend has given 10,000 in all.
    private func answersOfSeven(beside silent: SilentPeer?) throws -> Int {
        let reactor = try Reactor()
        let settings = RelayLoad.Settings(peers: 7, requests: .max)
        var load: RelayLoad?
        var given = 0
        var answers = 0
        let backend = try reactor.listen(on: "127.0.0.1:0") { session in
            session.onPacket { session, packet in
                if packet.category == SilentPeer.category { silent?.requests += 1 }
                session.reply(to: packet, data: packet.data)
                given += 1
                guard given == 10_000 else { return }
                answers = load?.answered ?? 0
                silent?.end()
                load?.end()
            }
        }
        let relay = try RelayUnderTest(to: backend.address)
        let bench = try Self.bench(relay, settings, on: reactor)
        load = bench.load
        silent?.begin(to: relay.address, on: reactor)
        try bench.run()
        let memory = try relay.mostMemory()
        if RelayUnderTest.hasOrdinaryMemory { #expect(memory <= Self.memoryOfEightPeers) }
        _ = try relay.end()
        return answers
    }
}

// MARK: - Hostile peers, and the end

extension RelayExampleTests {
    @Test func `what is no request ends its connection, and no other`() throws {
        let backend = try EchoServer()
        let relay = try RelayUnderTest(to: backend.address)
        let good = try PlainClient(relay.address)
        let packet = wire("a request", sequence: 7, category: 254)
        var hostile = [
            wire("", sequence: -1), wire("", sequence: .min), wire("x", category: 255),
            Array(packet.dropLast(2)) + [13, 13],
            [0, 0, 0, 1, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 255, 255, 255, 255],
        ]
        var generator = SeededGenerator(seed: RandomRun.seed)
        // A negative sequence, or a length that is too large, of whatever packet they begin.
        for _ in 0..<10 {
            hostile.append([255] + (0..<40).map { _ in .random(in: 128...255, using: &generator) })
        }
        for bytes in hostile {
            let client = try PlainClient(relay.address)
            client.send(bytes)
            #expect(try client.receive(count: 1) == [], "\(bytes) TRON_SEED=\(RandomRun.seed)")
            good.send(packet)
            #expect(try good.receive(count: packet.count) == packet)
        }
        relay.process.signal(SIGTERM)
        #expect(try good.receive(count: 1) == [])
        good.finish()
        #expect(try relay.awaitEnd() == (hostile.count, 0))
    }

    @Test func `at the end what was asked is answered, also what comes late`() throws {
        let backend = try EchoServer()
        let relay = try RelayUnderTest(to: backend.address)
        let settings = RelayLoad.Settings(requests: .max)
        let bench = try Self.bench(relay, settings)
        try bench.run { load in
            guard load.concluded == 2000 else { return }
            load.expectEnd()
            relay.process.signal(SIGTERM)
        }
        #expect(bench.load.told == [:] && bench.load.answered >= 2000)
        #expect(try relay.awaitEnd() == (bench.load.answered, 0))
    }

    @Test func `a backend that dies at the end has all that it owes told before it`() throws {
        let reactor = try Reactor()
        let settings = RelayLoad.Settings(requests: 40)
        var relay: RelayUnderTest?
        var owed = 0
        let backend = try reactor.listen(on: "127.0.0.1:0") { session in
            session.onPacket { session, packet in
                owed += 1
                guard owed == 8 * 16, let relay else { return }
                relay.process.signal(SIGTERM)
                whenRefused(relay.address, reactor) { session.abort() }
            }
        }
        relay = try RelayUnderTest(to: backend.address, ["--timeout", "60000"])
        let bench = try Self.bench(try #require(relay), settings, on: reactor)
        try bench.run { $0.expectEnd() }
        #expect(bench.load.peers.allSatisfy { $0.told == [1: 16] && $0.answered == 0 })
        let sums = try relay?.awaitEnd()
        #expect(sums?.answered == 0 && sums?.failed == 8 * 16)
    }

    @Test func `help says what there is, and misuse is told`() throws {
        let help = try ProcessUnderTest(["--help"], of: "example-relay").awaitEnd()
        #expect(help.status == 0 && help.output.contains("--backend"))
        let good = ["serve", "--port", "0", "--backend", "127.0.0.1:1"]
        let misused = [
            [], ["serve"], Array(good.dropLast()), Array(good.dropLast(2)),
            ["serve", "--port", "65536", "--backend", "127.0.0.1:1"],
            Array(good.dropLast()) + ["nowhere"], good + ["--timeout", "0"], good + ["--loud"],
        ]
        for words in misused {
            let outcome = try ProcessUnderTest(words, of: "example-relay").awaitEnd()
            #expect(outcome.status == 64, "\(words)")
        }
    }
}

/// Connects again and again until nobody listens at the address, as when a drain has begun.
private func whenRefused(
    _ address: SocketAddress, _ reactor: Reactor, _ action: @escaping () -> Void
) {
    reactor.connectOnce(to: address) { result in
        guard let session = try? result.get() else { return action() }
        session.abort()
        whenRefused(address, reactor, action)
    }
}
