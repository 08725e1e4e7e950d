// Every cause by which sessions end: brought about, told, and counted.
import Glibc
import Testing

@testable import Tron

@Suite struct CloseCauseTests {
    private static func options(for cause: CloseCause) -> SessionOptions {
        var options = SessionOptions()
        switch cause {
        case .idle: options.idle.read = .seconds(1)
        case .dead:
            options.deadAfter = .seconds(3)
            options.heartbeat = Heartbeat(category: 200, interval: .seconds(1))
        case .deadlineExceeded: options.limits.packetTimeout = .seconds(1)
        case .overflow:
            options.limits.maximumQueuedBytes = 1000
            options.limits.outputHighWatermark = 1000
            options.limits.outputLowWatermark = 0
            options.limits.maximumDataLength = 100
        default: break
        }
        return options
    }

    /// Does what ends a session so, as far as its options have not done it.
    private func provoke(_ cause: CloseCause, _ bench: Bench, _ peer: Peer) throws {
        let session = bench.sessions[0]
        let kernel = bench.kernel
        func failReceiving(_ code: Int32) {
            kernel.fault = { call, _, _ in call == .receive ? .error(code) : nil }
            peer.send(wire("x"))
        }
        switch cause {
        case .requested:
            session.close()
            peer.finish()
        case .aborted: session.abort()
        case .peerClosed: peer.finish()
        case .idle, .dead: break
        case .protocolFault:
            peer.send([UInt8](repeating: 0xff, count: 20))
            peer.finish()
        case .overflow:
            kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
            while session.send(category: 1, data: "more") == .queued {}
        case .deadlineExceeded: peer.send(wire("half").dropLast(3))
        case .reactorStopped:
            bench.reactor.stop()
            try bench.reactor.run()
        case .reset: peer.reset()
        case .silent: failReceiving(ETIMEDOUT)
        case .system: failReceiving(ENOMEM)
        case .unanswered: session.abort(.unanswered(requests: 1))
        }
    }

    @Test(arguments: CloseCause.allCases)
    func `a session ends by each cause, which its handler is told and which counts once`(
        cause: CloseCause
    ) throws {
        let bench = try Bench(.ipv4, session: Self.options(for: cause))
        let peer = try bench.connect()
        try provoke(cause, bench, peer)
        if cause != .reactorStopped { try bench.turnUntilClosed() }
        #expect(bench.reasons.map(\.cause) == [cause])
        let closed = bench.reactor.snapshot().sessions.closed
        #expect(closed[cause] == 1 && closed.total == 1)
        withExtendedLifetime(peer) {}
    }

    @Test func `causes have names of their own, in small letters`() {
        let names = CloseCause.allCases.map(\.description)
        #expect(Set(names).count == names.count)
        #expect(names.joined().allSatisfy { $0 == "_" || $0.isLowercase })
        #expect(CloseCause.peerClosed.description == "peer_closed")
    }

    @Test func `a broken pipe is the peer's reset, and other calls are the system's`() {
        func cause(_ call: SystemError.Call, _ code: Int32) -> CloseCause {
            CloseReason.system(SystemError(call, code: code)).cause
        }
        #expect(cause(.send, EPIPE) == .reset && cause(.recv, ECONNRESET) == .reset)
        #expect(cause(.send, ETIMEDOUT) == .silent && cause(.recv, EHOSTUNREACH) == .system)
    }
}
