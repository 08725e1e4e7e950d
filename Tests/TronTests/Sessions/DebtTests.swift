// The replies that sessions owe: each settled once, and no more of them than may be.
import Glibc
import Testing

@testable import Tron

/// A server that answers no request by itself, and the addresses of the requests that it was sent.
/// Its clock stands still unless a test lets it go.
final class DebtBench {
    final class Addresses {
        var all: [ReplyAddress] = []
    }

    let bench: Bench
    private let kept = Addresses()

    var reactor: Reactor { bench.reactor }
    var session: Session { bench.sessions[0] }
    var addresses: [ReplyAddress] { kept.all }

    init(
        options: ServerOptions = ServerOptions(), kernel: FaultyKernel = FaultyKernel(),
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws {
        bench = try Bench(options: options, kernel: kernel) { [kept] session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                kept.all.append(session.replyAddress(of: packet))
            }
            setup(session, log)
        }
        kernel.isFrozen = true
    }

    convenience init(atMost limit: Int) throws {
        var options = ServerOptions()
        options.session.limits.maximumOwedReplies = limit
        try self.init(options: options)
    }

    /// A peer that has sent so many requests, all with the same sequence, and turns until a handler
    /// has each.
    func connect(asking count: Int) throws -> Peer {
        let before = addresses.count
        let peer = try bench.connect()
        for number in 0..<count { peer.send(wire("\(number)", sequence: 7)) }
        try reactor.turn(until: { addresses.count == before + count })
        return peer
    }
}

@Suite struct DebtTests {
    @Test func `a debt is owed until it is settled, and then never again`() {
        var debts = Debts()
        let first = debts.owe(packet: 1, atMost: 3)
        let second = debts.owe(packet: 2, atMost: 3)
        #expect(first != second && debts.count == 2)
        let again = debts.owe(packet: 2, atMost: 3)
        #expect(again == second && debts.count == 2 && debts.owes(first))
        let settled = [debts.settle(first), debts.settle(first), debts.settle(.none)]
        #expect(settled == [true, false, false] && !debts.owes(first))
        // What takes its place has another name.
        let third = debts.owe(packet: 3, atMost: 3)
        #expect(third != first && !debts.owes(first) && debts.count == 2)
        #expect(debts.lost == 0)
    }

    @Test func `beyond the limit nothing is owed`() {
        var debts = Debts()
        let first = debts.owe(packet: 1, atMost: 1)
        let beyond = debts.owe(packet: 2, atMost: 1)
        #expect(first != .none && beyond == .none && debts.count == 1)
        let isSettled = debts.settle(first)
        let next = debts.owe(packet: 2, atMost: 1)
        #expect(isSettled && next != .none)
    }

    @Test func `what is abandoned is counted as lost, and cannot be settled`() {
        var debts = Debts()
        let all = (1...5).map { debts.owe(packet: $0, atMost: 10) }
        let isSettled = debts.settle(all[2])
        debts.abandon()
        debts.abandon()
        #expect(isSettled && debts.count == 0 && debts.lost == 4)
        let later = all.map { debts.owes($0) || debts.settle($0) }
        #expect(!later.contains(true))
    }
}

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
}

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

    @Test func `the memory of debts is within the bound`() {
        for limit in [1, 15, 16, 17, 1000, 1024, 1025] {
            var debts = Debts()
            for packet in 1...limit { _ = debts.owe(packet: packet, atMost: limit) }
            #expect(debts.count == limit)
            var capacity = 16
            while capacity < limit { capacity *= 2 }
            let most = (capacity + (capacity > 16 ? capacity / 2 : 0)) * Slab<Void>.bytesPerElement
            #expect(most <= Debts.memoryBound(limit))
        }
        var small = SessionLimits()
        small.maximumOwedReplies = 1
        small.maximumQueuedBytes += 1023 * small.reservedReply
        let difference =
            SessionLimits().memoryBound(maximumBytesReadPerTurn: 4096)
            - small.memoryBound(maximumBytesReadPerTurn: 4096)
        #expect(difference == Debts.memoryBound(1024) - Debts.memoryBound(1))
    }
}
