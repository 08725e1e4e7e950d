// The replies that sessions owe: each is given once, refused, or lost with its session.
import Glibc
import Testing

@testable import Tron

@Suite struct OwedReplyTests {
    @Test func `a reply is owed until it is given, and a second one is refused`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 2)
        // The sequences are equal; the addresses are not.
        let (first, second) = (bench.addresses[0], bench.addresses[1])
        #expect(first != second && bench.session.owedReplyCount == 2)
        let copy = first
        #expect(bench.reactor.reply(to: copy, data: "one") == .queued)
        #expect(bench.session.owedReplyCount == 1)
        #expect(bench.reactor.reply(to: first, data: "again") == .notOwed)
        #expect(!bench.reactor.refuse(first))
        #expect(bench.reactor.reply(to: second, data: [UInt8]("two".utf8)).isQueued)
        #expect(bench.session.owedReplyCount == 0 && bench.session.isOpen)
        try bench.reactor.turn(until: { peer.drained.texts.count == 2 })
        #expect(peer.texts == ["one", "two"])
        #expect(peer.packets.allSatisfy { $0.sequence == 7 })
    }

    @Test func `a refused reply is owed no more, and nothing is sent`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 1)
        #expect(bench.reactor.refuse(bench.addresses[0]))
        #expect(!bench.reactor.refuse(bench.addresses[0]))
        #expect(bench.reactor.reply(to: bench.addresses[0], data: "x") == .notOwed)
        try bench.reactor.turn(times: 3)
        #expect(peer.drained.received.isEmpty && bench.session.owedReplyCount == 0)
    }

    @Test func `a reply has the category that its address was given, and settles the same debt`()
        throws
    {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 2)
        var address = bench.addresses[0]
        #expect(address.category == 1)
        address.category = 200
        #expect(bench.reactor.reply(to: address, data: "other") == .queued)
        #expect(bench.reactor.reply(to: bench.addresses[0], data: "again") == .notOwed)
        #expect(bench.reactor.reply(to: bench.addresses[1], data: "same") == .queued)
        try bench.reactor.turn(times: 2)
        let expected = wire("other", sequence: 7, category: 200) + wire("same", sequence: 7)
        #expect(peer.drained.received == expected)
    }

    @Test func `a packet has one address, however often it is asked for`() throws {
        var addresses: [ReplyAddress] = []
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                addresses.append(session.replyAddress(of: packet))
                addresses.append(session.replyAddress(of: packet))
            }
        }
        let peer = try bench.connect()
        for _ in 0..<3 { peer.send(wire("same", sequence: 1)) }
        try bench.reactor.turn(until: { addresses.count == 6 })
        #expect(Set(addresses).count == 3 && bench.sessions[0].owedReplyCount == 3)
        #expect(addresses[0] == addresses[1] && addresses[4] == addresses[5])
    }

    @Test func `a reply that is too large or meets a full queue is still owed`() throws {
        var options = ServerOptions()
        options.session.limits.maximumDataLength = 10
        options.session.limits.maximumQueuedBytes = 25
        options.session.limits.outputHighWatermark = 25
        options.session.limits.outputLowWatermark = 0
        options.session.limits.reservedReplyLength = 8
        options.session.overflow = .refuse
        let bench = try DebtBench(options: options)
        let peer = try bench.connect(asking: 1)
        let address = bench.addresses[0]
        #expect(bench.reactor.reply(to: address, data: "much too large") == .tooLarge)
        bench.bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        #expect(bench.session.send(category: 1, data: "waits") == .queued)
        #expect(bench.reactor.reply(to: address, data: "overflows") == .overflow)
        #expect(bench.session.owedReplyCount == 1)
        bench.bench.kernel.fault = { _, _, _ in nil }
        try bench.reactor.turn(until: { bench.session.queuedBytes == 0 })
        #expect(bench.reactor.reply(to: address, data: "fits") == .queued)
        #expect(bench.session.owedReplyCount == 0)
        try bench.reactor.turn(until: { peer.drained.texts == ["waits", "fits"] })
    }

    /// What ends a session, or its sending, with replies owed.
    enum End: CaseIterable {
        case close, abort, closeWriting, peerResets
    }

    @Test(arguments: End.allCases)
    func `when the session can give no reply it owes none, and says that it is closed`(end: End)
        throws
    {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 3)
        let session = bench.session
        #expect(bench.reactor.reply(to: bench.addresses[1], data: "x") == .queued)
        switch end {
        case .close: session.close()
        case .abort: session.abort()
        case .closeWriting: session.closeWriting()
        case .peerResets: peer.reset()
        }
        try bench.reactor.turn(until: { !session.isOpen })
        #expect(session.owedReplyCount == 0)
        if end != .peerResets { #expect(session.lostReplyCount == 2) }
        #expect(bench.reactor.reply(to: bench.addresses[0], data: "x") == .closed)
        #expect(!bench.reactor.refuse(bench.addresses[2]))
        peer.close()
        try bench.bench.turnUntilClosed()
        #expect(bench.reactor.reply(to: bench.addresses[0], data: "x") == .closed)
        #expect(!bench.reactor.refuse(bench.addresses[2]))
    }

    @Test func `who asks for an address while closing owes nothing`() throws {
        var address: ReplyAddress?
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                session.close()
                address = session.replyAddress(of: packet)
            }
        }
        let peer = try bench.connect()
        peer.send(wire("x"))
        try bench.reactor.turn(until: { address != nil })
        #expect(bench.sessions[0].owedReplyCount == 0)
        #expect(try bench.reactor.reply(to: #require(address), data: "x") == .closed)
    }

    @Test(arguments: [false, true])
    func `who is owed a reply and ends its stream is told of, and may be given up`(closes: Bool)
        throws
    {
        let bench = try DebtBench { session, log in
            session.onPeerFinished { session in
                log.notes.append("finished, owing \(session.owedReplyCount)")
                if closes { session.close() }
            }
        }
        let peer = try bench.connect(asking: 1)
        peer.finish()
        try bench.reactor.turn(until: { !bench.bench.log.notes.isEmpty }, atMost: 20)
        #expect(bench.bench.log.notes == ["finished, owing 1"])
        if !closes { #expect(bench.reactor.reply(to: bench.addresses[0], data: "a") == .queued) }
        try bench.reactor.turn(until: { peer.drained.isAtEnd }, atMost: 20)
        #expect(peer.texts == (closes ? [] : ["a"]))
        try bench.reactor.turn(until: { !bench.bench.reasons.isEmpty }, atMost: 20)
        #expect(bench.bench.reasons == [closes ? .requested : .peerClosed])
    }
}
