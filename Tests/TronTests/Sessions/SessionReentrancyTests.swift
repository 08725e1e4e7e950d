// Handlers that do what they like, to their own session, to others, to the server and the reactor.
import Foundation
import Testing

@testable import Tron

@Suite struct SessionReentrancyTests {
    /// A bench whose sessions call `act` for every packet after it was noted.
    private func bench(
        _ transport: Bench.Transport = .unix, act: @escaping (Session, Log, String) -> Void
    ) throws -> Bench {
        try Bench(transport) { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                act(session, log, packet.text)
            }
        }
    }

    @Test func `a handler that closes its session gets nothing more and its reply leaves`() throws {
        let bench = try bench { session, _, text in
            session.send(category: 1, data: "re " + text)
            if text == "b" { session.close() }
            if text == "b" { #expect(session.send(category: 1, data: "late") == .closed) }
        }
        let peer = try bench.connect()
        peer.send(["a", "b", "c"].flatMap { wire($0) })
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.send(wire("d"))
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.texts == ["a", "b"] && peer.texts == ["re a", "re b"])
        #expect(bench.reasons == [.requested])
    }

    @Test func `a handler that aborts its session gets nothing more and nothing leaves`() throws {
        let bench = try bench(.ipv4) { session, _, text in
            session.send(category: 1, data: "re " + text)
            if text == "b" { session.abort() }
        }
        let peer = try bench.connect()
        peer.send(["a", "b", "c"].flatMap { wire($0) })
        try bench.turnUntilClosed()
        peer.drainToEnd()
        #expect(bench.texts == ["a", "b"] && peer.received == [])
        #expect(peer.error == ECONNRESET && bench.reasons == [.aborted])
    }

    @Test func `a session aborted by another's handler in the same batch hears nothing more`()
        throws
    {
        let bench = try bench { session, log, _ in
            for other in log.sessions where other !== session { other.abort() }
        }
        let peers = try (0..<5).map { _ in try bench.connect() }
        for peer in peers { peer.send(wire("me")) }
        try bench.turnUntilClosed(4)
        #expect(bench.texts == ["me"])
        #expect(bench.reasons == Array(repeating: .aborted, count: 4))
        #expect(bench.server.sessionCount == 1)
    }

    @Test func `a session paused by another's handler hears nothing until it resumes`()
        throws
    {
        let bench = try bench { session, log, _ in
            for other in log.sessions where other !== session { other.pauseReading() }
        }
        let peers = try (0..<3).map { _ in try bench.connect() }
        for peer in peers { peer.send(wire("me")) }
        try bench.reactor.turn(times: 5)
        #expect(bench.texts == ["me"])
        for expected in 2...3 {
            for session in bench.sessions { session.resumeReading() }
            try bench.reactor.turn(until: { bench.texts.count == expected })
        }
    }

    @Test func `a handler that stops the reactor is in its last turn`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        let remote = bench.reactor.remote
        bench.sessions[0].onPacket { [log = bench.log] session, packet in
            log.texts.append(packet.text)
            session.reply(to: packet, data: packet.data)
            if packet.text == "b" { remote.stop() }
        }
        peer.send(["a", "b", "c"].flatMap { wire($0) })
        try bench.reactor.run()
        peer.drainToEnd()
        #expect(bench.texts == ["a", "b", "c"] && peer.texts == ["a", "b", "c"])
        #expect(bench.reasons == [.reactorStopped] && peer.isAtEnd)
        #expect(bench.kernel.openDescriptors.count == 2)
    }

    @Test(arguments: [Server.SessionEnd.close, .abort])
    func `a handler that stops its server ends all of its sessions`(end: Server.SessionEnd) throws {
        var server: Server?
        let bench = try bench { _, _, _ in server?.stop(sessions: end) }
        server = bench.server
        defer { server = nil }
        let peers = try (0..<3).map { _ in try bench.connect() }
        for peer in peers { peer.send(wire("me")) }
        try bench.reactor.turn(until: {
            for peer in peers { peer.drain() }
            return peers.allSatisfy { $0.isAtEnd || $0.error != 0 }
        })
        for peer in peers { peer.close() }
        try bench.turnUntilClosed(3)
        #expect(bench.texts == ["me"])
        #expect(bench.reasons.allSatisfy { $0 == (end == .close ? .requested : .aborted) })
        let late = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(late) }
        let refused = bench.server.address.withRawAddress {
            connect(late, $0.assumingMemoryBound(to: sockaddr.self), $1)
        }
        #expect(refused == -1)
    }

    @Test func `a handler replaced within a batch gives way from the next packet on`() throws {
        let bench = try bench { session, log, _ in
            session.onPacket { session, packet in
                log.texts.append("second " + packet.text)
                session.onBytes { session, bytes in
                    let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    log.texts.append("raw " + text)
                    session.onPacket { _, packet in log.texts.append("fourth " + packet.text) }
                    return 4
                }
            }
        }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b") + Array("line".utf8) + wire("c") + wire("d"))
        try bench.reactor.turn(until: { bench.texts.count >= 5 })
        #expect(bench.texts[0..<2] == ["a", "second b"])
        #expect(bench.texts[2].hasPrefix("raw line"))
        #expect(bench.texts[3...] == ["fourth c", "fourth d"])
    }

    @Test func `a close handler may send on another session and start whatever it likes`() throws {
        let bench = try Bench { session, log in
            session.onClose { session, reason in
                log.reasons.append(reason)
                for other in log.sessions where other !== session {
                    log.notes.append("\(other.send(category: 1, data: "it is gone"))")
                }
                session.send(category: 1, data: "nobody")
                session.close()
            }
        }
        let peers = [try bench.connect(), try bench.connect()]
        peers[0].finish()
        try bench.reactor.turn(until: { peers[1].drained.texts == ["it is gone"] })
        #expect(bench.log.notes == ["queued"] && bench.reasons == [.peerClosed])
    }

    @Test func `no event of a closed session reaches the next owner of its descriptor`() throws {
        let bench = try bench { session, log, text in
            if text == "end" { session.abort() }
            log.notes.append(session.id.description)
        }
        var seen: Set<SessionID> = []
        for round in 0..<50 {
            let old = try bench.connect()
            old.send(wire("end") + wire("never"))
            let young = try Peer(to: bench.server.address)
            old.send(wire("never"))
            young.send(wire("hello \(round)"))
            try bench.reactor.turn(until: { bench.texts.count == 2 * round + 2 })
            #expect(bench.texts.suffix(2) == ["end", "hello \(round)"])
            bench.sessions.last?.close()
            young.close()
            try bench.turnUntilClosed(2 * round + 2)
        }
        seen.formUnion(bench.sessions.map(\.id))
        #expect(seen.count == 100)
        #expect(bench.reasons.filter { $0 == .aborted }.count == 50)
        #expect(Set(bench.sessions.map(\.id.key.index)).count < 10)
    }

    @Test func `setup may close or abort the session it is given`() throws {
        let bench = try Bench { session, log in
            if log.sessions.count == 1 { session.abort() } else { session.close() }
        }
        _ = try bench.connect()
        try bench.turnUntilClosed(1)
        let peer = try bench.connect()
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.close()
        try bench.turnUntilClosed(2)
        #expect(bench.reasons == [.aborted, .requested])
    }

    @Test func `a close handler that dials again does not keep a stopping reactor from its end`()
        throws
    {
        let bench = try Bench()
        let reactor = bench.reactor
        var attempts = 0
        var told: [ConnectError] = []
        func dial() {
            attempts += 1
            reactor.connectOnce(to: bench.server.address) { result in
                switch result {
                case .success(let session): session.onClose { _, _ in dial() }
                case .failure(let error):
                    told.append(error)
                    if attempts < 100_000 { dial() }
                }
            }
        }
        dial()
        try reactor.turn(until: { bench.sessions.count == 1 && told.isEmpty })
        try reactor.turn(times: 2)
        reactor.stop()
        try reactor.run()
        #expect(attempts > 1 && attempts < 1000)
        #expect(!told.isEmpty)
    }

    @Test func `a handler is called from the same depth, however many batches there were`() throws {
        var depths: [Int] = []
        let bench = try Bench { session, _ in
            session.onPacket { _, _ in depths.append(Thread.callStackReturnAddresses.count) }
        }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        for count in 1...200 {
            peer.send(wire("a"))
            try bench.reactor.turn(until: { depths.count == count })
        }
        #expect(Set(depths[1...]).count == 1)
    }
}
