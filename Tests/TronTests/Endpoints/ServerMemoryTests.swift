// What a server's sessions take when their peers make them hold all they may: within the bound.
import Glibc
import Testing

@testable import Tron

@Suite struct ServerMemoryTests {
    private static let maximumDataLength = 4000
    private static let owed = 8

    private static func options(sessions: Int) -> ServerOptions {
        var options = ServerOptions()
        options.limits.maximumSessions = sessions
        options.session.limits.maximumDataLength = maximumDataLength
        options.session.limits.maximumQueuedBytes = 16 << 10
        options.session.limits.outputHighWatermark = 16 << 10
        options.session.limits.outputLowWatermark = 0
        options.session.limits.maximumOwedReplies = owed + 1
        options.session.limits.reservedReplyLength = 1000
        options.session.overflow = .refuse
        return options
    }

    /// Sessions with most of a large packet received, all output that may wait, and replies that
    /// are owed and given, none of which leaves.
    private static func fullBench(sessions: Int) throws -> (bench: Bench, peers: [Peer]) {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 4096
        let bench = try Bench(options: options(sessions: sessions), limits: limits) { session, _ in
            session.onPacket { session, packet in _ = session.replyAddress(of: packet) }
        }
        let peers = try (0..<sessions).map { _ in try bench.connect() }
        bench.kernel.isFrozen = true
        let large = OwnedPacket(
            category: 1, data: [UInt8](repeating: 1, count: maximumDataLength)
        ).wireBytes.dropLast(5)
        for peer in peers { peer.send((0..<owed).flatMap { wire("\($0)") } + large) }
        try bench.reactor.turn(until: {
            bench.sessions.allSatisfy {
                $0.owedReplyCount == owed && $0.inbound.keptCount == large.count
            }
        })
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        let data = [UInt8](repeating: 2, count: 1000)
        for session in bench.sessions {
            while session.send(category: 1, data: data) == .queued {}
            #expect(session.queuedBytes > 15_000)
        }
        return (bench, peers)
    }

    /// Measured in a process of its own, where nobody else allocates.
    @Test func `many sessions that are full take no more than the bound says`() async throws {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            _ = try Self.fullBench(sessions: 3)
            for sessions in [20, 200] {
                let before = allocatedBytes()
                let (bench, peers) = try Self.fullBench(sessions: sessions)
                print("found", allocatedBytes() - before, bench.reactor.memoryBound)
                withExtendedLifetime(peers) {}
            }
        }
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        let found = text.split(separator: "\n").filter { $0.hasPrefix("found ") }
            .map { $0.split(separator: " ").compactMap { Int($0) } }
        try #require(found.count == 2 && found.allSatisfy { $0.count == 2 }, "\(text)")
        for (sizes, sessions) in zip(found, [20, 200]) {
            #expect(sizes[0] > sessions * 20_000, "\(sizes[0]) bytes are too few to compare with")
            #expect(sizes[0] <= sizes[1], "\(sessions) sessions: \(sizes)")
        }
    }
}
