// What the tests of groups stand on: reactors of one group, driven turn by turn on one thread.
import Glibc
import Testing

@testable import Tron

/// The reactors of a group on one fake clock, with one server. What a session of a reactor tells is
/// in the log of that reactor.
final class GroupBench {
    let kernel: FaultyKernel
    let group: ReactorGroup
    let server: GroupServer
    private(set) var reactors: [Reactor] = []
    let logs: [Log]
    private(set) var peers: [Peer] = []

    /// Sessions echo; `setup` may replace that.
    init(
        count: Int = 3, on address: String = "127.0.0.1:0",
        options: ServerOptions = ServerOptions(), limits: ReactorLimits = ReactorLimits(),
        drainingWithin deadline: Duration = .seconds(8), notice: Duration = .zero,
        setup: @escaping @Sendable (Session, Log) -> Void = { _, _ in }
    ) throws {
        let kernel = FaultyKernel()
        let locals = ReactorLocal<Log>()
        let logs = (0..<count).map { _ in Log() }
        group = ReactorGroup(
            count: .exactly(count), drainingWithin: deadline, notice: notice, kernel: kernel)
        server = try group.listen(on: address, options: options) { session in
            guard let log = locals[session] else { return }
            log.sessions.append(session)
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                session.reply(to: packet, data: packet.data)
            }
            session.onClose { _, reason in log.reasons.append(reason) }
            setup(session, log)
        }
        self.kernel = kernel
        self.logs = logs
        for index in 0..<count {
            let reactor = try Reactor(limits: limits, kernel: kernel)
            locals[reactor] = logs[index]
            reactor.onEvent { logs[index].notes.append("\($0)") }
            try group.join(reactor, at: index)
            reactors.append(reactor)
        }
        // They accept once all are there.
        try turn(times: 3)
    }

    var counts: [Int] { logs.map { $0.sessions.count - $0.reasons.count } }

    /// Whether all its reactors have ended, and whether none has.
    var hasEnded: Bool { reactors.allSatisfy { $0.isFinished } }
    var isRunning: Bool { reactors.allSatisfy { !$0.isFinished } }

    var texts: [String] { logs.flatMap(\.texts) }

    func total(_ number: KeyPath<ServerCounters, Int>) -> Int {
        reactors.reduce(0) { $0 + $1.snapshot().serverTotals[keyPath: number] }
    }

    /// A turn of each reactor that has not ended; those that are to end do so.
    func turn(times: Int = 1) throws {
        for _ in 0..<times {
            for (index, reactor) in reactors.enumerated() where !reactor.isFinished {
                if try reactor.step() { continue }
                reactor.finish()
                group.ended(at: index)
            }
        }
    }

    func turn(
        until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for _ in 0..<1000 where !condition() { try turn() }
        #expect(condition(), "not within 1,000 turns", sourceLocation: sourceLocation)
    }

    /// Connects a peer; nobody has accepted it.
    @discardableResult
    func knock() throws -> Peer {
        let peer = try Peer(to: server.address)
        peers.append(peer)
        return peer
    }

    /// Connects peers one after the other, each of which has its session then.
    func connect(_ count: Int) throws {
        for _ in 0..<count {
            let before = logs.reduce(0) { $0 + $1.sessions.count }
            try knock()
            try turn(until: { logs.reduce(0) { $0 + $1.sessions.count } > before })
        }
    }

    /// Whether the numbers agree that each reactor tells, the group, and the tests' own.
    func check(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(server.sessionCounts == counts, sourceLocation: sourceLocation)
        #expect(
            total(\.handedOver) == total(\.takenOver) + total(\.refusedByStop),
            sourceLocation: sourceLocation)
    }
}
