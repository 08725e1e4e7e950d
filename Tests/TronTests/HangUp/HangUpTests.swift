// Hang-ups beside their table: crowds of them, those of a server, and what a user does meanwhile.
import Glibc
import Testing

@testable import Tron

@Suite struct HangUpTests {
    /// Sessions whose kernel takes little, and whose marks are low.
    private func bench(
        _ transport: Bench.Transport = .unix, _ change: (inout SessionOptions) -> Void = { _ in }
    ) throws -> Bench {
        var options = SessionOptions()
        options.limits.maximumDataLength = 4096
        options.limits.maximumQueuedBytes = 256 << 10
        options.limits.outputHighWatermark = 32 << 10
        options.limits.outputLowWatermark = 8 << 10
        options.limits.halfCloseTimeout = .seconds(20)
        change(&options)
        let kernel = FaultyKernel()
        kernel.sendBuffer = 4608
        return try Bench(transport, session: options, kernel: kernel)
    }

    private func queue(_ bytes: Int, on session: Session) {
        let data = [UInt8](repeating: 0x61, count: 1000)
        for _ in 0..<(bytes / 1000) { session.send(category: 1, data: data) }
    }

    /// Turns while the clock stands.
    private func turnFrozen(_ bench: Bench, times: Int = 3) throws {
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: times)
        bench.kernel.isFrozen = false
    }

    @Test func `peers that hang up above the high mark, and then close, leave no session behind`()
        throws
    {
        let bench = try bench()
        let openBefore = bench.kernel.openDescriptors.count
        let peers = try (0..<50).map { _ in try bench.connect() }
        for session in bench.sessions { queue(100_000, on: session) }
        try turnFrozen(bench)
        #expect(bench.sessions.allSatisfy { $0.queuedBytes > 32 << 10 })
        for peer in peers { peer.hangUp() }
        try turnFrozen(bench)
        bench.kernel.advance(.milliseconds(20))
        for peer in peers { peer.close() }
        bench.reactor.schedule(after: .seconds(60)) {}
        try bench.reactor.turn(until: { bench.reasons.count == 50 }, atMost: 100)
        #expect(bench.kernel.openDescriptors.count == openBefore)
        #expect(bench.server.sessionCount == 0)
    }

    @Test func `a server that hangs up while its client's output waits does not make it spin`()
        throws
    {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let listener = try PlainListener()
        var sessions: [Session] = []
        var reasons: [CloseReason] = []
        reactor.connectOnce(to: listener.address) { result in
            guard let session = try? result.get() else { return }
            sessions.append(session)
            session.onClose { _, reason in reasons.append(reason) }
        }
        try reactor.turn(until: { sessions.count == 1 })
        let server = listener.accept()
        queue(400_000, on: sessions[0])
        kernel.isFrozen = true
        try reactor.turn(times: 3)
        kernel.isFrozen = false
        #expect((1...512 << 10).contains(sessions[0].queuedBytes))
        shutdown(server, Int32(SHUT_RDWR))
        reactor.schedule(after: .seconds(60)) {}
        let (waits, calls) = (kernel.waits, kernel.allCalls)
        for _ in 0..<60 where reasons.isEmpty { try reactor.turn() }
        #expect(kernel.waits - waits <= 20 && kernel.allCalls - calls <= 80)
        #expect(reasons == [.system(SystemError(.send, code: EPIPE))])
        close(server)
    }

    @Test(arguments: [Bench.Transport.unix, .ipv4])
    func `a paused session whose peer has ended may be closed or aborted`(
        transport: Bench.Transport
    ) throws {
        for isAborted in [false, true] {
            let bench = try bench(transport)
            let peer = try bench.connect()
            bench.sessions[0].pauseReading()
            try turnFrozen(bench)
            if transport == .unix { peer.hangUp() } else { peer.finish() }
            try turnFrozen(bench)
            #expect(bench.reasons == [])
            let start = bench.kernel.clock
            if isAborted { bench.sessions[0].abort() } else { bench.sessions[0].close() }
            try bench.turnUntilClosed()
            #expect(bench.reasons == [isAborted ? .aborted : .requested])
            #expect(bench.kernel.clock - start < 100_000_000)
        }
    }

    @Test func `what is sent to a peer that hung up tells of it, also while reading is paused`()
        throws
    {
        let bench = try bench()
        let peer = try bench.connect()
        bench.sessions[0].pauseReading()
        try turnFrozen(bench)
        peer.hangUp()
        try turnFrozen(bench)
        #expect(bench.reasons == [])
        bench.sessions[0].send(category: 1, data: "nobody reads")
        try turnFrozen(bench)
        #expect(bench.reasons == [.system(SystemError(.send, code: EPIPE))])
    }
}

/// A Unix listener that the library knows nothing of.
private final class PlainListener {
    private let descriptor: Int32
    let address: SocketAddress

    init() throws {
        address = try SocketAddress(Bench.unixName())
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let number = descriptor
        let result = address.withRawAddress { raw, length in
            bind(number, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        try #require(result == 0 && listen(descriptor, 8) == 0)
    }

    deinit { close(descriptor) }

    func accept() -> Int32 { Glibc.accept(descriptor, nil, nil) }
}
