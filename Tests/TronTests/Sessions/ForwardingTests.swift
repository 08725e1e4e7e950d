// What leaves as it came is sent from where it was received: in order, whole, and in one call.
import Testing

@testable import Tron

@Suite struct ForwardingTests: ForwardingSuite {
    @Test func `an echo leaves in one call, and no block is taken for it`() throws {
        let stage = try stage(Self.echo)
        try stage.within { Self.receive(Self.packets(0..<20), on: $0) }
        #expect(stage.sends() == 1 && stage.session.queuedBytes == 0)
        #expect(stage.packets().map(\.sequence) == Array(0..<20))
        #expect(stage.taken() == 20 * Self.length && stage.session.counters.packetsSent == 20)
        #expect(stage.reactor.registry.buffers.idleBytes == 0)
    }

    @Test func `small packets behind a large one leave with it, and what differs does not`() throws
    {
        var seen: [Bool] = []
        let stage = try stage { session, _ in
            session.onPacket { session, packet in
                if packet.sequence == 3 {
                    session.reply(to: packet, data: "other")
                } else {
                    session.reply(to: packet, data: packet.data)
                }
                seen.append(session.outbound.hasRun)
            }
        }
        let bytes = wire(Self.text, sequence: 0) + Self.packets(1..<5, of: "small")
        try stage.within { Self.receive(bytes, on: $0) }
        let texts = [Self.text, "small", "small", "other", "small"]
        #expect(seen == [true, true, true, false, false])
        #expect(stage.packets().map(\.sequence) == [0, 1, 2, 3, 4])
        #expect(stage.packets().map(\.text) == texts)
        #expect(stage.sends() == 1 && stage.session.counters.packetsSent == 5)
    }

    @Test(arguments: [255, 256])
    func `a session's own packets are forwarded from 256 bytes on`(length: Int) throws {
        var seen: [Bool] = []
        let stage = try stage { session, _ in
            session.onPacket { session, packet in
                session.reply(to: packet, data: packet.data)
                seen.append(session.outbound.hasRun)
            }
        }
        let bytes = Self.packets(0..<6, of: String(repeating: "x", count: length))
        try stage.within { Self.receive(bytes, on: $0) }
        #expect(seen == Array(repeating: length == 256, count: 6) && stage.sends() == 1)
        #expect(stage.packets().map(\.sequence) == Array(0..<6))
    }

    @Test(arguments: [1012, 1013])
    func `those for another session are from 1,024 with their overhead on`(length: Int) throws {
        var seen: [Bool] = []
        let stage = try stage { session, log in
            session.onPacket { _, packet in
                let other = log.sessions[1]
                other.send(
                    sequence: packet.sequence, category: packet.category, data: packet.data)
                seen.append(other.outbound.hasRun)
            }
        }
        try stage.connect()
        try stage.within {
            Self.receive(wire(String(repeating: "x", count: length), sequence: 0), on: $0)
        }
        try stage.reactor.turn()
        #expect(seen == [length == 1013] && stage.packets(1).map(\.sequence) == [0])
    }

    @Test func `much for another session leaves when the batch is over`() throws {
        let stage = try stage(Self.relay)
        try stage.connect()
        try stage.within { session in
            Self.receive(Self.packets(0..<10), on: session)
            #expect(stage.sends(1) == 1 && stage.bench.sessions[1].queuedBytes == 0)
        }
        #expect(stage.packets(1).map(\.sequence) == Array(0..<10) && stage.sends(1) == 1)
        #expect(stage.reactor.registry.buffers.idleBytes == 0)
    }

    @Test func `little of several batches is copied, and leaves in one call a turn`() throws {
        let stage = try stage(Self.relay)
        try stage.connect()
        try stage.within { session in
            Self.receive(Self.packets(0..<3), on: session)
            Self.receive(Self.packets(3..<6), on: session)
            #expect(stage.sends(1) == 0)
            #expect(stage.bench.sessions[1].queuedBytes == 6 * Self.length)
        }
        try stage.reactor.turn()
        #expect(stage.sends(1) == 1)
        #expect(stage.packets(1).map(\.sequence) == Array(0..<6))
        #expect(stage.packets(1).allSatisfy { $0.text == Self.text })
    }

    @Test func `each member of a group is sent the same bytes from the same place`() throws {
        var group: SessionGroup?
        let stage = try stage { session, _ in
            session.onPacket { session, packet in
                _ = group?.send(
                    sequence: packet.sequence, category: packet.category, data: packet.data)
            }
        }
        let room = stage.reactor.makeGroup()
        group = room
        for _ in 0..<2 { try stage.connect() }
        for session in stage.bench.sessions { room.add(session) }
        try stage.within { Self.receive(Self.packets(0..<10), on: $0) }
        for member in 0..<3 {
            #expect(stage.packets(member).map(\.sequence) == Array(0..<10))
            #expect(stage.sends(member) == 1)
        }
        #expect(stage.reactor.registry.buffers.idleBytes == 0)
    }

    @Test func `bytes of any protocol are forwarded as well`() throws {
        let stage = try stage { session, log in
            session.onBytes { _, bytes in
                log.sessions[1].send(bytes: bytes)
                return bytes.byteCount
            }
        }
        try stage.connect()
        try stage.within { Self.receive([UInt8](repeating: 7, count: 20_000), on: $0) }
        #expect(stage.taken(1) == 20_000 && stage.sends(1) == 1)
        #expect(stage.reactor.registry.buffers.idleBytes == 0)
    }

    @Test func `what is changed, or put between, leaves in the order of the calls`() throws {
        let stage = try stage { session, _ in
            session.onPacket { session, packet in
                session.reply(to: packet, data: packet.data)
                let isOdd = packet.sequence % 2 == 1
                if isOdd { session.send(sequence: 100, category: 2, data: packet.data) }
                if packet.sequence == 3 { session.send(sequence: 200, category: 1, data: "small") }
            }
        }
        try stage.within { Self.receive(Self.packets(0..<6), on: $0) }
        try stage.reactor.turn()
        #expect(stage.packets().map(\.sequence) == [0, 1, 100, 2, 3, 100, 200, 4, 5, 100])
        #expect(stage.packets().filter { $0.sequence != 200 }.allSatisfy { $0.text == Self.text })
        #expect(stage.packets().filter { $0.category == 2 }.count == 3)
    }

    @Test func `a large packet that lies elsewhere goes behind what is forwarded`() throws {
        let large = [UInt8](repeating: 9, count: 4000)
        let stage = try stage(
            { session, _ in
                session.onPacket { session, packet in
                    session.reply(to: packet, data: packet.data)
                    session.reply(to: packet, data: large)
                }
            }, options: { $0.limits.sentThroughLength = 3000 })
        try stage.within { Self.receive(Self.packets(0..<2), on: $0) }
        #expect(stage.packets().map(\.data.count) == [2002, 4000, 2002, 4000])
        #expect(stage.packets().map(\.sequence) == [0, 0, 1, 1])
    }
}
