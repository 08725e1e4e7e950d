// What sessions send: whole or refused, back pressure by watermarks, a cap, and no byte lost.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionSendTests {
    @Test func `a packet that is too large is refused whole and the session goes on`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 10
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let session = bench.sessions[0]
        #expect(session.send(category: 1, data: "0123456789") == .queued)
        #expect(session.send(category: 1, data: "0123456789a") == .tooLarge)
        #expect(session.send(category: 1, data: "after") == .queued)
        try bench.reactor.turn(until: { peer.drained.texts.count == 2 })
        #expect(peer.texts == ["0123456789", "after"])
        #expect(bench.reasons == [] && session.isOpen)
        #expect(session.counters.packetsSent == 2)
        #expect(session.counters.bytesSent == peer.received.count)
    }

    @Test func `replies carry the request's sequence and category`() throws {
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                session.reply(to: packet, data: packet.data)
                session.send(sequence: -1, category: 0, data: [0x0d, 0x0a])
            }
        }
        let peer = try bench.connect()
        peer.send(wire("x", sequence: .max, category: 255) + wire("", sequence: 0, category: 0))
        try bench.reactor.turn(until: { peer.drained.packets.count == 4 })
        #expect(
            peer.packets == [
                OwnedPacket(sequence: .max, category: 255, data: [0x78]),
                OwnedPacket(sequence: -1, category: 0, data: [0x0d, 0x0a]),
                OwnedPacket(sequence: 0, category: 0, data: []),
                OwnedPacket(sequence: -1, category: 0, data: [0x0d, 0x0a]),
            ])
    }

    @Test func `a turn's packets leave in one write`() throws {
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let peer = try bench.connect()
        let kernel = bench.kernel
        peer.send((0..<50).flatMap { wire("\($0)") })
        try bench.reactor.turn()
        #expect(kernel.calls[.send] == 1)
        for number in 0..<50 { bench.sessions[0].send(category: 1, data: "\(number)") }
        try bench.reactor.turn(times: 2)
        #expect(kernel.calls[.send] == 2)
        peer.drain()
        #expect(peer.texts == (0..<100).map { "\($0 % 50)" })
    }

    /// Sizes are such that packets wrap around the end of the ring in every way.
    @Test(arguments: [1 as UInt64, 2, 3, 4, 5])
    func `whatever the kernel takes of each write, every byte arrives in order`(seed: UInt64)
        throws
    {
        var random = SplitMix64(seed: seed)
        var options = SessionOptions()
        options.limits.outputHighWatermark = 9000
        options.limits.outputLowWatermark = 100
        options.limits.maximumQueuedBytes = 12_000
        options.limits.maximumDataLength = 9000
        options.overflow = .refuse
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        bench.kernel.fault = { call, number, _ in
            guard call == .send else { return nil }
            return number % 5 == 0 ? .error(EAGAIN) : .atMost(1 + number * 7919 % 6000)
        }
        var expected: [UInt8] = []
        for round in 0..<3000 {
            let most = random.next() % 5 == 0 ? 9000 : 300
            let size = Int(random.next() % UInt64(most))
            let data = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: size)
            if bench.sessions[0].send(sequence: Int32(round), category: 1, data: data) == .queued {
                let packet = OwnedPacket(sequence: Int32(round), category: 1, data: data)
                expected += packet.wireBytes
            }
            if random.next() % 3 == 0 { try bench.reactor.turn() }
            peer.drain()
        }
        try bench.reactor.turn(until: {
            peer.drain()
            return bench.sessions[0].queuedBytes == 0
        })
        peer.drain()
        #expect(peer.received == expected)
    }

    @Test func `with the refusing policy an overflow leaves the session unharmed`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 1000
        options.limits.maximumQueuedBytes = 2000
        options.limits.outputHighWatermark = 2000
        options.limits.outputLowWatermark = 0
        options.overflow = .refuse
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let session = bench.sessions[0]
        let data = [UInt8](repeating: 1, count: 889)
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        #expect(session.send(category: 1, data: data) == .queued)
        #expect(session.send(category: 1, data: data) == .queued)
        #expect(session.send(category: 1, data: data) == .overflow)
        #expect(session.queuedBytes == 1800)
        #expect(session.send(bytes: "fits") == .queued)
        bench.kernel.fault = { _, _, _ in nil }
        try bench.reactor.turn(until: { session.queuedBytes == 0 })
        #expect(session.send(category: 1, data: data) == .queued)
        try bench.reactor.turn(until: { peer.drained.received.count == 2704 })
        #expect(bench.reasons == [])
    }
}

@Suite struct SessionBackPressureTests {
    private var small: SessionOptions {
        var options = SessionOptions()
        options.limits.outputHighWatermark = 64 << 10
        options.limits.outputLowWatermark = 16 << 10
        return options
    }

    private func echo(_ session: Session, _ log: Log) {
        session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        session.onWritabilityChange { session, isWritable in
            log.notes.append("\(isWritable) \(session.isWritable)")
        }
    }

    @Test func `a reader that stops for a while is told of once each way and loses nothing`()
        throws
    {
        let bench = try Bench(session: small, setup: echo)
        let peer = try bench.connect()
        let session = bench.sessions[0]
        let stream = (0..<2000).flatMap { wire(String(repeating: "\($0 % 10)", count: 1000)) }
        var mode: KernelFault? = .error(EAGAIN)
        bench.kernel.fault = { call, _, _ in call == .send ? mode : nil }
        var sent = 0
        func sendMore() throws {
            let count = peer.send(stream[sent..<min(sent + 100_000, stream.count)])
            sent += max(0, count)
            try bench.reactor.turn()
        }
        for _ in 0..<100 { try sendMore() }
        #expect(sent < stream.count)
        #expect(bench.log.notes == ["false false"])
        #expect(session.queuedBytes > 64 << 10)
        #expect(session.queuedBytes <= (64 << 10) + 1011)
        let received = session.counters.bytesReceived
        for _ in 0..<20 { try sendMore() }
        #expect(session.counters.bytesReceived == received)
        mode = .atMost(1000)
        for _ in 0..<200 where session.queuedBytes > (16 << 10) + 1000 {
            peer.drain()
            try bench.reactor.turn()
            #expect(bench.log.notes.count == 1)
        }
        try bench.reactor.turn()
        #expect(bench.log.notes == ["false false", "true true"])
        mode = nil
        for _ in 0..<5000 where peer.received.count < stream.count {
            peer.drain()
            try sendMore()
        }
        #expect(peer.received == stream)
        #expect(bench.reasons == [])
    }

    @Test func `without the pause a peer that does not read meets the cap`() throws {
        var options = small
        options.pausesReadingAboveHighWatermark = false
        options.limits.maximumQueuedBytes = 256 << 10
        options.limits.maximumDataLength = 1000
        let bench = try Bench(session: options, setup: echo)
        let peer = try bench.connect()
        let packet = wire(String(repeating: "x", count: 1000))
        let bulk = Array(repeatElement(packet, count: 50).joined())
        for _ in 0..<200 where bench.reasons.isEmpty {
            peer.send(bulk)
            try bench.reactor.turn()
            #expect(bench.sessions[0].queuedBytes <= 256 << 10)
        }
        guard case .overflow(let bytes) = try #require(bench.reasons.first) else {
            Issue.record("\(bench.reasons)")
            return
        }
        #expect(bytes > 256 << 10 && bytes <= (256 << 10) + 1011)
        #expect(bench.log.notes.first == "false false")
    }

    @Test func `a peer that never reads holds no more than its cap while another is served`()
        throws
    {
        let bench = try Bench(session: small, setup: echo)
        let deaf = try bench.connect()
        let other = try bench.connect()
        let packet = wire(String(repeating: "x", count: 1000))
        let bulk = Array(repeatElement(packet, count: 50).joined())
        for round in 1...300 {
            deaf.send(bulk)
            other.send(wire("\(round)"))
            try bench.reactor.turn(times: 2)
            other.drain()
            #expect(other.texts.count == round)
        }
        let session = bench.sessions[0]
        #expect(session.queuedBytes <= (64 << 10) + 1011)
        let (capacity, kept) = (session.outbound.capacity, session.inbound.keptCount)
        #expect(capacity <= 128 << 10 && kept <= 256 << 10)
        #expect(bench.reasons == [])
    }

    @Test func `a writability handler may close or abort its session or send more`() throws {
        for action in [0, 1, 2] {
            let bench = try Bench(session: small) { session, log in
                session.onPacket { session, packet in
                    for _ in 0..<100 { session.reply(to: packet, data: packet.data) }
                }
                session.onWritabilityChange { session, isWritable in
                    log.notes.append("\(isWritable)")
                    switch action {
                    case 0: session.close()
                    case 1: session.abort()
                    default: session.send(category: 9, data: "note")
                    }
                }
            }
            let peer = try bench.connect(receiveBuffer: 4096)
            for _ in 0..<10 {
                peer.send(wire(String(repeating: "y", count: 10_000)))
                try bench.reactor.turn()
            }
            #expect(bench.log.notes == ["false"])
            peer.finish()
            try bench.reactor.turn(until: { peer.drained.isAtEnd || peer.error != 0 })
            #expect(action == 1 || peer.packets.count { $0.category == 1 } % 100 == 0)
            try bench.turnUntilClosed()
            #expect(bench.reasons == [[.requested], [.aborted], [.peerClosed]][action])
        }
    }
}
