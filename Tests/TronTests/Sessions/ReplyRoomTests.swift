// Replies that are owed have room, outlive their peer's end of stream, and are never lost silently.
import Glibc
import Testing

@testable import Tron

@Suite struct ReplyRoomTests {
    /// Room for four replies of 1,000 bytes beside 2,000 bytes of other output.
    private func options() -> ServerOptions {
        var options = ServerOptions()
        options.session.limits.maximumDataLength = 1500
        options.session.limits.maximumQueuedBytes = 2000
        options.session.limits.outputHighWatermark = 1000
        options.session.limits.outputLowWatermark = 500
        options.session.limits.maximumOwedReplies = 4
        options.session.limits.reservedReplyLength = 1000
        options.session.pausesReadingAboveHighWatermark = false
        return options
    }

    private let large = String(repeating: "x", count: 1000)

    private func refuseOutput(_ kernel: FaultyKernel, _ isRefused: Bool) {
        kernel.fault = { call, _, _ in isRefused && call == .send ? .error(EAGAIN) : nil }
    }

    @Test func `all that is owed has room at once, beside other output`() throws {
        let bench = try DebtBench(options: options())
        let peer = try bench.connect(asking: 4)
        refuseOutput(bench.bench.kernel, true)
        let other = String(repeating: "y", count: 1500)
        #expect(bench.session.send(category: 2, data: other) == .queued)
        for address in bench.addresses {
            #expect(bench.reactor.reply(to: address, data: large) == .queued)
        }
        #expect(bench.session.queuedBytes == 1511 + 4 * 1011 && bench.session.isOpen)
        refuseOutput(bench.bench.kernel, false)
        try bench.reactor.turn(until: { peer.drained.texts.count == 5 })
        #expect(peer.texts == [other] + Array(repeating: large, count: 4))
    }

    @Test func `a larger reply counts as any packet`() throws {
        let bench = try DebtBench(options: options())
        _ = try bench.connect(asking: 2)
        refuseOutput(bench.bench.kernel, true)
        let largest = String(repeating: "z", count: 1001)
        #expect(bench.reactor.reply(to: bench.addresses[0], data: largest) == .queued)
        #expect(bench.reactor.reply(to: bench.addresses[1], data: largest) == .overflow)
        #expect(!bench.session.isOpen)
    }

    @Test func `who asks and does not read has to wait, and is answered once it reads`() throws {
        let bench = try DebtBench(options: options())
        refuseOutput(bench.bench.kernel, true)
        let peer = try bench.bench.connect()
        for number in 0..<50 { peer.send(wire("\(number)")) }
        var given = 0
        func giveAll() {
            for address in bench.addresses[given...] {
                #expect(bench.reactor.reply(to: address, data: large) == .queued)
            }
            given = bench.addresses.count
        }
        for _ in 0..<30 {
            try bench.reactor.turn()
            giveAll()
        }
        // The third reply is more than others may queue: from then on nothing is read.
        #expect(bench.addresses.count == 4 && bench.session.queuedBytes == 4 * 1011)
        #expect(bench.session.largestQueuedBytes <= 2000 + 4 * 1011)
        refuseOutput(bench.bench.kernel, false)
        for _ in 0..<200 where peer.drained.texts.count < 50 {
            try bench.reactor.turn()
            giveAll()
        }
        #expect(peer.texts == Array(repeating: large, count: 50) && bench.session.isOpen)
    }

    @Test func `who has ended its stream still gets what it is owed, and then its end`() throws {
        let bench = try DebtBench()
        let peer = try bench.connect(asking: 3)
        peer.finish()
        try bench.reactor.turn(times: 5)
        #expect(bench.session.isOpen && bench.session.owedReplyCount == 3)
        #expect(bench.reactor.reply(to: bench.addresses[0], data: "one") == .queued)
        #expect(bench.reactor.refuse(bench.addresses[2]))
        try bench.reactor.turn(times: 5)
        #expect(bench.session.isOpen && !peer.drained.isAtEnd)
        #expect(bench.reactor.reply(to: bench.addresses[1], data: "two") == .queued)
        try bench.bench.turnUntilClosed()
        #expect(peer.drained.texts == ["one", "two"] && peer.isAtEnd)
        #expect(bench.bench.reasons == [.peerClosed])
    }

    @Test func `who has ended its stream and is never answered is kept for a stated time`() throws {
        var options = ServerOptions()
        options.session.limits.halfCloseTimeout = .seconds(5)
        let bench = try DebtBench(options: options)
        let peer = try bench.connect(asking: 1)
        let start = bench.bench.kernel.now()
        peer.finish()
        bench.bench.kernel.isFrozen = false
        try bench.bench.turnUntilClosed()
        #expect(bench.bench.reasons == [.deadlineExceeded(.halfClose)])
        #expect(bench.bench.kernel.now() - start >= 5_000_000_000)
    }

    @Test(arguments: [2000, 1200])
    func `a reply from elsewhere that is refused is told, and owed no more`(
        length: Int
    ) throws {
        var options = options()
        options.session.overflow = .refuse
        let bench = try DebtBench(options: options)
        let peer = try bench.connect(asking: 2)
        var events: [String] = []
        bench.reactor.onEvent { events.append("\($0)") }
        refuseOutput(bench.bench.kernel, true)
        bench.session.send(category: 1, data: large)
        let data = [UInt8](repeating: 0, count: length)
        bench.reactor.remote.reply(to: bench.addresses[0], data: data)
        try bench.reactor.turn(until: { bench.session.owedReplyCount == 1 }, atMost: 5)
        try bench.reactor.turn(times: 2)
        let outcome = length > 1500 ? "tooLarge" : "overflow"
        #expect(events.contains { $0.hasSuffix("a reply was lost: \(outcome)") })
        refuseOutput(bench.bench.kernel, false)
        var reports: [DrainReport] = []
        bench.bench.server.drain(within: .seconds(60)) { reports.append($0) }
        bench.reactor.remote.reply(to: bench.addresses[1], data: "fits")
        peer.finish()
        try bench.reactor.turn(until: { !reports.isEmpty }, atMost: 20)
        #expect(reports.first?.closed == 1 && reports.first?.unanswered == 1)
        #expect(peer.drained.texts == [large, "fits"])
        bench.reactor.onEvent(nil)
    }

    @Test func `the handler that begins a drain can still answer`() throws {
        var reports: [DrainReport] = []
        var server: Server?
        let bench = try Bench { session, _ in
            session.onPacket { session, packet in
                server?.drain(within: .seconds(60)) { reports.append($0) }
                #expect(session.reply(to: packet, data: "as you wish") == .queued)
            }
        }
        server = bench.server
        let peer = try bench.connect()
        peer.send(wire("end"))
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.finish()
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(peer.texts == ["as you wish"])
        server = nil
    }

    @Test func `what the closure of an owed reply queues itself has no room of replies`() throws {
        var options = options()
        options.session.overflow = .refuse
        let bench = try DebtBench(options: options)
        let peer = try bench.connect(asking: 1)
        refuseOutput(bench.bench.kernel, true)
        while bench.session.send(category: 2, data: "filler").isQueued {}
        let before = bench.session.queuedBytes
        let outcome = bench.reactor.reply(to: bench.addresses[0], capacity: 1000) { output in
            #expect(bench.session.send(category: 2, data: "more") == .overflow)
            output.write("answer")
        }
        #expect(outcome == .queued && bench.session.queuedBytes == before + 6 + 11)
        refuseOutput(bench.bench.kernel, false)
        try bench.reactor.turn(until: { peer.drained.texts.last == "answer" })
    }
}
