// Nobody who reads is dropped as slow: the kernel is offered the output before a send is refused.
import Glibc
import Testing

@testable import Tron

@Suite struct OfferedOutputTests {
    private static let cap = 64 << 10

    /// Sessions whose output goes to sinks, which may be given faults.
    private func stage(
        _ overflow: OverflowPolicy, setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws -> SinkBench {
        var options = SinkBench.options
        options.limits.maximumQueuedBytes = Self.cap
        options.limits.outputHighWatermark = 32 << 10
        options.limits.outputLowWatermark = 8 << 10
        options.overflow = overflow
        return try SinkBench(options, setup: setup)
    }

    private let data = [UInt8](repeating: 0x61, count: 4000)

    @Test(arguments: [OverflowPolicy.close, .refuse])
    func `a send beyond the limit is taken when the kernel takes what waits`(
        overflow: OverflowPolicy
    ) throws {
        let stage = try stage(overflow)
        let session = stage.session
        for number in 0..<100 {
            try #require(
                session.send(sequence: Int32(number), category: 1, data: data) == .queued,
                "packet \(number)")
            try #require(session.queuedBytes <= Self.cap)
        }
        try stage.reactor.turn(times: 2)
        let sequences = stage.packets().map(\.sequence)
        #expect(sequences == Array(0..<100))
        #expect(stage.reasons == [] && session.counters.packetsRefused == 0)
    }

    @Test(arguments: [OverflowPolicy.close, .refuse])
    func `raw bytes beyond the limit are taken when the kernel takes what waits`(
        overflow: OverflowPolicy
    ) throws {
        let stage = try stage(overflow)
        for number in 0..<100 {
            try #require(stage.session.send(bytes: data) == .queued, "piece \(number)")
        }
        try stage.reactor.turn(times: 2)
        #expect(stage.taken() == 400_000 && stage.reasons == [])
    }

    @Test func `only what the kernel did not take counts against the limit`() throws {
        let stage = try stage(.refuse)
        let session = stage.session
        // It takes a part of what it is first offered, and then nothing.
        var offers = 0
        stage.kernel.fault = { call, _, _ in
            guard call == .send else { return nil }
            offers += 1
            return offers == 1 ? .atMost(10_000) : .error(EAGAIN)
        }
        var taken = 0
        while session.send(category: 1, data: data) == .queued {
            taken += 4011
            try #require(taken < 1 << 20, "the limit never holds")
        }
        let (inKernel, waiting) = (stage.taken(), session.queuedBytes)
        // Before each refusal it is asked again: the peer may have read meanwhile.
        #expect(offers >= 2)
        #expect(inKernel == 10_000 && waiting + inKernel == taken)
        #expect((Self.cap - 4011...Self.cap).contains(waiting))
        #expect(session.counters.packetsRefused == 1 && stage.reasons == [])
    }

    @Test func `a peer that takes nothing is closed for overflow as before`() throws {
        let stage = try stage(.close)
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        var outcomes: [SendOutcome] = []
        for _ in 0..<20 { outcomes.append(stage.session.send(category: 1, data: data)) }
        #expect(outcomes.count { $0 == .queued } == 16 && outcomes[16] == .overflow)
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.overflow(bytes: 17 * 4011)])
    }

    @Test(arguments: [OverflowPolicy.close, .refuse])
    func `a send that finds the connection broken ends the session for that and not for overflow`(
        overflow: OverflowPolicy
    ) throws {
        let stage = try stage(overflow)
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EPIPE) : nil }
        var outcomes: [SendOutcome] = []
        for _ in 0..<20 { outcomes.append(stage.session.send(category: 1, data: data)) }
        #expect(outcomes.prefix(16).allSatisfy { $0 == .queued })
        #expect(outcomes.suffix(4).allSatisfy { $0 == .closed }, "\(outcomes)")
        try stage.bench.turnUntilClosed()
        #expect(stage.reasons == [.system(SystemError(.send, code: EPIPE))])
    }

    @Test func `below the limit output is offered once a turn`() throws {
        let stage = try stage(.close)
        for _ in 0..<16 { stage.session.send(category: 1, data: data) }
        #expect(stage.sends() == 0)
        try stage.reactor.turn()
        #expect(stage.sends() == 1)
        #expect(stage.taken() == 16 * 4011)
    }

    /// A chat: what one says, all others hear. How each ended is noted by its number.
    private func chat(_ overflow: OverflowPolicy, members: Int) throws -> SinkBench {
        let stage = try stage(overflow) { session, log in
            session.onPacket { speaker, packet in
                for member in log.sessions where member !== speaker {
                    member.send(category: 1, data: packet.data)
                }
            }
            session.onClose { closed, reason in
                let index = log.sessions.firstIndex { $0 === closed }
                log.notes.append("\(index ?? -1): \(reason.cause)")
            }
        }
        stage.sink.keepsBytes = false
        for _ in 1..<members { try stage.connect() }
        return stage
    }

    /// More than may wait, at once.
    private let talk = (0..<100).flatMap { _ in wire(String(repeating: "h", count: 989)) }

    @Test(arguments: [OverflowPolicy.close, .refuse])
    func `a chat whose members all read drops no member and no message`(overflow: OverflowPolicy)
        throws
    {
        let stage = try chat(overflow, members: 200)
        #expect(stage.peers[0].send(talk) == talk.count)
        try stage.reactor.turn(times: 3)
        #expect(stage.notes == [], "\(stage.notes.count) members dropped")
        #expect((1..<200).allSatisfy { stage.taken($0) == talk.count })
        #expect(stage.bench.sessions.allSatisfy { $0.counters.packetsRefused == 0 })
    }

    @Test func `a member that does not read is dropped alone`() throws {
        let stage = try chat(.close, members: 100)
        let deaf = stage.kernel.accepted[7]
        stage.kernel.fault = { call, _, number in
            call == .send && number == deaf ? .error(EAGAIN) : nil
        }
        #expect(stage.peers[0].send(talk) == talk.count)
        try stage.reactor.turn(times: 3)
        #expect(stage.notes.count == 1 && stage.notes.first == "7: overflow")
        #expect((1..<100).allSatisfy { $0 == 7 || stage.taken($0) == talk.count })
    }

    @Test func `what waits in a client for its connection leaves a high mark's worth a turn`()
        throws
    {
        let (kernel, sink) = (FaultyKernel(), Sink())
        kernel.sink = sink
        sink.keepsBytes = false
        sink.takes = { [unowned kernel] number, _ in !kernel.accepted.contains(number) }
        let bench = try Bench(kernel: kernel)
        let client = bench.reactor.makeClient(to: [bench.server.address])
        let packet = [UInt8](repeating: 0, count: 100_000)
        for _ in 0..<64 {
            client.request(category: 1, data: packet, timeout: .seconds(1000)) { _ in }
        }
        var turns: [Int] = []
        var before = 0
        for _ in 0..<60 {
            kernel.isFrozen = true
            try bench.reactor.turn()
            if sink.total > before { turns.append(sink.total - before) }
            before = sink.total
        }
        #expect(before == 64 * 100_011)
        #expect(turns.max() ?? 0 <= 512 << 10, "bytes by turn: \(turns)")
    }
}
