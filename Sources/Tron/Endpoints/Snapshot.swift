// What a reactor, a server or a client has done so far, as plain values.

/// What a reactor has done so far. A plain value: it can go to another thread.
///
/// Its sums are exact: a session's numbers are in those of its endpoint and of the reactor from its
/// first byte on, and stay there when it has ended. Taken with `Reactor.snapshot()`.
public struct ReactorSnapshot: Sendable {
    /// How long there had been a reactor, on the monotonic clock; of a difference, the time between
    /// the two.
    public var time: Duration
    /// Turns of the loop.
    public var turns: Int
    /// What the waits for events returned, wake-ups included.
    public var events: Int
    /// System calls of the loop's thread.
    public var systemCalls: Int
    /// Timers that are set now, also those of sessions and requests.
    public var liveTimers: Int
    /// How long each turn kept everything else waiting; nanoseconds.
    public var lag: Histogram
    /// How long each call of a source's handlers took, while a meter or an event handler is there
    /// to ask for it; nanoseconds.
    public var handlerTimes: Histogram
    /// All sessions, also those of endpoints that are gone.
    public var sessions: SessionTotals
    /// What all servers have done together, also those that have stopped.
    public var serverTotals: ServerCounters
    /// What all clients have done together, also those that were closed.
    public var clientTotals: ClientCounters
    /// The servers that there are now.
    public var servers: [ServerSnapshot]
    /// The clients that there are now.
    public var clients: [ClientSnapshot]
}

/// What a server has done so far.
public struct ServerSnapshot: Sendable {
    /// Where it listens.
    public let address: SocketAddress
    /// What it accepted and refused.
    public var counters: ServerCounters
    /// Its sessions.
    public var sessions: SessionTotals
    let key: EndpointKey
}

/// What a client has done so far.
public struct ClientSnapshot: Sendable {
    /// What it connects to.
    public let target: String
    /// Where it stands.
    public let state: ClientState
    /// Connections and requests.
    public var counters: ClientCounters
    /// Requests that wait now for an answer or for a connection.
    public var pendingRequests: Int
    /// Its sessions.
    public var sessions: SessionTotals
    let key: EndpointKey
}

/// Tells the endpoints of a process apart.
struct EndpointKey: Hashable, Sendable {
    /// `Registry.number` of its reactor.
    let reactor: UInt32
    let key: SlabKey
}

extension Reactor {
    /// Takes the numbers. Its cost grows with the sessions that there are. On the loop's thread;
    /// others have it done by `remote.submit`.
    public func snapshot() -> ReactorSnapshot {
        registry.requireLoop("Reactor.snapshot()")
        return registry.snapshot()
    }
}

extension Registry {
    func snapshot() -> ReactorSnapshot {
        var servers: [ServerSnapshot] = []
        endpoints.servers.forEach { _, server in servers.append(server.takeSnapshot()) }
        var clients: [ClientSnapshot] = []
        endpoints.clients.forEach { _, client in clients.append(client.takeSnapshot()) }
        return ReactorSnapshot(
            time: .nanoseconds(kernel.now() - origin), turns: record.turns, events: record.events,
            systemCalls: kernel.systemCalls, liveTimers: wheel.count, lag: record.lag,
            handlerTimes: record.handlerTimes, sessions: sessions.totals,
            serverTotals: servers.reduce(into: endpoints.endedServers) { $0.add($1.counters) },
            clientTotals: clients.reduce(into: endpoints.endedClients) { $0.add($1.counters) },
            servers: servers, clients: clients)
    }
}

extension ReactorSnapshot {
    /// What was done since an earlier snapshot of the same reactor. What is told of now (open
    /// sessions, timers, queues) stays as it is, and so do endpoints that were not there before.
    public func since(_ earlier: ReactorSnapshot) -> ReactorSnapshot {
        var difference = self
        difference.time -= earlier.time
        difference.turns -= earlier.turns
        difference.events -= earlier.events
        difference.systemCalls -= earlier.systemCalls
        difference.lag = lag.since(earlier.lag)
        difference.handlerTimes = handlerTimes.since(earlier.handlerTimes)
        difference.sessions = sessions.since(earlier.sessions)
        difference.serverTotals = serverTotals.since(earlier.serverTotals)
        difference.clientTotals = clientTotals.since(earlier.clientTotals)
        let oldServers = Dictionary(uniqueKeysWithValues: earlier.servers.map { ($0.key, $0) })
        for index in servers.indices {
            guard let old = oldServers[servers[index].key] else { continue }
            difference.servers[index].counters = servers[index].counters.since(old.counters)
            difference.servers[index].sessions = servers[index].sessions.since(old.sessions)
        }
        let oldClients = Dictionary(uniqueKeysWithValues: earlier.clients.map { ($0.key, $0) })
        for index in clients.indices {
            guard let old = oldClients[clients[index].key] else { continue }
            difference.clients[index].counters = clients[index].counters.since(old.counters)
            difference.clients[index].sessions = clients[index].sessions.since(old.sessions)
        }
        return difference
    }

    /// A count as a rate over `time`; 0 when no time has passed.
    public func perSecond(_ count: Int) -> Double {
        let seconds = time / .seconds(1)
        return seconds > 0 ? Double(count) / seconds : 0
    }
}

extension Server {
    /// What it and its sessions have done. On the loop's thread.
    public func snapshot() -> ServerSnapshot {
        registry.requireLoop("Server.snapshot()")
        return takeSnapshot()
    }

    fileprivate func takeSnapshot() -> ServerSnapshot {
        ServerSnapshot(
            address: address, counters: counters, sessions: host.totals,
            key: EndpointKey(reactor: registry.number, key: key))
    }
}

extension Client {
    /// What it and its sessions have done. On the loop's thread.
    public func snapshot() -> ClientSnapshot {
        registry.requireLoop("Client.snapshot()")
        return takeSnapshot()
    }

    fileprivate func takeSnapshot() -> ClientSnapshot {
        ClientSnapshot(
            target: target.description, state: state, counters: counters,
            pendingRequests: pendingRequestCount, sessions: host.totals,
            key: EndpointKey(reactor: registry.number, key: key))
    }
}
