// What breaks the protocol ends the session, and its user may tell the peer why before that.
import Testing

@testable import Tron

@Suite struct ProtocolFaultTests {
    /// Each way of taking what comes, and what breaks it.
    enum Breach: CaseIterable {
        case packet, truncatedPacket, frame, bytes

        func setUp(_ session: Session, _ log: Log) {
            switch self {
            case .packet, .truncatedPacket:
                session.onPacket { _, packet in log.texts.append(packet.text) }
            case .frame:
                session.onFrames(of: .lines(maximumLength: 5)) { _, line in
                    log.texts.append(line.content.text)
                }
            case .bytes: session.onBytes { _, bytes in bytes.byteCount + 1 }
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .packet: wire("a") + wire("b").dropLast() + [0] + wire("c")
            case .truncatedPacket: wire("a") + wire("b").dropLast()
            case .frame: Array("a\nfar too long\nb\n".utf8)
            case .bytes: Array("a".utf8)
            }
        }
    }

    @Test(arguments: Breach.allCases)
    func `the handler may say so to the peer, once, and nothing is delivered after it`(
        breach: Breach
    ) throws {
        let bench = try Bench { session, log in
            breach.setUp(session, log)
            session.onProtocolFault { session, fault in
                log.notes.append("\(fault)")
                session.send(category: 9, data: "because of \(fault)")
                session.resumeReading()
            }
        }
        let peer = try bench.connect()
        peer.send(breach.bytes)
        if breach == .truncatedPacket { peer.finish() }
        try bench.reactor.turn(until: { peer.drained.isAtEnd })
        peer.close()
        try bench.turnUntilClosed()
        guard case .protocolFault(let fault) = bench.reasons.first else {
            Issue.record("it ended \(bench.reasons)")
            return
        }
        #expect(bench.log.notes == ["\(fault)"] && peer.texts == ["because of \(fault)"])
        #expect(bench.texts == (breach == .bytes ? [] : ["a"]))
    }

    @Test func `a handler that aborts is heard, and one that is installed too late is not`() throws
    {
        let bench = try Bench { session, log in
            session.onProtocolFault { session, _ in
                log.notes.append("told")
                session.abort()
                session.onProtocolFault { _, _ in log.notes.append("again") }
            }
        }
        let peer = try bench.connect()
        peer.send([UInt8](repeating: 0xff, count: 20))
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.aborted] && bench.log.notes == ["told"])
    }
}
