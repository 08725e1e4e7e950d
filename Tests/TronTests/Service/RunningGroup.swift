// What the tests of groups on threads of their own stand on: a group that runs, and its peers.
import Glibc
import Testing

@testable import Tron

/// A group that runs, with a server that echoes.
final class RunningGroup: Sendable {
    let group: ReactorGroup
    let server: GroupServer
    let run: Task<DrainReport, any Error>
    /// The sessions of the server, in the order in which they began.
    let sessions: Locked<[SessionID]>

    init(
        count: Int = 3, on address: String = "127.0.0.1:0", isPinned: Bool = false,
        drainingWithin deadline: Duration = .seconds(600),
        supervisor: Supervisor? = nil,
        reactors setup: @escaping @Sendable (Reactor, Int) throws -> Void = { _, _ in },
        sessions handler: @escaping @Sendable (Session) -> Void = { _ in }
    ) throws {
        let group = ReactorGroup(
            count: .exactly(count), drainingWithin: deadline, isPinned: isPinned, setup: setup)
        let sessions = Locked<[SessionID]>([])
        server = try group.listen(on: address) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            handler(session)
            sessions.withLock { $0.append(session.id) }
        }
        if let supervisor { group.report(to: supervisor) }
        self.group = group
        self.sessions = sessions
        run = Task { try await group.run() }
    }

    static func wait(
        until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for _ in 0..<20_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition(), sourceLocation: sourceLocation)
    }

    /// Connects peers one after the other, each of which has its session then.
    func connect(_ count: Int) async throws -> [Peer] {
        var peers: [Peer] = []
        for _ in 0..<count {
            let before = sessions.withLock { $0.count }
            peers.append(try Peer(to: server.address))
            try await Self.wait { self.sessions.withLock { $0.count } > before }
        }
        return peers
    }

    /// Cancels it and waits for its end.
    @discardableResult
    func end(_ peers: [Peer]) async throws -> DrainReport {
        run.cancel()
        // Some may be told before the run is known to be cancelled, none by a time limit.
        try await Self.wait { !self.group.isReady }
        for peer in peers { peer.drainToEnd() }
        for peer in peers { peer.close() }
        return try await run.value
    }
}

extension DrainReport {
    /// So many sessions that ended in time, and nothing else.
    static func closing(_ count: Int) -> DrainReport {
        var report = DrainReport()
        report.closed = count
        return report
    }
}

extension Peer {
    /// The texts of its packets, when so many have come, or after ten seconds. Other than a
    /// sleeping task it is woken at once, however many tests run.
    func read(_ count: Int) -> [String] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while drained.texts.count < count && !isAtEnd && error == 0 && poll(&request, 1, 10_000) > 0
        {}
        return texts
    }
}
