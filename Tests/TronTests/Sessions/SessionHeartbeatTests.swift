// Signs of life: heartbeats, dead peers, and answers that come later.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionHeartbeatTests {
    private let beat: UInt8 = 200

    private func options(_ change: (inout SessionOptions) -> Void = { _ in }) -> SessionOptions {
        var options = SessionOptions()
        options.heartbeat = Heartbeat(category: beat, interval: .seconds(2))
        change(&options)
        return options
    }

    private func question() -> [UInt8] {
        OwnedPacket(category: beat, data: [0]).wireBytes
    }

    @Test func `a session that hears nothing asks once an interval`() throws {
        let bench = try Bench(session: options())
        let peer = try bench.connect()
        let start = bench.kernel.clock
        try bench.reactor.turn(until: { peer.drained.packets.count == 3 })
        #expect((6.0...6.01).contains(Double(bench.kernel.clock - start) / 1e9))
        #expect(bench.sessions[0].counters.packetsSent == 0)
        #expect(peer.packets == Array(repeating: OwnedPacket(category: beat, data: [0]), count: 3))
    }

    @Test func `a heartbeat is answered and no handler sees it`() throws {
        let bench = try Bench(session: options())
        let peer = try bench.connect()
        peer.send(question() + wire("seen"))
        try bench.reactor.turn(until: { bench.texts == ["seen"] })
        peer.drain()
        #expect(peer.packets.contains(OwnedPacket(category: beat, data: [1])))
        #expect(bench.texts == ["seen"])
    }

    @Test func `an end that does not answer asks all the same, and no handler sees a question`()
        throws
    {
        let bench = try Bench(session: options { $0.heartbeat?.answers = false })
        let peer = try bench.connect()
        peer.send(question() + wire("seen") + question())
        try bench.reactor.turn(until: { bench.texts == ["seen"] })
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(peer.drained.received.isEmpty && bench.sessions[0].counters.packetsReceived == 1)
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { !peer.drained.packets.isEmpty })
        // A header, one byte and the trailer.
        #expect(peer.received == question() && peer.received.count == 12)
    }

    /// Of the category that is set aside, and yet none: another size, or a request's sequence.
    @Test func `of the category what has another size is dropped, and a request is a request`()
        throws
    {
        let bench = try Bench(session: options())
        let peer = try bench.connect()
        peer.send(OwnedPacket(category: beat, data: []).wireBytes)
        peer.send(OwnedPacket(category: beat, data: [0, 0]).wireBytes)
        peer.send(OwnedPacket(sequence: 1, category: beat, data: [65]).wireBytes)
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        #expect(bench.texts == ["A"] && peer.drained.received.isEmpty)
    }

    @Test func `an answer to a heartbeat is not answered`() throws {
        let bench = try Bench(session: options())
        let peer = try bench.connect()
        peer.send(OwnedPacket(category: beat, data: [1]).wireBytes + wire("seen"))
        try bench.reactor.turn(until: { bench.texts == ["seen"] })
        #expect(!peer.drained.packets.contains { $0.category == beat })
    }

    @Test func `without the option a packet of that category is like any other`() throws {
        let bench = try Bench(session: SessionOptions())
        let peer = try bench.connect()
        peer.send(question())
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        #expect(bench.reasons == [])
    }

    @Test func `a peer that answers no heartbeat is dead after the time that was set`() throws {
        let bench = try Bench(session: options { $0.deadAfter = .seconds(7) })
        let peer = try bench.connect()
        let start = bench.kernel.clock
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.dead])
        #expect((7.0...7.01).contains(Double(bench.kernel.clock - start) / 1e9))
        #expect(peer.drained.packets.count == 3)
    }

    /// Up to its bound queued with what the user was allowed to queue.
    private func fullStage() throws -> SinkBench {
        try SinkBench(
            options {
                $0.deadAfter = .seconds(5)
                $0.limits.maximumDataLength = 100
                $0.limits.maximumQueuedBytes = 1000
                $0.limits.outputHighWatermark = 1000
                $0.limits.outputLowWatermark = 100
            })
    }

    @Test func `an answer that does not fit is not sent, and ends nobody`() throws {
        let stage = try fullStage()
        let output = [UInt8](repeating: 1, count: 995)
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        #expect(stage.session.send(bytes: output) == .queued)
        stage.peers[0].send(question() + wire("seen"))
        try stage.reactor.turn(until: { stage.bench.texts == ["seen"] })
        try stage.reactor.turn(times: 2)
        #expect(stage.reasons == [] && stage.session.queuedBytes == output.count)
        stage.kernel.fault = { _, _, _ in nil }
        try stage.reactor.turn(until: { stage.session.queuedBytes == 0 })
        #expect(stage.sink.taken[stage.kernel.accepted[0]] == output)
        #expect(stage.session.counters.packetsRefused == 0)
        stage.peers[0].send(question())
        try stage.reactor.turn(until: { stage.taken() == output.count + 12 })
    }

    /// At two seconds there is no room for the question. The one at four is the first that the peer
    /// could have answered: so it is dead three seconds later.
    @Test func `a question that does not fit is not asked, and nobody is dead for it`() throws {
        let stage = try fullStage()
        let start = stage.kernel.clock
        let session = stage.session
        stage.reactor.schedule(after: .milliseconds(1999)) {
            #expect(session.send(bytes: [UInt8](repeating: 1, count: 995)) == .queued)
        }
        stage.kernel.fault = { call, number, _ in
            call == .send && number == 1 ? .error(EAGAIN) : nil
        }
        // One turn for both: the output phase comes after them.
        stage.kernel.advance(.milliseconds(2000))
        try stage.reactor.turn()
        #expect(session.queuedBytes == 995 && stage.reasons == [])
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.dead])
        #expect((7.0...7.01).contains(Double(stage.kernel.clock - start) / 1e9))
    }

    @Test func `a peer that answers lives on`() throws {
        let bench = try Bench(session: options { $0.deadAfter = .seconds(3) })
        let peer = try bench.connect()
        let start = bench.kernel.clock
        var answered = 0
        for _ in 0..<2000 where bench.kernel.clock - start < 60_000_000_000 {
            try bench.reactor.turn()
            peer.drain()
            for _ in answered..<peer.packets.count {
                peer.send(OwnedPacket(category: beat, data: [1]).wireBytes)
            }
            answered = peer.packets.count
        }
        #expect(bench.kernel.clock - start >= 60_000_000_000)
        #expect(bench.reasons == [])
    }

    /// It would end a live peer that does not read, whose kernel answers.
    @Test func `dead within a time sets keepalive and no user timeout, unless that is asked for`()
        throws
    {
        for userTimeout in [nil, Duration.seconds(20)] {
            var options = SessionOptions()
            options.deadAfter = .seconds(9)
            options.userTimeout = userTimeout
            let kernel = FaultyKernel()
            let bench = try Bench(.ipv4, session: options, kernel: kernel)
            let peer = try bench.connect()
            var dialed: Int32?
            kernel.fault = { call, _, descriptor in
                if call == .connect { dialed = descriptor }
                return nil
            }
            bench.reactor.connectOnce(to: bench.server.address, options: options) { _ in }
            try bench.reactor.turn(until: { bench.sessions.count == 2 })
            for descriptor in try [kernel.accepted[0], #require(dialed)] {
                func option(_ name: Int32) -> Int32 {
                    var value: Int32 = 0
                    var length = socklen_t(4)
                    getsockopt(descriptor, Int32(IPPROTO_TCP), name, &value, &length)
                    return value
                }
                #expect(option(TCP_USER_TIMEOUT) == (userTimeout == nil ? 0 : 20_000))
                #expect(option(TCP_KEEPIDLE) == 3 && option(TCP_KEEPINTVL) == 3)
            }
            #expect(peer.error == 0)
        }
    }

    @Test func `an answer may come later by the request's address`() throws {
        var addresses: [ReplyAddress] = []
        let bench = try Bench(session: SessionOptions()) { session, _ in
            session.onPacket { session, packet in
                addresses.append(session.replyAddress(of: packet))
            }
        }
        let peer = try bench.connect()
        peer.send(wire("one", sequence: 1) + wire("two", sequence: 2, category: 9))
        try bench.reactor.turn(until: { addresses.count == 2 })
        #expect(bench.reactor.reply(to: addresses[1], data: "second") == .queued)
        let first = addresses[0]
        #expect(bench.reactor.remote.submit { $0.reply(to: first, data: [49]) } == .accepted)
        try bench.reactor.turn(times: 2)
        peer.drain()
        #expect(
            peer.packets == [
                OwnedPacket(sequence: 2, category: 9, data: Array("second".utf8)),
                OwnedPacket(sequence: 1, category: 1, data: [49]),
            ])
        peer.finish()
        try bench.reactor.turn(until: { bench.reactor.session(first.session) == nil })
        #expect(bench.reactor.reply(to: first, data: "late") == .closed)
    }
}
