// The stream example's producer turn by turn: what a slow peer takes from others, and its own end.
import Testing

@testable import Tron
@testable import example_stream

@Suite struct StreamTests {
    /// A bench whose sessions are sent streams, and whose clock the test moves.
    private func bench(_ length: Int) throws -> Bench {
        let bench = try Bench(options: Stream.serverOptions) { session, _ in
            Stream(ofLength: length).begin(on: session)
        }
        bench.kernel.isFrozen = true
        return bench
    }

    /// Bytes that each of eight peers received in so many turns, of which `turnsPerSecond` take a
    /// second. Each reads whatever has come, but the slow one, if there is one: 1 KiB a second.
    private func received(turns: Int, turnsPerSecond: Int, slow: Int? = nil) throws -> [Int] {
        let bench = try bench(Stream.maximumLength)
        let peers = try (0..<8).map { _ in try bench.connect() }
        let before = peers.map { $0.drained.received.count }
        for turn in 1...turns {
            bench.kernel.advance(.seconds(1) / turnsPerSecond)
            try bench.reactor.turn()
            for (number, peer) in peers.enumerated() where number != slow { peer.drain() }
            if let slow, turn % turnsPerSecond == 0 { peers[slow].drain(atMost: 1024) }
        }
        #expect(bench.reasons == [])
        return zip(peers, before).map { $0.received.count - $1 }
    }

    @Test func `a peer that reads a kilobyte a second takes nothing from seven others`() throws {
        let alone = try received(turns: 60, turnsPerSecond: 20)
        let beside = try received(turns: 60, turnsPerSecond: 20, slow: 3)
        // A high watermark's worth a turn is what a peer is sent that reads at once.
        let turnsWorth = Stream.serverOptions.session.limits.outputHighWatermark
        #expect(alone.allSatisfy { $0 >= 50 * turnsWorth }, "\(alone)")
        for number in 0..<8 where number != 3 {
            #expect(10 * beside[number] >= 9 * alone[number], "\(beside) beside \(alone)")
        }
        #expect(beside[3] == 3 * 1024)
    }

    @Test func `what waits for a peer that does not read is bounded, and nothing is refused`()
        throws
    {
        let bench = try bench(Stream.maximumLength)
        let peer = try bench.connect()
        try bench.reactor.turn(times: 20)
        let session = bench.sessions[0]
        let limits = Stream.serverOptions.session.limits
        #expect(session.queuedBytes >= limits.outputHighWatermark)
        #expect(session.largestQueuedBytes <= limits.maximumQueuedBytes)
        for _ in 0..<100 {
            peer.drain(atMost: 10_000)
            try bench.reactor.turn()
            #expect(session.queuedBytes > 0)
        }
        #expect(session.largestQueuedBytes <= limits.maximumQueuedBytes)
        #expect(session.counters.packetsRefused == 0)
    }

    @Test func `who reads nothing for an hour is dropped, and who reads once in that time is not`()
        throws
    {
        let bench = try bench(Stream.maximumLength)
        let peer = try bench.connect()
        try bench.reactor.turn(times: 20)
        for _ in 0..<5 {
            bench.kernel.advance(.seconds(3599))
            peer.drain()
            try bench.reactor.turn(times: 2)
        }
        #expect(bench.reasons == [])
        bench.kernel.advance(.seconds(3601))
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.idle(.write)])
    }

    @Test func `the end of a peer that is being sent a stream is heard at once`() throws {
        let bench = try bench(Stream.maximumLength)
        let peer = try bench.connect()
        for turn in 0..<20 {
            if turn == 10 { peer.finish() }
            try bench.reactor.turn()
            peer.drain()
        }
        #expect(bench.reasons == [.peerClosed] && peer.isAtEnd && peer.error == 0)
    }

    /// All is queued long before it has been read: a buffer of the kernel is 200 s of reading.
    @Test func `a peer that reads a kilobyte a second gets all of the stream, and a clean end`()
        throws
    {
        let length = 1 << 20
        let bench = try bench(length)
        let peer = try bench.connect()
        for _ in 0..<2000 where !peer.isAtEnd {
            bench.kernel.advance(.seconds(1))
            try bench.reactor.turn()
            peer.drain(atMost: 1024)
        }
        #expect(StreamedBytes(ofLength: length).fault(of: peer) == nil)
        #expect(bench.reasons == [])
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.peerClosed])
    }
}
