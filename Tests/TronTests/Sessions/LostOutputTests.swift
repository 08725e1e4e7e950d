// What was queued leaves, or the session ends with a reason that says that it was dropped.
import Glibc
import Testing

@testable import Tron

/// The reasons that promise that all output has left; each other one says what was queued is lost.
extension CloseReason {
    fileprivate var keepsOutput: Bool {
        switch self {
        case .requested, .peerClosed, .protocolFault: true
        default: false
        }
    }
}

@Suite struct LostOutputTests {
    /// What ends a session whose output waits.
    enum End: CaseIterable {
        case close, abort, closeWriting, drain, stopServer, abortServer, peerFinishes, peerResets
        case fault, halfAPacket, overflow, stopReactor, idle, packetTime, closeTime
    }

    private static func options(_ end: End) -> SessionOptions {
        var options = SessionOptions()
        options.pausesReadingAboveHighWatermark = false
        switch end {
        case .idle: options.idle.read = .seconds(2)
        case .packetTime: options.limits.packetTimeout = .seconds(2)
        case .closeTime: options.limits.closeTimeout = .seconds(2)
        case .overflow:
            options.limits.maximumDataLength = 50_000
            options.limits.maximumQueuedBytes = 300_000
            options.limits.outputHighWatermark = 300_000
        default: break
        }
        return options
    }

    private func bring(_ end: End, to bench: Bench, _ peer: Peer) throws {
        let session = bench.sessions[0]
        switch end {
        case .close, .closeTime: session.close()
        case .abort: session.abort()
        case .closeWriting: session.closeWriting()
        case .drain: bench.server.drain(within: .seconds(60)) { _ in }
        case .stopServer: bench.server.stop()
        case .abortServer: bench.server.stop(sessions: .abort)
        case .peerFinishes: peer.finish()
        case .peerResets: peer.reset()
        case .fault: peer.send([UInt8](repeating: 0xff, count: 20))
        case .halfAPacket:
            peer.send(wire("cut").dropLast(3))
            peer.finish()
        case .packetTime: peer.send(wire("cut").dropLast(3))
        case .overflow:
            let data = [UInt8](repeating: 9, count: 40_000)
            while session.send(category: 1, data: data) == .queued {}
        case .stopReactor:
            bench.reactor.stop()
            try bench.reactor.run()
        case .idle: break
        }
    }

    @Test(arguments: End.allCases)
    func `what is queued is lost only with a reason that says so`(end: End) throws {
        let kernel = FaultyKernel()
        kernel.sendBuffer = 8192
        let bench = try Bench(.ipv4, session: Self.options(end), kernel: kernel)
        let peer = try bench.connect(receiveBuffer: 8192)
        let texts = (0..<6).map { String(repeating: "\($0)", count: 40_000) }
        for text in texts { #expect(bench.sessions[0].send(category: 1, data: text) == .queued) }
        kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.sessions[0].queuedBytes > 100_000)
        try bring(end, to: bench, peer)
        // Some are ended by time, while the peer does not read; in the others it goes on reading.
        let isLate = [.idle, .packetTime, .closeTime].contains(end)
        kernel.isFrozen = !isLate
        for _ in 0..<20_000 where bench.reasons.isEmpty {
            try bench.reactor.turn()
            if isLate || peer.descriptor < 0 { continue }
            peer.drain()
            if peer.isAtEnd || end == .closeWriting && peer.texts.count == 6 { peer.finish() }
        }
        let reason = try #require(bench.reasons.first)
        if peer.descriptor >= 0 { peer.drainToEnd() }
        if reason.keepsOutput {
            #expect(peer.texts == texts, "\(reason)")
        } else {
            #expect(peer.texts.count < 6, "nothing was at stake")
        }
        let expected: Set<End> = [
            .close, .closeWriting, .drain, .stopServer, .peerFinishes, .fault, .halfAPacket,
        ]
        #expect(reason.keepsOutput == expected.contains(end), "\(reason)")
    }
}
