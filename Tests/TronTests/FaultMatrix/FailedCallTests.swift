// Calls that fail, are interrupted, or move less than was asked for.
import Glibc
import Testing

@testable import Tron

@Suite struct FailedCallTests {
    private func echoBench(
        _ transport: Bench.Transport = .unix, limits: ReactorLimits = ReactorLimits()
    ) throws -> Bench {
        try Bench(transport, limits: limits) { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
    }

    private let packets = (0..<200).flatMap { wire(String(repeating: "\($0)", count: 1 + $0 % 50)) }

    @Test func `every call may be interrupted`() throws {
        let kernel = FaultyKernel()
        var interrupted: Set<KernelCall> = []
        var last: KernelCall?
        // Each call is interrupted once before it succeeds; close and connect happen at once.
        kernel.fault = { call, _, _ in
            if last == call {
                last = nil
                return nil
            }
            last = call
            if call == .unlink { return nil }
            interrupted.insert(call)
            return call == .close || call == .connect ? .errorAfterwards(EINTR) : .error(EINTR)
        }
        let reactor = try Reactor(kernel: kernel)
        let server = try reactor.listen(on: "127.0.0.1:0") { session in
            session.onPacket { session, packet in
                session.reply(to: packet, data: packet.data)
                session.close()
            }
        }
        var answers: [String] = []
        var reason: CloseReason?
        reactor.connectOnce(to: server.address) { result in
            guard case .success(let session) = result else {
                Issue.record("\(result)")
                return
            }
            session.onPacket { _, packet in answers.append(packet.text) }
            session.onClose { reason = $1 }
            session.send(category: 1, data: "through")
        }
        try reactor.turn(until: { reason != nil && server.sessionCount == 0 })
        #expect(answers == ["through"] && reason == .peerClosed)
        #expect(interrupted.count >= 12)
        #expect(interrupted.isSuperset(of: [.accept, .receive, .send, .epollWait, .connect]))
    }

    @Test func `reads of one byte at a time deliver the same packets`() throws {
        let bench = try echoBench()
        let peer = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .receive ? .atMost(1) : nil }
        peer.send(packets)
        try bench.reactor.turn(
            until: { peer.drained.received.count == packets.count },
            atMost: 2 * packets.count)
        #expect(peer.received == packets)
    }

    @Test func `a storm of refusals in every direction loses nothing`() throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            let bench = try echoBench()
            let peer = try bench.connect()
            bench.kernel.fault = { call, _, _ in
                guard call == .send || call == .receive else { return nil }
                switch random.next() % 4 {
                case 0: return .error(EAGAIN)
                case 1: return .error(EINTR)
                case 2: return .atMost(1 + Int(random.next() % 40))
                default: return nil
                }
            }
            peer.send(packets)
            try bench.reactor.turn(
                until: { peer.drained.received.count == packets.count },
                atMost: 20_000)
            #expect(peer.received == packets)
            peer.finish()
            try bench.turnUntilClosed()
            #expect(bench.reasons == [.peerClosed])
        }
    }

    @Test(arguments: [
        (KernelCall.receive, ETIMEDOUT, SystemError.Call.recv), (.send, ENOBUFS, .send),
        (.send, EPIPE, .send), (.receive, EHOSTUNREACH, .recv),
    ])
    func `what the kernel refuses ends the session with the call and the code`(
        call: KernelCall, code: Int32, name: SystemError.Call
    ) throws {
        let bench = try echoBench()
        let peer = try bench.connect()
        bench.kernel.fault = { failed, _, _ in failed == call ? .error(code) : nil }
        peer.send(wire("x"))
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.system(SystemError(name, code: code))])
        #expect(bench.sessions[0].send(category: 1, data: "y") == .closed)
        bench.kernel.fault = { _, _, _ in nil }
        let other = try bench.connect()
        other.send(wire("unharmed"))
        try bench.reactor.turn(until: { other.drained.texts == ["unharmed"] })
    }

    @Test func `a change of interest that epoll refuses ends that session alone`() throws {
        let bench = try echoBench()
        _ = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .epollControl ? .error(ENOMEM) : nil }
        bench.sessions[0].pauseReading()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.system(SystemError(.epoll_ctl, code: ENOMEM))])
    }

    @Test func `a shutdown that is refused does not stop the session from ending`() throws {
        let bench = try echoBench()
        let peer = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .shutdown ? .error(ENOTCONN) : nil }
        bench.sessions[0].close()
        try bench.turnUntilClosed()
        peer.drainToEnd()
        #expect(peer.isAtEnd && bench.server.sessionCount == 0)
    }

    @Test func `every descriptor is given back whatever becomes of the session`() throws {
        let bench = try echoBench(.ipv4)
        let open = bench.kernel.openDescriptors.count
        for round in 0..<40 {
            let peer = try bench.connect()
            let session = bench.sessions[round]
            switch round % 4 {
            case 0: session.abort()
            case 1: session.close()
            case 2: peer.reset()
            default: peer.finish()
            }
            peer.close()
            try bench.turnUntilClosed(round + 1)
        }
        #expect(bench.kernel.openDescriptors.count == open)
        #expect(bench.reactor.registry.wheel.count == 0)
        #expect(bench.reactor.registry.buffers.checkInvariant())
    }
}
