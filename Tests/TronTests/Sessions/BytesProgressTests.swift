// What a handler of raw bytes consumes counts as progress, whatever it does to its session.
import Testing

@testable import Tron

@Suite struct BytesProgressTests {
    /// What a handler does to its session in the call in which it consumes something.
    enum Interruption: String, CaseIterable {
        case pauses, replaces, becomesPackets, closes, aborts
    }

    @Test(arguments: Interruption.allCases)
    func `what is consumed counts, whatever the handler does in the same call`(
        interruption: Interruption
    ) throws {
        let bench = try Bench { session, _ in
            session.onBytes { session, bytes in
                switch interruption {
                case .pauses: session.pauseReading()
                case .replaces: session.onBytes { _, bytes in bytes.byteCount }
                case .becomesPackets: session.onPacket { _, _ in }
                case .closes: session.close()
                case .aborts: session.abort()
                }
                return bytes.byteCount
            }
        }
        let peer = try bench.connect()
        peer.send([1, 2, 3])
        try bench.reactor.turn(times: 2)
        #expect(bench.sessions[0].counters.bytesReceived == 3)
        #expect(bench.sessions[0].counters.packetsReceived == 1)
    }

    /// A line that began at once, and one behind it that began with the first one's end.
    @Test(arguments: [Interruption.pauses, .replaces])
    func `an incomplete packet's time runs from its own first byte`(interruption: Interruption)
        throws
    {
        var options = SessionOptions()
        options.limits.packetTimeout = .seconds(5)
        func takeLine(_ session: Session, _ bytes: RawSpan) -> Int {
            let end = bytes.withUnsafeBytes { $0.firstIndex(of: 10) }
            guard let end else { return 0 }
            switch interruption {
            case .pauses:
                session.pauseReading()
                session.resumeReading()
            default: session.onBytes(takeLine)
            }
            return end + 1
        }
        let bench = try Bench(session: options) { session, _ in session.onBytes(takeLine) }
        let peer = try bench.connect()
        let start = bench.kernel.clock
        bench.kernel.isFrozen = true
        peer.send("on".utf8)
        try bench.reactor.turn(times: 2)
        bench.kernel.advance(.seconds(4))
        peer.send("e\ntw".utf8)
        try bench.reactor.turn(times: 2)
        bench.kernel.isFrozen = false
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.deadlineExceeded(.packet)])
        let seconds = Double(bench.kernel.clock - start) / 1e9
        #expect((9.0...9.01).contains(seconds), "after \(seconds) s")
    }
}
