// What proves a connection, so that attempts and delays begin anew: bytes that are accepted.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientProofTests {
    /// What the server does with each connection, and whether its client takes it for a proof.
    enum Treatment: CaseIterable {
        case bytes, bytesTakenInPart, frame, packet, heartbeatAnswer, heartbeatQuestion
        case nothing, brokenPacket, halfAPacket, bytesNotTaken, halfAFrame, tooLongAFrame

        static let proofs: [Treatment] = [
            .bytes, .bytesTakenInPart, .frame, .packet, .heartbeatAnswer, .heartbeatQuestion,
        ]
        static let noProofs: [Treatment] = [
            .nothing, .brokenPacket, .halfAPacket, .bytesNotTaken, .halfAFrame, .tooLongAFrame,
        ]
    }

    private static let beat: UInt8 = 200

    /// A client and a server that treats the connections in turn as `treatments` say, the last of
    /// them again and again. All connections have ended soon after they began.
    private final class Stage {
        let reactor: Reactor
        let client: Client
        let log = ClientLog()

        init(_ treatments: Treatment..., attempts: Int?) throws {
            let reactor = try Reactor(kernel: FaultyKernel())
            self.reactor = reactor
            let name = Bench.unixName()
            var (served, dialled) = (0, 0)
            func next(_ count: inout Int) -> Treatment {
                count += 1
                return treatments[min(count, treatments.count) - 1]
            }
            var server = ServerOptions()
            server.session.heartbeat = Self.heartbeat(treatments == [.heartbeatQuestion])
            try reactor.listen(on: name, options: server) { [unowned reactor] session in
                Self.serve(session, next(&served), reactor)
            }
            var options = ClientOptions()
            options.session.heartbeat = Self.heartbeat(treatments == [.heartbeatAnswer])
            client = reactor.makeClient(
                to: name,
                reconnecting: Backoff(initial: .seconds(1), multiplier: 1, attempts: attempts),
                options: options
            ) { Self.receive($0, next(&dialled)) }
            client.onStateChange { [log] _, state in log.states.append(state) }
        }

        /// One end asks after a second, the other never would.
        private static func heartbeat(_ asks: Bool) -> Heartbeat {
            Heartbeat(category: beat, interval: asks ? .seconds(1) : .seconds(100_000))
        }

        private static func serve(_ session: Session, _ treatment: Treatment, _ reactor: Reactor) {
            switch treatment {
            case .nothing: break
            case .bytes, .bytesTakenInPart, .bytesNotTaken, .frame, .tooLongAFrame:
                session.send(bytes: "hello\n")
            case .halfAFrame: session.send(bytes: "hello")
            case .packet: session.send(category: 1, data: "hello")
            case .brokenPacket: session.send(bytes: [UInt8](repeating: 0xff, count: 20))
            case .halfAPacket: session.send(bytes: Array(wire("hello").dropLast(3)))
            case .heartbeatAnswer, .heartbeatQuestion:
                reactor.schedule(after: .milliseconds(1500)) { session.abort() }
                return
            }
            session.close()
        }

        private static func receive(_ session: Session, _ treatment: Treatment) {
            switch treatment {
            case .bytes: session.onBytes { _, bytes in bytes.byteCount }
            case .bytesTakenInPart:
                var taken = 0
                session.onBytes { _, _ in
                    taken += 1
                    return taken == 1 ? 1 : 0
                }
            case .bytesNotTaken: session.onBytes { _, _ in 0 }
            case .frame, .halfAFrame: session.onFrames(of: .lines()) { _, _ in }
            case .tooLongAFrame: session.onFrames(of: .lines(maximumLength: 4)) { _, _ in }
            default: break
            }
        }

        /// The numbers of the attempts that were waited for.
        var attempts: [Int] {
            log.states.compactMap { state in
                if case .waiting(_, let attempt) = state { attempt } else { nil }
            }
        }
    }

    @Test(arguments: Treatment.proofs)
    func `a connection that brought something is no failed attempt, however often it ends`(
        treatment: Treatment
    ) throws {
        let stage = try Stage(treatment, attempts: 2)
        let client = stage.client
        try stage.reactor.turn(
            until: { client.counters.connections == 20 || client.state.isFinal }, atMost: 5000)
        #expect(client.counters.connections == 20, "\(client.state)")
        #expect(stage.attempts == Array(repeating: 1, count: 19))
    }

    @Test(arguments: Treatment.noProofs)
    func `a connection that brought nothing that is accepted is a failed attempt`(
        treatment: Treatment
    ) throws {
        let stage = try Stage(treatment, attempts: 2)
        let client = stage.client
        try stage.reactor.turn(
            until: { client.counters.connections == 20 || client.state.isFinal }, atMost: 5000)
        #expect(client.state.isFinal && client.counters.connections == 3)
        #expect(stage.attempts == [1, 2])
    }

    @Test func `attempts are counted from the last connection that proved itself`() throws {
        let stage = try Stage(.bytes, .nothing, .nothing, .bytes, .bytes, .nothing, attempts: nil)
        try stage.reactor.turn(until: { stage.attempts.count == 8 }, atMost: 5000)
        #expect(stage.attempts == [1, 2, 3, 1, 1, 2, 3, 4])
    }
}
