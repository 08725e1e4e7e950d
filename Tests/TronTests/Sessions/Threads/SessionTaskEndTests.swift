// How sessions with a task end: by their peers, their bodies, drains and stops.
import Testing

@testable import Tron

@Suite(.timeLimit(.minutes(10))) struct SessionTaskEndTests: SessionTaskSuite {
    @Test func `an end in the middle of a packet is thrown, after the packets before it`() throws {
        let bench = try bench { try await Self.note($0, $1) }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b") + [1, 2, 3])
        peer.finish()
        try bench.reactor.turn(until: { bench.log.notes.count == 1 })
        #expect(bench.texts == ["a", "b"])
        #expect(bench.log.notes == ["protocol fault: the stream ended after 3 bytes of a packet"])
    }

    @Test func `an abort is thrown, and a later iterator is told the same`() throws {
        let bench = try bench { session, log in
            do {
                try await Self.note(session, log)
            } catch {
                log.notes.append("\(error)")
            }
            try await Self.note(session, log)
        }
        _ = try bench.connect()
        bench.sessions[0].abort()
        try bench.reactor.turn(until: { bench.log.notes.count == 2 })
        #expect(bench.log.notes == ["aborted", "aborted"] && bench.reasons == [.aborted])
    }

    @Test func `a body that returns or throws closes its session, and what it sent leaves`() throws
    {
        for fails in [false, true] {
            let bench = try bench { session, _ in
                try await session.send(category: 1, data: "bye")
                if fails { throw RequestError.timedOut }
            }
            let peer = try bench.connect()
            try bench.reactor.turn(until: { peer.drained.isAtEnd })
            peer.close()
            try bench.turnUntilClosed()
            #expect(peer.texts == ["bye"] && bench.reasons == [.requested])
            #expect(bench.log.notes == [fails ? "\(RequestError.timedOut)" : "done"])
        }
    }

    @Test func `half-closed by its peer, iteration ends and sending goes on`() throws {
        var options = SessionOptions()
        options.allowsHalfClose = true
        let bench = try bench(options) { session, log in
            try await Self.note(session, log)
            try await session.send(category: 1, data: "after")
        }
        let peer = try bench.connect()
        peer.send(wire("a"))
        peer.finish()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(bench.texts == ["a"] && peer.texts == ["after"])
        try bench.turnUntilClosed()
        #expect(bench.log.notes == ["done"])
    }

    /// How a session ends that nobody cuts off.
    enum GentleEnd: CaseIterable {
        case peerFinishes, drain

        var reason: CloseReason { self == .drain ? .requested : .peerClosed }
    }

    private func end(_ bench: Bench, _ peer: Peer, by end: GentleEnd) {
        switch end {
        case .peerFinishes: peer.finish()
        case .drain: bench.server.drain(within: .seconds(60)) { _ in }
        }
    }

    @Test(arguments: GentleEnd.allCases)
    func `a gentle end waits for the answer to what the task has taken`(by end: GentleEnd) throws {
        let stop = Stop()
        let bench = try bench { session, log in
            for try await packet in session.packets {
                log.texts.append(packet.text)
                await stop.pass()
                try await session.reply(to: packet, data: Array("to \(packet.text)".utf8))
            }
        }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b"))
        try bench.reactor.turn(until: { bench.texts == ["a"] })
        bench.kernel.isFrozen = true
        self.end(bench, peer, by: end)
        try bench.reactor.turn(times: 5)
        #expect(bench.sessions[0].isOpen)
        stop.open()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        #expect(peer.texts == ["to a", "to b"])
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [end.reason])
    }

    @Test(arguments: GentleEnd.allCases)
    func `a gentle end does not wait for a task that is at no packet`(by end: GentleEnd) throws {
        let stop = Stop()
        let bodies: [nonisolated(nonsending) (AsyncSession, Log) async throws -> Void] = [
            { session, log in try await Self.note(session, log) },
            { _, _ in await stop.pass() },
        ]
        // The peer's end is not read while nobody takes packets.
        for (index, body) in bodies.enumerated() where index == 0 || end == .drain {
            let bench = try bench { try await body($0, $1) }
            let peer = try bench.connect()
            if index == 0 { peer.send(wire("a")) }
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 5)
            self.end(bench, peer, by: end)
            try bench.reactor.turn(until: { peer.drained.isAtEnd }, atMost: 10)
            peer.finish()
            try bench.turnUntilClosed()
            #expect(bench.reasons == [end.reason])
        }
        stop.open()
    }

    @Test func `the reactor's stop ends the task`() throws {
        let bench = try bench { try await Self.note($0, $1) }
        _ = try bench.connect()
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(bench.log.notes == ["the reactor stopped"])
    }

    @Test func `nothing is left of a session whose task is over`() throws {
        let bench = try bench { try await Self.note($0, $1) }
        let peer = try bench.connect()
        weak let session = bench.sessions[0]
        bench.log.sessions = []
        peer.finish()
        try bench.reactor.turn(until: { bench.log.notes == ["done"] })
        try bench.reactor.turn(times: 2)
        #expect(session == nil)
    }

    @Test func `a session that closes has no task any more`() throws {
        let bench = try Bench { session, log in
            session.close()
            log.notes.append("\(session.task { _ in log.notes.append("called") } == nil)")
        }
        _ = try bench.connect()
        try bench.reactor.turn(times: 3)
        #expect(bench.log.notes == ["true"])
    }

    @Test func `a task that begins after its peer's end has nothing to iterate over`() throws {
        var options = SessionOptions()
        options.allowsHalfClose = true
        let bench = try Bench(session: options) { session, log in
            session.onPeerFinished { session in
                session.task { session in
                    try await Self.note(session, log)
                    log.notes.append("iterated")
                    try await session.send(category: 1, data: "after")
                }
            }
        }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        peer.finish()
        try bench.reactor.turn(until: { peer.drained.isAtEnd }, atMost: 20)
        #expect(bench.log.notes == ["iterated"] && peer.texts == ["after"])
    }
}
