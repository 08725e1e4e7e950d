// Writability is symmetrical: whoever was told that a session is not writable is told when it is.
import Glibc
import Testing

@testable import Tron

/// Notes what a session's writability handler is told, and how the session itself answers.
private func noteWritability(_ session: Session, _ log: Log) {
    session.onWritabilityChange { session, isWritable in
        log.notes.append("\(isWritable) \(session.isWritable)")
    }
}

@Suite struct WritabilityTests {
    @Test(arguments: [Bench.Transport.unix, .ipv4])
    func `a producer that fills its session while that is writable sends everything`(
        transport: Bench.Transport
    ) throws {
        let data = [UInt8](repeating: 0x61, count: 10_000)
        var left = 1000
        func fill(_ session: Session) {
            while left > 0 && session.isWritable {
                session.send(category: 1, data: data)
                left -= 1
            }
        }
        let bench = try Bench(transport) { session, _ in
            session.onWritabilityChange { session, isWritable in
                if isWritable { fill(session) }
            }
        }
        let peer = try bench.connect()
        fill(bench.sessions[0])
        for _ in 0..<2000 where peer.received.count < 1000 * 10_011 {
            try bench.reactor.turn()
            peer.drain()
        }
        #expect(peer.received.count / 10_011 == 1000 && left == 0, "\(left) not sent")
        #expect(bench.reasons == [])
    }

    @Test func `whoever was answered false is told true once, at the turn's end`() throws {
        let stage = try SinkBench(setup: noteWritability)
        try stage.within { session in
            let data = [UInt8](repeating: 0, count: 1000)
            while session.isWritable { session.send(category: 1, data: data) }
            #expect(!session.isWritable && !session.isWritable)
        }
        #expect(stage.notes == ["true true"])
        #expect(stage.session.isWritable && stage.session.queuedBytes == 0)
        try stage.reactor.turn(times: 3)
        #expect(stage.notes == ["true true"])
    }

    @Test func `whoever was answered false while output waits is told true at the low mark`()
        throws
    {
        let stage = try SinkBench(setup: noteWritability)
        var takes: KernelFault? = .error(EAGAIN)
        stage.kernel.fault = { call, _, _ in call == .send ? takes : nil }
        try stage.within { session in
            let data = [UInt8](repeating: 0, count: 1000)
            while session.isWritable { session.send(category: 1, data: data) }
        }
        let told = stage.notes
        #expect(told == [] || told == ["false false"])
        takes = .atMost(10_000)
        while stage.session.queuedBytes > (16 << 10) + 10_000 {
            try stage.reactor.turn()
            #expect(stage.notes == told)
        }
        try stage.reactor.turn(times: 5)
        #expect(stage.notes == told + ["true true"])
    }

    /// Its own batch is sent without the output phase.
    @Test func `whoever was answered false in a handler of its own is told true as well`() throws {
        var options = SessionOptions()
        options.limits.outputHighWatermark = 1000
        options.limits.outputLowWatermark = 1000
        let bench = try Bench(session: options) { session, log in
            noteWritability(session, log)
            session.onPacket { session, _ in
                session.send(bytes: [UInt8](repeating: 0, count: 1000))
                log.texts.append("\(session.isWritable)")
            }
        }
        let peer = try bench.connect()
        peer.send(wire("fill"))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        try bench.reactor.turn(times: 3)
        #expect(bench.texts == ["false"] && bench.log.notes == ["true true"])
        #expect(peer.drained.received.count == 1000)
    }

    @Test func `who was never told false is not told true`() throws {
        let stage = try SinkBench(setup: noteWritability)
        try stage.within { session in
            let data = [UInt8](repeating: 0, count: 1000)
            for _ in 0..<100 { session.send(category: 1, data: data) }
        }
        try stage.reactor.turn(times: 3)
        #expect(stage.notes == [] && stage.session.queuedBytes == 0)
    }

    @Test func `a session that closes is not writable, and nobody is told that it is`() throws {
        let stage = try SinkBench(setup: noteWritability)
        try stage.within { session in
            session.send(category: 1, data: "last")
            session.close()
            #expect(!session.isWritable)
        }
        try stage.reactor.turn(times: 3)
        #expect(stage.notes == [] && !stage.session.isWritable)
    }

    @Test func `what is told true may send, and is flushed with the next turn`() throws {
        let stage = try SinkBench(setup: noteWritability)
        stage.session.onWritabilityChange { session, isWritable in
            if isWritable { session.send(category: 2, data: "more") }
        }
        try stage.within { session in
            let data = [UInt8](repeating: 0, count: 1000)
            while session.isWritable { session.send(category: 1, data: data) }
        }
        #expect(stage.sends() == 1)
        #expect(stage.session.queuedBytes == 15)
        try stage.reactor.turn()
        #expect(stage.sends() == 2)
        #expect(stage.packets().last?.text == "more")
    }
}
