// What a session keeps for its handler: bounded, whatever the handler does instead of taking it.
import Testing

@testable import Tron

/// Small bounds, and peers that send all the time.
private final class KeptBytesStage {
    static let maximumDataLength = 1000
    static let bytesReadPerTurn = 4096
    /// The largest packet, and one turn's reading.
    static let most = maximumDataLength + PacketFormat.overhead + bytesReadPerTurn

    let bench: Bench
    private(set) var peers: [Peer] = []
    private(set) var mostKept = 0

    init(sessions: Int = 1, setup: @escaping (Session, Log) -> Void) throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = Self.maximumDataLength
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = Self.bytesReadPerTurn
        bench = try Bench(session: options, limits: limits, setup: setup)
        for _ in 0..<sessions { peers.append(try bench.connect()) }
    }

    /// Takes turns until a session has ended; before each, all peers send these bytes.
    func turn(
        _ count: Int, sending bytes: [UInt8] = [], before: () -> Void = {}
    ) throws {
        for _ in 0..<count where bench.reasons.isEmpty {
            before()
            if !bytes.isEmpty { for peer in peers { peer.send(bytes) } }
            try bench.reactor.turn()
            for session in bench.sessions { mostKept = max(mostKept, session.inbound.keptCount) }
        }
    }
}

@Suite struct KeptBytesTests {
    private static let turns = 50
    private let flood = [UInt8](repeating: 1, count: 2 * KeptBytesStage.bytesReadPerTurn)

    @Test func `a handler that pauses, resumes and takes nothing is told of the fault`() throws {
        let stage = try KeptBytesStage { session, _ in
            session.onBytes { session, _ in
                session.pauseReading()
                session.resumeReading()
                return 0
            }
        }
        try stage.turn(Self.turns, sending: flood)
        #expect(stage.mostKept <= KeptBytesStage.most)
        stage.peers[0].finish()
        try stage.bench.turnUntilClosed()
        let count = KeptBytesStage.bytesReadPerTurn
        #expect(stage.bench.reasons == [.protocolFault(.tooManyUnconsumedBytes(count))])
    }

    @Test func `handlers that give way to each other and take nothing are given no more`() throws {
        func install(_ session: Session, _ log: Log) {
            session.onBytes { session, bytes in
                log.notes.append("\(bytes.byteCount)")
                install(session, log)
                return 0
            }
        }
        let stage = try KeptBytesStage { session, log in install(session, log) }
        try stage.turn(Self.turns, sending: flood)
        #expect(stage.mostKept <= KeptBytesStage.most && stage.bench.reasons == [])
        // One that takes what there is, goes on with it.
        stage.bench.sessions[0].onBytes { _, bytes in bytes.byteCount }
        try stage.bench.reactor.turn(times: 3)
        #expect(stage.bench.sessions[0].inbound.keptCount == 0)
        #expect(stage.bench.sessions[0].counters.bytesReceived > stage.mostKept)
    }

    @Test func `a handler that is resumed again and again and takes nothing is given no more`()
        throws
    {
        let stage = try KeptBytesStage { session, _ in
            session.onBytes { session, _ in
                session.pauseReading()
                return 0
            }
        }
        let session = stage.bench.sessions[0]
        try stage.turn(Self.turns, sending: flood) { session.resumeReading() }
        #expect(stage.mostKept <= KeptBytesStage.most && stage.bench.reasons == [])
    }

    /// The first session pauses at each packet, and goes on when the second has had one: before
    /// the kernel's news of the first, which would have it read behind what it has kept.
    @Test func `packets that wait behind a pause are delivered before more is read`() throws {
        let stage = try KeptBytesStage(sessions: 2) { session, log in
            session.onPacket { session, packet in
                session.pauseReading()
                if session === log.sessions[0] {
                    log.texts.append(packet.text)
                } else {
                    log.sessions[0].resumeReading()
                }
            }
        }
        let (first, second) = (stage.bench.sessions[0], stage.bench.sessions[1])
        let stream = (0..<20_000).flatMap { wire("\($0)") }
        var sent = [0, 0]
        for _ in 0..<Self.turns {
            // Woken in this order, and both before the kernel's news.
            first.resumeReading()
            second.resumeReading()
            for (index, peer) in stage.peers.enumerated() {
                sent[index] += max(0, peer.send(stream[sent[index]...].prefix(6000)))
            }
            try stage.turn(1)
        }
        #expect(stage.mostKept <= KeptBytesStage.most)
        first.onPacket { [log = stage.bench.log] _, packet in log.texts.append(packet.text) }
        first.resumeReading()
        let count = OwnedPacket.all(in: Array(stream[..<sent[0]])).count
        #expect(count > Self.turns)
        try stage.bench.reactor.turn(until: { stage.bench.texts.count == count })
        #expect(stage.bench.texts == (0..<count).map { "\($0)" })
    }
}
