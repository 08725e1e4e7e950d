// Packets as a session hands them over: whole, in order, however they come and whatever they hold.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionPacketTests {
    private func echoBench(session options: SessionOptions = SessionOptions()) throws -> Bench {
        try Bench(session: options) { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                session.reply(to: packet, data: packet.data)
            }
        }
    }

    @Test func `a packet that arrives in two reads is not corrupted, wherever it is cut`() throws {
        let bench = try echoBench()
        let peer = try bench.connect()
        let packet = wire("first\r\nsecond", sequence: 77, category: 3)
        for cut in 1..<packet.count {
            let count = bench.texts.count
            peer.send(packet[..<cut])
            try bench.reactor.turn()
            peer.send(packet[cut...])
            try bench.reactor.turn(until: { bench.texts.count > count })
        }
        peer.drain()
        let whole = OwnedPacket(sequence: 77, category: 3, data: Array("first\r\nsecond".utf8))
        #expect(peer.packets == Array(repeating: whole, count: packet.count - 1))
    }

    @Test func `a length from the wire sizes no allocation`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 1 << 30
        let bench = try echoBench(session: options)
        let peers = try (0..<50).map { _ in try bench.connect() }
        for peer in peers { peer.send([0, 0, 0, 1, 1, 0x40, 0, 0, 0] + [1, 2, 3]) }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(until: { bench.sessions.allSatisfy { $0.inbound.keptCount == 12 } })
        // Each keeps its twelve bytes in a block of the smallest size.
        for session in bench.sessions { session.abort() }
        try bench.turnUntilClosed(50)
        #expect(bench.reactor.registry.buffers.idleBytes == 50 * BufferPool.minimumCapacity)
    }

    @Test func `CR LF inside a header or the data cuts nothing`() throws {
        let bench = try echoBench()
        let peer = try bench.connect()
        // Sequence, category and length that hold CR and LF themselves.
        let data = [UInt8](repeating: 0x0d, count: 0x0d0a)
        let packet = OwnedPacket(sequence: 0x0d0a_0d0a, category: 0x0a, data: data)
        let newlines = OwnedPacket(sequence: 0x0d, category: 0x0d, data: [0x0d, 0x0a, 0x0d, 0x0a])
        peer.send(packet.wireBytes + newlines.wireBytes)
        try bench.reactor.turn(until: { peer.drained.packets.count == 2 })
        #expect(peer.packets == [packet, newlines])
    }

    @Test func `packets are handled and answered in their order`() throws {
        let bench = try echoBench()
        let peer = try bench.connect()
        let texts = (0..<5000).map(String.init)
        let stream = texts.enumerated().flatMap { wire($1, sequence: Int32($0)) }
        var sent = 0
        for _ in 0..<5000 where peer.received.count < stream.count {
            sent += max(0, peer.send(stream[sent..<min(sent + 777, stream.count)]))
            try bench.reactor.turn()
            peer.drain()
        }
        #expect(bench.texts == texts && peer.received == stream)
    }
}
