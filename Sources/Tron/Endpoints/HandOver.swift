// How a connection goes to the reactor that has the fewest, from the one that accepted it.

/// A connection on its way to another reactor. Whoever takes it closes it; what nobody takes is
/// closed with this, and its place is free again.
private final class HandedConnection: Sendable {
    let peer: SocketAddress?
    let shares: ServerShares
    private let kernel: Kernel
    /// -1 once it is taken.
    private let number: Locked<Int32>

    init(_ accepted: consuming Descriptor.Accepted, _ shares: ServerShares) {
        peer = accepted.peer
        self.shares = shares
        var descriptor = accepted.descriptor
        kernel = descriptor.kernel
        number = Locked(descriptor.surrender())
    }

    /// For the calls of the reactor that takes it.
    func take(by kernel: Kernel) -> Descriptor {
        let taken = number.withLock { number in
            defer { number = -1 }
            return number
        }
        return Descriptor(Int(taken), kernel: kernel)
    }

    deinit {
        guard take(by: kernel).isOpen else { return }
        shares.leavePlace()
    }
}

extension Server {
    /// A connection that this reactor has accepted for all those of its share. It is handed over
    /// before a PROXY header is read: the reactor that serves it reads it, too.
    func admit(_ accepted: consuming Descriptor.Accepted, as share: ServerShare) {
        let peer = accepted.peer
        guard share.shares.takePlace(atMost: options.limits.maximumSessions) else {
            return refuse(peer, .sessions)
        }
        // While all of them drain nobody wants more.
        guard !isEmptying, let taker = share.shares.taker(insteadOf: share.index),
            let remote = share.shares.remote(taker), share.shares.counts.send(to: taker)
        else { return receive(accepted.descriptor, peer) }
        handOver(HandedConnection(accepted, share.shares), to: taker, remote)
    }

    /// Keeps it where the other reactor refuses.
    private func handOver(
        _ connection: HandedConnection, to taker: Int, _ remote: RemoteReactor
    ) {
        let outcome = remote.submit { $0.take(connection, at: taker) }
        if outcome.isAccepted {
            totals.handedOver += 1
        } else {
            connection.shares.counts.arrived(at: taker)
            receive(connection.take(by: registry.kernel), connection.peer)
        }
    }

    /// Serves a connection that has a place.
    private func receive(_ descriptor: consuming Descriptor, _ peer: SocketAddress?) {
        if let arrivals, let rule = options.proxyProtocol {
            awaitHeader(
                Descriptor.Accepted(descriptor: descriptor, peer: peer), rule, arrivals)
        } else if hasPlace(for: peer) {
            open(descriptor, .peer(peer), isInEpoll: false) { _ in }
        }
    }

    fileprivate func take(_ connection: HandedConnection) {
        totals.takenOver += 1
        receive(connection.take(by: registry.kernel), connection.peer)
    }
}

extension Reactor {
    /// What comes to a server that listens no more is closed, and told.
    fileprivate func take(_ connection: HandedConnection, at index: Int) {
        let endpoints = registry.endpoints
        let server = endpoints.server(of: connection.shares)
        if let server, server.accepting.isListening {
            server.take(connection)
        } else {
            var descriptor = connection.take(by: registry.kernel)
            registry.close(&descriptor, isInEpoll: false)
            connection.shares.leavePlace()
            endpoints.refuseStopped(connection.peer, server)
        }
        // Only now, when it counts as a session.
        connection.shares.counts.arrived(at: index)
        server?.endEmptyingIfDone()
    }
}

extension Endpoints {
    /// This reactor's server among these; nil where it has gone.
    fileprivate func server(of shares: ServerShares) -> Server? {
        var found: Server?
        servers.forEach { _, server in
            if server.share?.shares === shares { found = server }
        }
        return found
    }

    fileprivate func refuseStopped(_ peer: SocketAddress?, _ server: Server?) {
        if let server { return server.refuse(peer, .serverStopped) }
        endedServers.refusedByStop += 1
        report(.refused(peer: peer, .serverStopped))
    }
}
