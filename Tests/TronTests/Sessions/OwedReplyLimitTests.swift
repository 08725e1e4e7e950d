// No more replies are owed than may be: reading pauses at the limit, and goes on below it.
import Testing

@testable import Tron

@Suite struct OwedReplyLimitTests {
    @Test func `at the limit reading pauses, and goes on with each reply`() throws {
        let bench = try DebtBench(atMost: 3)
        let peer = try bench.connect(asking: 3)
        for number in 3..<10 { peer.send(wire("\(number)")) }
        try bench.reactor.turn(times: 5)
        #expect(bench.addresses.count == 3 && !bench.session.isReadingPaused)
        for index in 0..<10 {
            let isGiven = index % 2 == 0
            if isGiven {
                #expect(bench.reactor.reply(to: bench.addresses[index], data: "a") == .queued)
            } else {
                #expect(bench.reactor.refuse(bench.addresses[index]))
            }
            try bench.reactor.turn(times: 3)
            #expect(bench.addresses.count == min(10, index + 4))
            #expect(bench.session.owedReplyCount == min(3, 9 - index))
        }
        #expect(bench.bench.texts == (0..<10).map { "\($0)" })
        #expect(peer.drained.texts.count == 5)
    }

    @Test func `who answers at once by the address never meets the limit`() throws {
        var options = ServerOptions()
        options.session.limits.maximumOwedReplies = 1
        var reactor: Reactor?
        let bench = try Bench(options: options) { session, _ in
            session.onPacket { session, packet in
                reactor?.reply(to: session.replyAddress(of: packet), data: packet.data)
            }
        }
        reactor = bench.reactor
        let peer = try bench.connect()
        peer.send((0..<50).flatMap { wire("\($0)") })
        try bench.reactor.turn(until: { !peer.drained.texts.isEmpty })
        try bench.reactor.turn()
        #expect(peer.drained.texts == (0..<50).map { "\($0)" })
        #expect(bench.sessions[0].owedReplyCount == 0)
        reactor = nil
    }

    @Test func `two who pause reading both have to let it go on`() throws {
        let bench = try DebtBench(atMost: 1)
        let peer = try bench.connect(asking: 1)
        peer.send(wire("next"))
        bench.session.pauseReading()
        #expect(bench.reactor.reply(to: bench.addresses[0], data: "a") == .queued)
        try bench.reactor.turn(times: 3)
        #expect(bench.addresses.count == 1)
        bench.session.resumeReading()
        try bench.reactor.turn(until: { bench.addresses.count == 2 })
        bench.session.pauseReading()
        bench.session.resumeReading()
        peer.send(wire("third"))
        try bench.reactor.turn(times: 3)
        #expect(bench.addresses.count == 2)
    }

    @Test func `a session that gives up what it owes reads on`() throws {
        let bench = try DebtBench(atMost: 1)
        let peer = try bench.connect(asking: 1)
        peer.send(wire("next"))
        try bench.reactor.turn(times: 3)
        bench.session.closeWriting()
        try bench.reactor.turn(until: { bench.addresses.count == 2 })
        #expect(bench.session.owedReplyCount == 0)
    }
}
