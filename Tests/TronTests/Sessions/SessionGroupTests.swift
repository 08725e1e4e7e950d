// Groups of sessions: who gets what is sent, who leaves when, and what becomes of slow members.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionGroupTests {
    /// A group of the first `count` sessions of a bench of sinks.
    private func room(
        _ count: Int, _ options: SessionOptions = SinkBench.options,
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws -> (SinkBench, SessionGroup) {
        let stage = try SinkBench(options, setup: setup)
        for _ in 1..<count { try stage.connect() }
        let group = stage.reactor.makeGroup()
        for session in stage.bench.sessions { group.add(session) }
        return (stage, group)
    }

    private func members(_ group: SessionGroup) -> Set<SessionID> {
        var ids: Set<SessionID> = []
        group.forEach { ids.insert($0.id) }
        return ids
    }

    @Test func `every member but the one left out gets each packet whole and in order`() throws {
        let (stage, group) = try room(5)
        let sessions = stage.bench.sessions
        #expect(group.send(sequence: 7, category: 3, data: "all").queued == 5)
        #expect(group.send(category: 1, data: [1, 2], except: sessions[2]).total == 4)
        #expect(group.send(bytes: wire("raw")).queued == 5)
        #expect(group.send(bytes: "", except: sessions[0]).queued == 4)
        try stage.reactor.turn(times: 2)
        for index in 0..<5 {
            var expected = [OwnedPacket(sequence: 7, category: 3, data: Array("all".utf8))]
            if index != 2 { expected.append(OwnedPacket(category: 1, data: [1, 2])) }
            expected.append(OwnedPacket(category: 1, data: Array("raw".utf8)))
            #expect(stage.packets(index) == expected)
            #expect(stage.sends(index) == 1)
        }
    }

    @Test func `a session joins once and leaves once`() throws {
        let (stage, group) = try room(3)
        let session = stage.session
        #expect(!group.add(session) && group.contains(session) && group.count == 3)
        #expect(group.remove(session) && !group.remove(session))
        #expect(!group.contains(session) && group.count == 2)
        #expect(group.send(category: 1, data: "x").queued == 2)
        #expect(group.add(session) && group.count == 3)
    }

    @Test func `a member leaves when it has ended, before its close handler is told`() throws {
        var group: SessionGroup?
        defer { group = nil }
        let (stage, made) = try room(3) { session, log in
            session.onClose { session, reason in
                guard let group else { return }
                log.notes.append("\(group.count) \(group.contains(session)) \(group.add(session))")
            }
        }
        group = made
        stage.bench.sessions[1].abort()
        #expect(made.send(category: 1, data: "x").closed == 1)
        #expect(!stage.reactor.makeGroup().add(stage.bench.sessions[1]))
        try stage.reactor.turn()
        #expect(stage.notes == ["2 false false"])
        #expect(made.send(category: 1, data: "x").total == 2)
    }

    @Test(arguments: [OverflowPolicy.close, .refuse])
    func `a member that does not read is dealt with by its policy and delays nobody`(
        overflow: OverflowPolicy
    ) throws {
        var options = SinkBench.options
        options.overflow = overflow
        options.limits.maximumQueuedBytes = 64 << 10
        let (stage, group) = try room(20, options)
        let deaf = stage.kernel.accepted[7]
        stage.kernel.fault = { call, _, number in
            call == .send && number == deaf ? .error(EAGAIN) : nil
        }
        var sum = SendCounts()
        let data = [UInt8](repeating: 0, count: 4000)
        for number in 0..<50 {
            let counts = group.send(sequence: Int32(number), category: 1, data: data)
            #expect(counts.total == 20)
            sum.overflow += counts.overflow
            sum.closed += counts.closed
            sum.queued += counts.queued
        }
        #expect(sum.queued == 19 * 50 + 16)
        #expect(sum.overflow == (overflow == .close ? 1 : 34))
        try stage.reactor.turn(times: 2)
        #expect(group.count == (overflow == .close ? 19 : 20))
        for index in 0..<20 where index != 7 {
            let sequences = stage.packets(index).map(\.sequence)
            #expect(sequences == Array(0..<50))
        }
    }

    /// Sessions for which a hundred bytes may wait, and which refuse more.
    private static var narrow: SessionOptions {
        var options = SinkBench.options
        options.overflow = .refuse
        options.limits.outputLowWatermark = 0
        options.limits.outputHighWatermark = 50
        options.limits.maximumQueuedBytes = 100
        options.limits.maximumDataLength = 80
        return options
    }

    @Test func `who did not take a packet is told of, with the reason, behind all sends`() throws {
        let (stage, group) = try room(4, Self.narrow)
        let sessions = stage.bench.sessions
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        sessions[1].send(category: 1, data: [UInt8](repeating: 0, count: 80))
        sessions[2].abort()
        var refused: [(SessionID, SendOutcome)] = []
        let counts = group.send(category: 2, data: [UInt8](repeating: 1, count: 40)) {
            // All have been offered it, and the group may be changed.
            #expect(sessions[3].queuedBytes > 0)
            refused.append(($0.id, $1))
            group.remove($0)
        }
        #expect(counts.queued == 2 && counts.overflow == 1 && counts.closed == 1)
        #expect(refused.map(\.0) == [sessions[1].id, sessions[2].id])
        #expect(refused.map(\.1) == [.overflow, .closed])
        #expect(group.count == 2 && !group.contains(sessions[1]))
        let none = group.send(category: 2, data: [1], except: sessions[0]) { _, _ in
            Issue.record("nobody refused it")
        }
        #expect(none.queued == 1)
    }

    @Test func `who does not take bytes is told of as for packets`() throws {
        let (stage, group) = try room(3, Self.narrow)
        let sessions = stage.bench.sessions
        stage.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        sessions[1].send(bytes: [UInt8](repeating: 0, count: 90))
        sessions[2].abort()
        var refused: [(SessionID, SendOutcome)] = []
        let counts = group.send(bytes: [UInt8](repeating: 1, count: 40)) {
            refused.append(($0.id, $1))
        }
        #expect(counts.queued == 1 && counts.overflow == 1 && counts.closed == 1)
        #expect(refused.map(\.0) == [sessions[1].id, sessions[2].id])
        #expect(refused.map(\.1) == [.overflow, .closed])
    }

    @Test func `what is too large for a packet is refused, and counted`() throws {
        let (stage, group) = try room(2)
        stage.session.close()
        let counts = group.send(category: 1, data: [UInt8](repeating: 0, count: 5000))
        #expect(counts.tooLarge == 1 && counts.closed == 1 && counts.queued == 0)
        #expect(stage.reasons == [])
    }

    @Test func `those who leave while members are visited are not visited, nor those who join`()
        throws
    {
        let (stage, group) = try room(10)
        let sessions = stage.bench.sessions
        for session in sessions[5...] { group.remove(session) }
        var visited: [SessionID] = []
        group.forEach { session in
            visited.append(session.id)
            if visited.count == 1 {
                for other in sessions[5...] { group.add(other) }
                for other in sessions[..<3] where other !== session { group.remove(other) }
            }
        }
        #expect(visited == [0, 3, 4].map { sessions[$0].id })
        #expect(group.count == 8)
    }

    @Test func `a group that is released lets its members go, and keeps nobody alive`() throws {
        let (stage, first) = try room(3)
        var second: SessionGroup? = stage.reactor.makeGroup()
        for session in stage.bench.sessions { second?.add(session) }
        weak let released = second
        second = nil
        #expect(released == nil)
        #expect(stage.session.rareState.map { unsafe $0.memberships.count } == 1)
        stage.bench.sessions[2].onPacket { [first] _, _ in _ = first }
        weak let ended = stage.bench.sessions[2]
        stage.bench.sessions[2].abort()
        stage.bench.log.sessions.removeLast()
        try stage.reactor.turn()
        #expect(ended == nil && first.count == 2)
    }

    @Test func `random joins, departures, ends and sends agree with a model`() throws {
        let seed = RandomRun.seed
        var random = SeededGenerator(seed: seed)
        let stage = try SinkBench()
        stage.sink.keepsBytes = false
        var groups = (0..<4).map { _ in stage.reactor.makeGroup() }
        var model = Array(repeating: Set<SessionID>(), count: 4)
        for step in 0..<3000 {
            let index = Int.random(in: 0..<4, using: &random)
            let sessions = stage.bench.sessions.filter { !$0.hasEnded }
            let session = sessions.randomElement(using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<40:
                guard let session else { continue }
                let isNew = model[index].insert(session.id).inserted
                try #require(groups[index].add(session) == isNew, "seed \(seed), step \(step)")
            case 40..<60:
                guard let session else { continue }
                let wasMember = model[index].remove(session.id) != nil
                try #require(
                    groups[index].remove(session) == wasMember, "seed \(seed), step \(step)")
            case 60..<64:
                session?.abort()
                try stage.reactor.turn()
                for place in 0..<4 { if let session { model[place].remove(session.id) } }
            case 64..<70: if sessions.count < 200 { try stage.connect() }
            case 70:
                groups[index] = stage.reactor.makeGroup()
                model[index] = []
            default:
                let counts = groups[index].send(category: 1, data: "x", except: session)
                let others = model[index].subtracting(session.map { [$0.id] } ?? [])
                try #require(counts.queued == others.count, "seed \(seed), step \(step)")
            }
            try #require(groups[index].count == model[index].count, "seed \(seed), step \(step)")
        }
        for index in 0..<4 { #expect(members(groups[index]) == model[index], "seed \(seed)") }
    }

    @Test func `a large group that shrinks keeps its members`() throws {
        let (stage, group) = try room(300)
        for session in stage.bench.sessions.dropFirst(5) { group.remove(session) }
        #expect(members(group) == Set(stage.bench.sessions.prefix(5).map(\.id)))
    }

    @Test func `the outcomes of a send add up`() {
        var counts = SendCounts()
        for outcome in [SendOutcome.queued, .closed, .tooLarge, .overflow] { counts.add(outcome) }
        #expect(counts.total == 4 && counts.overflow == 1 && counts.tooLarge == 1)
    }
}
