// What watches the reactors while they run.
import Tron

/// What is a finding. Every bound may be set for a test that means to exceed it.
public struct SimulationWatch: Sendable {
    /// How long bytes may have arrived on a connection and not be read, though the other side
    /// reads what it is sent. Default a minute: longer than any back pressure that works.
    public var maximumUnreadTime: Duration? = .seconds(60)

    /// How long a connection may be over and its socket be open. Default a minute.
    public var maximumTimeAfterEnd: Duration? = .seconds(60)

    /// Bytes that the sessions of a reactor may have waiting to be sent. Default 64 MiB.
    public var maximumQueuedBytes: Int? = 64 << 20

    /// Requests that a client may have waiting. Default 100,000.
    public var maximumPendingRequests: Int? = 100_000

    /// Turns in a row that neither wait nor do anything: 1000, more than any batch of jobs needs.
    public var maximumIdleTurns = 1000

    /// The defaults.
    public init() {}
}

extension SimulatedNetwork {
    /// How often it looks, in nanoseconds of virtual time.
    private static let watchInterval: Int64 = 5_000_000_000

    func watchAll() {
        nextWatch = run.clock + Self.watchInterval
        network.forgetClosed()
        for end in network.ends where end.isLibrary && !end.isClosed { watchEnd(end) }
        for reactor in reactors { watchQueues(reactor) }
    }

    private func watchEnd(_ end: End) {
        let waited = run.clock - end.waitingSince
        let other = end.remote.map { "\($0)" } ?? "nobody"
        if let most = watch.maximumUnreadTime, end.phase == .connected, !end.inbox.isEmpty,
            end.isWritable, waited > most.clampedNanoseconds, !end.isReported
        {
            end.isReported = true
            found(
                .sleepOverData,
                "\(end.inbox.count) bytes from \(other) have not been read for \(most)",
                by: end.place.name)
        }
        if let most = watch.maximumTimeAfterEnd, end.phase == .over, let since = end.overSince,
            run.clock - since > most.clampedNanoseconds, !end.isReported
        {
            end.isReported = true
            found(
                .leak, "a connection with \(other) is over, and its socket open after \(most)",
                by: end.place.name)
        }
    }

    private func watchQueues(_ simulated: SimulatedReactor) {
        guard let snapshot = simulated.living?.snapshot() else { return }
        let queued = snapshot.sessions.queuedBytes
        if let most = watch.maximumQueuedBytes, queued > most {
            found(.unboundedQueue, "\(queued) bytes wait to be sent", by: simulated.name)
        }
        for client in snapshot.clients {
            guard let most = watch.maximumPendingRequests, client.pendingRequests > most else {
                continue
            }
            found(
                .unboundedQueue, "\(client.pendingRequests) requests wait for \(client.target)",
                by: simulated.name)
        }
    }
}
