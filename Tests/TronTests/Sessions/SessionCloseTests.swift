// The lossless close: what is queued arrives whole while the peer still sends, within bounds.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionCloseTests {
    /// In rounds of 100 at a time: each peer has sent more than is read when the session closes,
    /// takes little at a time, goes on sending, and has to find every reply whole in front of a
    /// clean end of stream.
    @Test(arguments: [(Bench.Transport.ipv4, 5000), (.unix, 5000)])
    func `ten thousand graceful closes lose no reply while the peer still sends`(
        transport: Bench.Transport, closes: Int
    ) throws {
        let expected = (0..<5).map { String(repeating: "\($0)", count: 3000) }
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 1024
        let bench = try Bench(transport, limits: limits) { session, log in
            session.onPacket { session, packet in
                for text in expected { session.reply(to: packet, data: text) }
                session.close()
            }
        }
        let packet = wire(String(repeating: "n", count: 200))
        let noise = Array(repeatElement(packet, count: 20).joined())
        var done = 0
        var damaged = 0
        while done < closes {
            let peers = try (0..<100).map { _ in
                try Peer(to: bench.server.address, receiveBuffer: 4096)
            }
            for peer in peers { peer.send(noise) }
            var left = peers.count
            for _ in 0..<300 where left > 0 {
                try bench.reactor.turn()
                for peer in peers where peer.descriptor >= 0 {
                    peer.send(noise)
                    peer.drain()
                    guard peer.isAtEnd || peer.error != 0 else { continue }
                    if peer.texts != expected || peer.error != 0 { damaged += 1 }
                    peer.close()
                    left -= 1
                }
            }
            #expect(left == 0)
            done += peers.count
        }
        #expect(damaged == 0)
        try bench.turnUntilClosed(closes)
        #expect(bench.reasons.allSatisfy { $0 == .requested })
        #expect(bench.server.sessionCount == 0)
    }

    @Test func `a closing session discards no more bytes than its bound`() throws {
        var options = SessionOptions()
        options.limits.maximumDiscardedBytes = 100_000
        let bench = try Bench(session: options)
        let peer = try bench.connect()
        let session = bench.sessions[0]
        session.send(category: 1, data: "last")
        session.close()
        let start = bench.kernel.clock
        let noise = [UInt8](repeating: 0, count: 30_000)
        for _ in 0..<100 where bench.reasons.isEmpty {
            peer.send(noise)
            try bench.reactor.turn()
        }
        #expect(bench.reasons == [.requested])
        #expect(session.counters.bytesReceived > 100_000)
        #expect(session.counters.bytesReceived < 400_000)
        #expect(bench.kernel.clock - start < 1_000_000_000)
        peer.drain()
        #expect(peer.texts == ["last"])
    }

    @Test func `a peer that resets a closing session which has nothing left to send is no failure`()
        throws
    {
        let bench = try Bench(.ipv4)
        let peer = try bench.connect()
        bench.sessions[0].close()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.reset()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.requested])
    }

    @Test func `a reset while output waits is the reason because it lost the output`() throws {
        let bench = try Bench(.ipv4)
        let peer = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        bench.sessions[0].send(category: 1, data: "lost")
        bench.sessions[0].close()
        try bench.reactor.turn()
        peer.reset()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.system(SystemError(.recv, code: ECONNRESET))])
    }

    @Test func `large queued output leaves whole after close`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 2 << 20
        let bench = try Bench(.ipv4, session: options)
        let peer = try bench.connect(receiveBuffer: 8192)
        let data = (0..<(2 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        #expect(bench.sessions[0].send(category: 1, data: data) == .queued)
        bench.sessions[0].close()
        bench.kernel.isFrozen = true
        try bench.reactor.turn(
            until: {
                peer.send([1])
                return peer.drained.isAtEnd
            }, atMost: 20_000)
        #expect(peer.packets.map(\.data) == [data])
    }

    /// A reset is not announced by a clean end.
    @Test func `an abort by the writability handler resets and sends no end of stream before`()
        throws
    {
        var options = SessionOptions()
        options.limits.outputHighWatermark = 32 << 10
        options.limits.outputLowWatermark = 0
        let bench = try Bench(.ipv4, session: options) { session, log in
            session.onWritabilityChange { session, isWritable in
                log.notes.append("\(isWritable)")
                if isWritable { session.abort() }
            }
        }
        let peer = try bench.connect()
        var fault: KernelFault? = .error(EAGAIN)
        bench.kernel.fault = { call, _, _ in call == .send ? fault : nil }
        bench.sessions[0].send(category: 1, data: [UInt8](repeating: 0, count: 40_000))
        try bench.reactor.turn()
        #expect(bench.log.notes == ["false"])
        fault = nil
        try bench.turnUntilClosed()
        #expect(bench.log.notes == ["false", "true"] && bench.reasons == [.aborted])
        #expect(bench.kernel.calls[.shutdown] == nil && bench.kernel.calls[.linger] == 1)
        peer.drainToEnd()
        #expect(peer.error == ECONNRESET && !peer.isAtEnd)
    }

    @Test func `whatever is sent on a session that takes nothing more is refused as closed`() throws
    {
        var options = SessionOptions()
        options.limits.maximumDataLength = 10
        options.limits.maximumQueuedBytes = 100
        options.limits.outputHighWatermark = 100
        options.limits.outputLowWatermark = 0
        let ends: [(Session) -> Void] = [
            { $0.close() }, { $0.abort() }, { $0.closeWriting() },
        ]
        for end in ends {
            let bench = try Bench(session: options)
            let peer = try bench.connect()
            let session = bench.sessions[0]
            end(session)
            #expect(session.send(category: 1, data: "fits") == .closed)
            #expect(session.send(category: 1, data: "0123456789a") == .closed)
            #expect(session.send(bytes: [UInt8](repeating: 0, count: 1000)) == .closed)
            #expect(session.counters.packetsRefused == 3)
            peer.close()
            try bench.turnUntilClosed()
            #expect(session.send(category: 1, data: "0123456789a") == .closed)
        }
    }
}
