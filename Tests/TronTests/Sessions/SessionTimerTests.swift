// Deadlines of sessions on the fake clock: slow packets, idleness in bytes, slow ends.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionTimerTests {
    private func seconds(_ bench: Bench, since start: Int64) -> Double {
        Double(bench.kernel.clock - start) / 1e9
    }

    /// Sends a byte a second until the session has ended or the bytes have.
    private func trickle(_ bytes: [UInt8], from peer: Peer, to bench: Bench) throws {
        for byte in bytes {
            peer.send([byte])
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 2)
            bench.kernel.isFrozen = false
            if !bench.reasons.isEmpty { return }
            bench.kernel.advance(.seconds(1))
        }
    }

    @Test func `a peer that sends a byte a second is closed by the packet's time`() throws {
        var options = SessionOptions()
        options.limits.packetTimeout = .seconds(30)
        options.idle = IdleTimeouts(read: .seconds(5), either: .seconds(5))
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let start = bench.kernel.clock
        try trickle(wire(String(repeating: "x", count: 1000)), from: peer, to: bench)
        #expect(bench.reasons == [.deadlineExceeded(.packet)])
        #expect((30...31).contains(seconds(bench, since: start)))
    }

    @Test func `a large packet that arrives slowly is not idleness`() throws {
        var options = SessionOptions()
        options.limits.packetTimeout = nil
        options.idle = IdleTimeouts(read: .seconds(3), either: .seconds(3))
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        try trickle(wire(String(repeating: "x", count: 500)), from: peer, to: bench)
        #expect(bench.reasons == [] && bench.texts.count == 1)
        let start = bench.kernel.clock
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.idle(.read)])
        #expect((1...3).contains(seconds(bench, since: start)))
    }

    @Test func `the packet's clock starts anew with every packet`() throws {
        var options = SessionOptions()
        options.limits.packetTimeout = .seconds(20)
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let packet = wire("1234")
        // 15 bytes a packet, a byte a second: each takes 14 s, and the stream never rests.
        try trickle(packet + packet + packet + packet, from: peer, to: bench)
        #expect(bench.texts.count == 4 && bench.reasons == [])
        // Two packets in one read, the second one cut: its time starts with that read.
        peer.send(packet + packet.prefix(3))
        let start = bench.kernel.clock
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.deadlineExceeded(.packet)])
        #expect((20...20.001).contains(seconds(bench, since: start)))
    }

    @Test func `between packets there is no packet's time`() throws {
        var options = SessionOptions()
        options.limits.packetTimeout = .seconds(1)
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        peer.send(wire("a").prefix(3))
        try bench.reactor.turn()
        peer.send(wire("a").dropFirst(3))
        try bench.reactor.turn(until: { bench.texts == ["a"] })
        bench.reactor.schedule(after: .seconds(3600)) {}
        try bench.reactor.turn(until: { seconds(bench, since: 0) > 3600 })
        #expect(bench.reasons == [])
    }

    @Test func `bytes that the kernel takes count as activity, whole packets or not`() throws {
        var options = SessionOptions()
        options.idle = IdleTimeouts(write: .seconds(3), either: .seconds(3))
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .send ? .atMost(1) : nil }
        bench.sessions[0].send(category: 1, data: String(repeating: "x", count: 100))
        for _ in 0..<111 {
            bench.kernel.isFrozen = true
            try bench.reactor.turn()
            bench.kernel.isFrozen = false
            bench.kernel.advance(.seconds(2))
            peer.drain()
        }
        #expect(bench.reasons == [])
        #expect(peer.texts.count == 1)
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.idle(.write)])
    }

    @Test func `activity touches the wheel only when the timer rings`() throws {
        var options = SessionOptions()
        options.idle = IdleTimeouts(either: .seconds(10))
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let timer = bench.sessions[0].deadlines
        bench.kernel.isFrozen = true
        for _ in 0..<100 {
            bench.kernel.advance(.milliseconds(50))
            peer.send(wire("x"))
            try bench.reactor.turn()
        }
        #expect(bench.texts.count == 100 && bench.sessions[0].deadlines == timer)
        #expect(bench.reactor.registry.wheel.count == 1)
        bench.kernel.isFrozen = false
        let start = bench.kernel.clock
        try bench.turnUntilClosed()
        #expect((10...10.001).contains(seconds(bench, since: start)))
        #expect(bench.reactor.registry.wheel.count == 0)
    }

    @Test func `a close whose output does not leave ends in time and says so`() throws {
        var options = SessionOptions()
        options.limits.closeTimeout = .seconds(4)
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        defer { peer.close() }
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        bench.sessions[0].send(category: 1, data: "stuck")
        let start = bench.kernel.clock
        bench.sessions[0].close()
        bench.kernel.isFrozen = true
        for _ in 0..<30 where bench.reasons.isEmpty {
            try bench.reactor.turn()
            bench.kernel.advance(.milliseconds(200))
        }
        #expect(bench.reasons == [.deadlineExceeded(.close)])
        #expect((4...4.5).contains(seconds(bench, since: start)))
    }

    @Test func `a peer that does not end its stream is waited for as long as closeTime`() throws {
        var options = SessionOptions()
        options.limits.closeTimeout = .seconds(4)
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        bench.sessions[0].send(category: 1, data: "last")
        let start = bench.kernel.clock
        bench.sessions[0].close()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.requested])
        #expect((4...4.001).contains(seconds(bench, since: start)))
        peer.drainToEnd()
        #expect(peer.texts == ["last"] && peer.isAtEnd)
    }

    @Test(arguments: [Bench.Transport.unix, .ipv4])
    func `an idle session drops what waits, and its peer has what came before it`(
        transport: Bench.Transport
    ) throws {
        var options = SessionOptions()
        options.idle.write = .seconds(5)
        let kernel = FaultyKernel()
        kernel.sendBuffer = 8192
        let bench = try Bench(transport, session: options, kernel: kernel)
        let peer = try bench.connect(receiveBuffer: 8192)
        let data = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        let packet = OwnedPacket(sequence: 7, category: 1, data: data)
        bench.sessions[0].send(sequence: 7, category: 1, data: data)
        kernel.isFrozen = true
        try bench.reactor.turn(times: 5)
        kernel.isFrozen = false
        #expect(bench.sessions[0].queuedBytes > 100_000)
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.idle(.write)])
        peer.drainToEnd()
        if transport == .unix {
            #expect(peer.isAtEnd && peer.received.count == bench.sessions[0].counters.bytesSent)
        } else {
            #expect(peer.error == ECONNRESET && !peer.isAtEnd)
        }
        #expect(packet.wireBytes.starts(with: peer.received))
    }
}
