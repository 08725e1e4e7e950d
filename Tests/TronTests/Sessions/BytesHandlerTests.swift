// What a handler of raw bytes may do wrong, or to itself: its session pays for it, and nobody else.
import Glibc
import Testing

@testable import Tron

extension CloseReason {
    /// The name of the protocol fault and the numbers it holds, as the source has them.
    fileprivate var faultInDetail: String? {
        guard case .protocolFault(let fault) = self else { return nil }
        guard let child = Mirror(reflecting: fault).children.first else { return nil }
        return "\(child.label ?? "")\(child.value)"
    }
}

@Suite struct BytesHandlerFaultTests {
    /// In a process of its own: what its peer's bytes bring a handler to do must not end this one.
    @Test(arguments: [3, 4, Int.max, -1, Int.min])
    func `a handler that consumes what is not there ends its session with a fault`(consumed: Int)
        async
    {
        await #expect(processExitsWith: .exitCode(7)) { [consumed] in
            let bench = try Bench { session, log in
                session.onBytes { session, bytes in
                    session.send(bytes: "heard")
                    log.texts.append("\(bytes.byteCount)")
                    return log.sessions.first === session ? consumed : bytes.byteCount
                }
            }
            let peer = try bench.connect()
            let other = try bench.connect()
            bench.kernel.isFrozen = true
            peer.send([1, 2])
            try bench.reactor.turn(times: 3)
            let isClosing = bench.sessions[0].send(bytes: "more") == .closed
            peer.finish()
            try bench.turnUntilClosed()
            // In the end: [.protocolFault(.consumedTooMuch(consumed: consumed, of: 2))]
            let details = bench.reasons.map(\.faultInDetail)
            let isTold = details == ["consumedTooMuch(consumed: \(consumed), of: 2)"]
            // What it had queued leaves, as with any fault; the bytes do not come again.
            let isWhole = peer.drained.received == Array("heard".utf8) && bench.texts == ["2"]
            other.send([1, 2, 3])
            try bench.reactor.turn(until: { bench.texts == ["2", "3"] }, atMost: 10)
            let othersLive = bench.texts == ["2", "3"] && bench.reasons.count == 1
            exit(isClosing && isTold && isWhole && othersLive ? 7 : 1)
        }
    }

    @Test func `consuming too much of what was kept before is the same fault`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let bench = try Bench { session, _ in
                session.onBytes { _, bytes in bytes.byteCount < 4 ? 0 : bytes.byteCount + 1 }
            }
            let peer = try bench.connect()
            bench.kernel.isFrozen = true
            for _ in 0..<2 {
                peer.send([1, 2])
                try bench.reactor.turn(times: 2)
            }
            peer.finish()
            try bench.turnUntilClosed()
            // In the end: [.protocolFault(.consumedTooMuch(consumed: 5, of: 4))]
            let details = bench.reasons.map(\.faultInDetail)
            exit(details == ["consumedTooMuch(consumed: 5, of: 4)"] ? 7 : 1)
        }
    }

    @Test func `a handler that closes and consumes too much is told why it was closed`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let bench = try Bench { session, _ in
                session.onBytes { session, bytes in
                    session.close()
                    return bytes.byteCount + 1
                }
            }
            let peer = try bench.connect()
            peer.send([1, 2])
            try bench.reactor.turn(times: 2)
            peer.finish()
            try bench.turnUntilClosed()
            exit(bench.reasons == [.requested] ? 7 : 1)
        }
    }
}

@Suite struct BytesHandlerReplacementTests {
    /// Calls after which a handler gives up: the loop that it holds would have no end.
    private static let many = 1000

    @Test func `a handler that installs itself and consumes nothing holds no turn`() throws {
        var calls = 0
        func install(_ session: Session) {
            session.onBytes { session, bytes in
                calls += 1
                if calls >= Self.many { return bytes.byteCount }
                install(session)
                return 0
            }
        }
        let bench = try Bench { session, log in
            if log.sessions.count == 1 { install(session) }
        }
        let peer = try bench.connect()
        let other = try bench.connect()
        peer.send([1])
        for round in 1...20 {
            other.send(wire("\(round)"))
            try bench.reactor.turn()
            try #require(calls <= round && bench.texts.count == round)
        }
        // It is called on, a turn after the other.
        #expect(calls >= 19 && bench.reasons == [])
    }

    @Test func `two handlers that give way to each other hold no turn`() throws {
        var calls = 0
        func install(_ session: Session, _ name: String, _ other: String, _ log: Log) {
            session.onBytes { session, bytes in
                calls += 1
                log.notes.append(name)
                if calls >= Self.many { return bytes.byteCount }
                install(session, other, name, log)
                return 0
            }
        }
        let bench = try Bench { session, log in install(session, "a", "b", log) }
        let peer = try bench.connect()
        peer.send([1])
        for round in 1...4 {
            try bench.reactor.turn()
            try #require(calls <= round)
        }
        #expect(bench.log.notes.prefix(3) == ["a", "b", "a"])
    }

    @Test func `a replacement that consumed nothing goes on in the next turn, after the others`()
        throws
    {
        let bench = try Bench { session, log in
            guard log.sessions.count == 1 else { return }
            session.onBytes { session, _ in
                log.texts.append("first")
                session.onBytes { _, bytes in
                    log.texts.append("second \(bytes.byteCount)")
                    return bytes.byteCount
                }
                return 0
            }
        }
        let peer = try bench.connect()
        let other = try bench.connect()
        peer.send([1, 2, 3])
        other.send(wire("other"))
        try bench.reactor.turn()
        #expect(bench.texts.sorted() == ["first", "other"])
        try bench.reactor.turn()
        #expect(bench.texts.count == 3 && bench.texts.last == "second 3")
    }

    @Test func `a handler that looks and gives way to packets loses none of them`() throws {
        let bench = try Bench { session, log in
            session.onBytes { session, _ in
                session.onPacket { _, packet in log.texts.append(packet.text) }
                return 0
            }
        }
        let peer = try bench.connect()
        peer.send(wire("a") + wire("b"))
        try bench.reactor.turn(until: { bench.texts.count == 2 }, atMost: 2)
        peer.send(wire("c"))
        try bench.reactor.turn(until: { bench.texts == ["a", "b", "c"] }, atMost: 2)
    }

    @Test func `a replacement that consumed something goes on at once`() throws {
        let bench = try Bench { session, log in
            session.onBytes { session, _ in
                session.onBytes { _, bytes in
                    log.texts.append("\(bytes.byteCount)")
                    return bytes.byteCount
                }
                return 1
            }
        }
        let peer = try bench.connect()
        peer.send([1, 2, 3])
        try bench.reactor.turn()
        #expect(bench.texts == ["2"])
    }

    @Test func `a handler that is set later gets the packets that were kept`() throws {
        let bench = try Bench { session, _ in session.onBytes { _, _ in 0 } }
        bench.kernel.isFrozen = true
        let peer = try bench.connect()
        peer.send(wire("kept"))
        try bench.reactor.turn(times: 3)
        let log = bench.log
        bench.sessions[0].onPacket { _, packet in log.texts.append(packet.text) }
        try bench.reactor.turn(times: 3)
        #expect(bench.texts == ["kept"])
        peer.close()
    }
}
