// What a peer sees of a session that ends before its output has left: a reset, and no end.
import Glibc
import Testing

@testable import Tron

@Suite struct UnsentOutputTests {
    /// How a session ends for another reason than its peer's.
    enum Loss: CaseIterable {
        case closeTimeout, idle, reactorStop, stopOfItsServer

        var reason: CloseReason {
            switch self {
            case .closeTimeout: .deadlineExceeded(.close)
            case .idle: .idle(.write)
            case .reactorStop: .reactorStopped
            case .stopOfItsServer: .deadlineExceeded(.close)
            }
        }
    }

    private func bench(_ loss: Loss) throws -> Bench {
        var options = SessionOptions()
        options.limits.closeTimeout = .seconds(5)
        if loss == .idle { options.idle.write = .seconds(5) }
        let kernel = FaultyKernel()
        kernel.sendBuffer = 4608
        return try Bench(.ipv4, session: options, kernel: kernel)
    }

    private func bringAbout(_ loss: Loss, on bench: Bench) throws {
        switch loss {
        case .closeTimeout: bench.sessions[0].close()
        case .idle: break
        case .reactorStop:
            bench.reactor.stop()
            return try bench.reactor.run()
        case .stopOfItsServer: bench.server.stop(sessions: .close)
        }
        try bench.turnUntilClosed()
    }

    @Test(arguments: Loss.allCases)
    func `a peer of which output was dropped sees a reset behind what has left`(loss: Loss) throws {
        let bench = try bench(loss)
        let peer = try bench.connect(receiveBuffer: 4096)
        let size = 1 << 20
        #expect(bench.sessions[0].send(bytes: [UInt8](repeating: 7, count: size)) == .queued)
        try bringAbout(loss, on: bench)
        #expect(bench.reasons == [loss.reason])
        peer.drainToEnd()
        #expect(peer.error == ECONNRESET && !peer.isAtEnd)
        #expect(peer.received.count < size)
    }

    @Test(arguments: Loss.allCases)
    func `a peer that was sent everything sees an end of stream`(loss: Loss) throws {
        let bench = try bench(loss)
        let peer = try bench.connect()
        bench.sessions[0].send(category: 1, data: "all")
        try bench.reactor.turn()
        try bringAbout(loss, on: bench)
        peer.drainToEnd()
        #expect(peer.isAtEnd && peer.error == 0 && peer.texts == ["all"])
    }

    @Test func `what is closed in a turn that was long already has the whole time to leave`() throws
    {
        var options = SessionOptions()
        options.limits.closeTimeout = .seconds(1)
        let kernel = FaultyKernel()
        let size = 1 << 20
        let bench = try Bench(session: options, kernel: kernel) { session, _ in
            session.onPacket { session, _ in
                kernel.advance(.seconds(30))
                session.send(bytes: [UInt8](repeating: 7, count: size))
                session.close()
            }
        }
        let peer = try bench.connect()
        peer.send(wire("go"))
        try bench.reactor.turn(until: {
            peer.drain()
            return peer.isAtEnd
        })
        #expect(peer.received.count == size)
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.requested])
    }
}
