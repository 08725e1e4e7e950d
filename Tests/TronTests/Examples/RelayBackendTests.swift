// The relay example as a process: every request has its one outcome, whatever becomes of the
// backend.
import Testing

@testable import Tron
@testable import relay_load

@Suite struct RelayBackendTests: RelaySuite {
    @Test func `a backend that is killed twice costs what it had been sent, and no more`() throws {
        let backend = try MortalBackend()
        let relay = try RelayUnderTest(to: backend.address, ["--timeout", "60000"])
        let settings = RelayLoad.Settings(requests: 1500, upTo: 5000)
        let bench = try Self.bench(relay, settings)
        try bench.run { load in
            switch load.concluded {
            case settings.total / 3, settings.total * 2 / 3: backend.dieAndReturn(bench)
            case settings.total: load.end()
            default: break
            }
        }
        #expect(backend.deaths == 2)
        let lost = bench.load.told[1] ?? 0
        #expect(bench.load.told == [1: lost] && lost > 0 && lost <= 2 * 8 * 16)
        #expect(bench.load.answered + lost == settings.total)
        #expect(try relay.end() == (bench.load.answered, lost))
    }

    @Test func `what was sent is told as lost, and what waits goes to the next connection`() throws
    {
        let reactor = try Reactor()
        var held = 0
        let backend = try reactor.listen(on: "127.0.0.1:0") { session in
            session.onPacket { session, packet in
                // All that eight peers may have on their way.
                if held == 8 * 16 {
                    _ = session.reply(to: packet, data: packet.data)
                    return
                }
                held += 1
                if held == 8 * 16 { session.abort() }
            }
        }
        let relay = try RelayUnderTest(to: backend.address, ["--timeout", "60000"])
        let settings = RelayLoad.Settings(requests: 40)
        let bench = try Self.bench(relay, settings, on: reactor)
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(bench.load.peers.allSatisfy { $0.told == [1: 16] && $0.answered == 24 })
        #expect(try relay.end() == (8 * 24, 8 * 16))
    }
}

// MARK: - A backend that is slow, away or wrong

extension RelayBackendTests {
    /// All packets are of the largest size, so that more is asked than kernels buffer. The backend
    /// reads nothing before it was, and answers nothing before it has all that may be on its way.
    @Test func `when the backend is slow, peers wait their turn, and none is refused`() throws {
        let reactor = try Reactor()
        let settings = Self.pressing
        var received = Array(repeating: 0, count: settings.peers)
        var least: Int?
        var first: [OwnedPacket]? = []
        var options = ServerOptions()
        options.session.limits.maximumQueuedBytes = 64 << 20
        let backend = try reactor.listen(on: "127.0.0.1:0", options: options) { session in
            session.pauseReading()
            session.onPacket { session, packet in
                if first == nil { session.reply(to: packet, data: packet.data) }
                first?.append(packet.copy())
                if let all = first, all.count == settings.peers * 16 {
                    for packet in all { session.send(bytes: packet.wireBytes) }
                    first = nil
                }
                // It lies in the first eight bytes of the data, above the sequence.
                guard let word = try? ByteReader(packet.data).peek() else { return }
                let peer = Int(word >> 32)
                received[peer] += 1
                if received[peer] == settings.requests && least == nil { least = received.min() }
            }
        }
        let relay = try RelayUnderTest(to: backend.address, ["--timeout", "60000"])
        let bench = try Self.bench(relay, settings, on: reactor)
        reactor.schedule(after: .milliseconds(10), repeating: .milliseconds(10)) {
            guard bench.load.asked >= settings.peers * settings.window else { return }
            backend.forEachSession { $0.resumeReading() }
        }
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(bench.load.answered == settings.total)
        #expect(try #require(least) >= settings.requests / 2, "\(received)")
        #expect(try relay.end() == (settings.total, 0))
    }

    private static var pressing: RelayLoad.Settings {
        var settings = RelayLoad.Settings(peers: 16, requests: 80, upTo: 64 << 10)
        settings.variesLength = false
        return settings
    }

    @Test func `while nobody is at the backend's address, each request is told that it was late`()
        throws
    {
        let reactor = try Reactor()
        let backend = try reactor.listen(on: "127.0.0.1:0") { _ in }
        backend.stop()
        let relay = try RelayUnderTest(to: backend.address, ["--timeout", "50"])
        let settings = RelayLoad.Settings(requests: 40)
        let bench = try Self.bench(relay, settings, on: reactor)
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(bench.load.told == [2: settings.total])
        #expect(try relay.end() == (0, settings.total))
    }

    @Test func `a request that is not answered in time does not cost the others their connection`()
        throws
    {
        let reactor = try Reactor()
        var connections = 0
        var isIgnored = false
        let backend = try reactor.listen(on: "127.0.0.1:0") { session in
            connections += 1
            session.onPacket { session, packet in
                if isIgnored { session.reply(to: packet, data: packet.data) }
                isIgnored = true
            }
        }
        let relay = try RelayUnderTest(to: backend.address, ["--timeout", "3000"])
        var settings = RelayLoad.Settings(requests: 20)
        settings.window = 1
        let bench = try Self.bench(relay, settings, on: reactor)
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(bench.load.told == [2: 1])
        #expect(connections == 1)
        #expect(try relay.end() == (settings.total - 1, 1))
    }

    @Test func `a backend that answers nothing loses its connection, and each request is told`()
        throws
    {
        let backend = try SilentListener()
        let relay = try RelayUnderTest(to: backend.address, ["--timeout", "50"])
        let settings = RelayLoad.Settings(requests: 40)
        let bench = try Self.bench(relay, settings)
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(Set(bench.load.told.keys).isSubset(of: [1, 2]) && bench.load.told[2] ?? 0 >= 8)
        #expect(try relay.end() == (0, settings.total))
    }

    @Test func `an answer that would be taken for the relay's own word is told as such`() throws {
        let reactor = try Reactor()
        let backend = try reactor.listen(on: "127.0.0.1:0") { session in
            session.onPacket { session, packet in
                session.send(sequence: packet.sequence, category: 255, data: [1])
            }
        }
        let relay = try RelayUnderTest(to: backend.address)
        let settings = RelayLoad.Settings(requests: 20)
        let bench = try Self.bench(relay, settings, on: reactor)
        try bench.run { if $0.concluded == settings.total { $0.end() } }
        #expect(bench.load.told == [4: settings.total])
        #expect(try relay.end() == (0, settings.total))
    }
}

extension ByteReader {
    /// The first word.
    fileprivate consuming func peek() throws(ByteReaderError) -> UInt64 {
        try readInteger(as: UInt64.self)
    }
}
