// What the reactors of a group have done so far: together, and what of it tells them apart.

/// What a group has done so far. Taken with `ReactorGroup.snapshot()`.
public struct GroupSnapshot: Sendable {
    /// The reactors' numbers, added up. Servers of one address are one; `time` is that of the
    /// reactor that has been there longest.
    public var total: ReactorSnapshot

    /// What tells the reactors apart, in the order of their indices.
    public var reactors: [Member]

    /// One reactor of a group.
    public struct Member: Sendable {
        /// Its index.
        public let index: Int
        /// Whether it has been asked: else its numbers are those of the last time, or all zero. So
        /// it is with one that has stopped, and with one that did not answer in time.
        public var hasAnswered: Bool
        /// Its sessions that have not ended.
        public var sessionsOpen: Int
        /// How long each of its turns kept everything else waiting; nanoseconds.
        public var lag: Histogram
        /// Connections that it has handed to others.
        public var handedOver: Int
        /// Connections that others have handed to it.
        public var takenOver: Int
    }

    /// Of each reactor its numbers, if there are any, and whether they are new.
    init(_ parts: [(snapshot: ReactorSnapshot?, hasAnswered: Bool)]) {
        total = ReactorSnapshot()
        for part in parts { if let snapshot = part.snapshot { total.add(snapshot) } }
        reactors = parts.enumerated().map { index, part in
            let snapshot = part.snapshot
            return Member(
                index: index, hasAnswered: part.hasAnswered,
                sessionsOpen: snapshot?.sessions.open ?? 0, lag: snapshot?.lag ?? Histogram(),
                handedOver: snapshot?.serverTotals.handedOver ?? 0,
                takenOver: snapshot?.serverTotals.takenOver ?? 0)
        }
    }

    /// What was done since an earlier snapshot of the same group: see `ReactorSnapshot.since(_:)`.
    public func since(_ earlier: GroupSnapshot) -> GroupSnapshot {
        var difference = self
        difference.total = total.since(earlier.total)
        for (index, old) in zip(reactors.indices, earlier.reactors) {
            difference.reactors[index].lag = reactors[index].lag.since(old.lag)
            difference.reactors[index].handedOver -= old.handedOver
            difference.reactors[index].takenOver -= old.takenOver
        }
        return difference
    }
}

extension ReactorSnapshot {
    /// All zero: of no reactor.
    fileprivate init() {
        self.init(
            time: .zero, turns: 0, events: 0, systemCalls: 0, liveTimers: 0, lag: Histogram(),
            handlerTimes: Histogram(), sessions: SessionTotals(), serverTotals: ServerCounters(),
            clientTotals: ClientCounters(), servers: [], clients: [])
    }

    /// Adds those of another reactor.
    fileprivate mutating func add(_ other: ReactorSnapshot) {
        time = max(time, other.time)
        turns += other.turns
        events += other.events
        systemCalls += other.systemCalls
        liveTimers += other.liveTimers
        lag.add(other.lag)
        handlerTimes.add(other.handlerTimes)
        sessions.add(other.sessions)
        serverTotals.add(other.serverTotals)
        clientTotals.add(other.clientTotals)
        for server in other.servers { add(server) }
        clients += other.clients
    }

    private mutating func add(_ server: ServerSnapshot) {
        guard let index = servers.firstIndex(where: { $0.address == server.address }) else {
            return servers.append(server)
        }
        servers[index].counters.add(server.counters)
        servers[index].sessions.add(server.sessions)
    }
}
