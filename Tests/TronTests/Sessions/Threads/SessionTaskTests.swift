// Sessions with a task in place of handlers: packets come in order, and wait within bounds.
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct SessionTaskTests: SessionTaskSuite {
    @Test(arguments: [0, 1000, 8192]) func `packets come in order, and so do the answers`(
        bytesBeforeTask: Int
    ) throws {
        var options = SessionOptions()
        options.limits.maximumBytesBeforeTask = bytesBeforeTask
        let bench = try bench(options) { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                try await session.reply(to: packet, data: packet.data)
            }
        }
        let peer = try bench.connect()
        peer.send((0..<500).flatMap { wire("\($0)", sequence: Int32($0)) })
        try bench.reactor.turn(until: { peer.drained.packets.count == 500 })
        #expect(bench.texts == (0..<500).map(String.init) && peer.texts == bench.texts)
        #expect(peer.packets.map(\.sequence) == Array(0..<500))
        peer.finish()
        try bench.turnUntilClosed()
        try bench.reactor.turn(until: { bench.log.notes == ["done"] })
        #expect(bench.reasons == [.peerClosed])
    }

    @Test func `while nobody takes, nothing is read and the peer has to wait`() throws {
        let stop = Stop()
        let bench = try bench { session, log in
            await stop.pass()
            try await Self.note(session, log)
        }
        let peer = try bench.connect()
        let text = String(repeating: "x", count: 1000)
        while peer.send(wire(text)) > 0 {}
        try bench.reactor.turn(times: 5)
        #expect(bench.sessions[0].isReadingPaused)
        #expect(bench.sessions[0].counters.bytesReceived == 0)
        stop.open()
        try bench.reactor.turn(until: { bench.texts.count > 10 })
        #expect(peer.send(wire(text)) > 0)
    }

    @Test(arguments: [(0, 1), (1000, 16), (1 << 20, 500)])
    func `what waits for the task is bounded`(bytesBeforeTask: Int, expected: Int) throws {
        var options = SessionOptions()
        options.limits.maximumBytesBeforeTask = bytesBeforeTask
        let stop = Stop()
        let bench = try bench(options) { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                await stop.pass()
            }
        }
        let peer = try bench.connect()
        let before = bench.reactor.memoryBound
        peer.send((0..<500).flatMap { _ in wire("") })
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        try bench.reactor.turn(times: 3)
        #expect(bench.sessions[0].counters.packetsReceived == expected)
        #expect(bench.texts.count == 1 && bench.reactor.memoryBound == before)
        stop.open()
        try bench.reactor.turn(until: { bench.texts.count == 500 })
    }

    @Test func `a second loop goes on where the first one stopped`() throws {
        let bench = try bench { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                if packet.text == "b" { break }
            }
            var iterator = session.packets.makeAsyncIterator()
            log.texts.append("| \(try await iterator.next()?.text ?? "")")
            try await Self.note(session, log)
        }
        let peer = try bench.connect()
        peer.send(["a", "b", "c", "d"].flatMap { wire($0) })
        try bench.reactor.turn(until: { bench.texts.count == 4 })
        #expect(bench.texts == ["a", "b", "| c", "d"])
    }
}
