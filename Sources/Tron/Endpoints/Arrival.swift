// A connection to a server that requires PROXY headers, until its header has come.

/// Owns an accepted descriptor and reads no more than a header from it. Once that is complete, a
/// session takes both over; until then nobody is told anything and nothing is sent.
///
/// Invariant: it is in the server's list, and its timer is set, exactly while its descriptor is
/// open.
final class Arrival: EventSource {
    let registry: Registry
    var key = SlabKey.none
    private let server: Server
    private let proxy: SocketAddress?
    private var descriptor: Descriptor
    private var listKey = SlabKey.none
    private var timer = TimerKey.none
    private var header: [UInt8] = []

    /// A proxy that the server trusts has connected.
    init(
        _ descriptor: consuming Descriptor, from proxy: SocketAddress?, to server: Server,
        in list: Slab<Arrival>, within timeLimit: Duration
    ) throws(SystemError) {
        registry = server.registry
        self.server = server
        self.proxy = proxy
        self.descriptor = descriptor
        try registry.register(self, descriptor: self.descriptor.number)
        listKey = list.insert(self)
        timer = registry.arm(key, at: registry.now + timeLimit.clampedNanoseconds)
        server.publishCount()
    }

    func ready(_ readiness: Readiness) {
        guard descriptor.isOpen else { return }
        do throws(SystemError) {
            // What comes behind the header is the session's: no more than a header's length of it.
            let most = server.options.limits.maximumProxyHeaderLength - header.count
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: registry.receiveBuffer.prefix(most))
            guard
                let count = try unsafe registry.sockets.receive(
                    from: descriptor.number, into: room)
            else { return }
            if count == 0 { return end(.endedBeforeProxyHeader(nil)) }
            unsafe header += UnsafeRawBufferPointer(rebasing: room[..<count])
            decode()
        } catch {
            end(.endedBeforeProxyHeader(error))
        }
    }

    private func decode() {
        let step = unsafe ProxyHeaderDecoder.decode(
            header.span.bytes, maximumLength: server.options.limits.maximumProxyHeaderLength)
        switch step {
        case .incomplete: break
        case .fault(let fault): end(.proxyHeader(fault))
        case .complete(var connection, let length):
            connection.proxyAddress = proxy
            handOver(ProxiedClient(connection), length)
        }
    }

    /// The setup that this calls may do anything, also stop the server.
    private func handOver(_ client: ProxiedClient, _ length: Int) {
        leave()
        defer { server.endEmptyingIfDone() }
        guard server.hasPlace(for: client.address) else {
            return registry.close(&descriptor)
        }
        server.open(descriptor.take(), .client(client), isInEpoll: true) { session in
            unsafe self.header.withUnsafeBytes {
                unsafe session.take(
                    received: UnsafeRawBufferPointer(rebasing: $0.dropFirst(length)))
            }
        }
    }

    func expired(_ timer: TimerKey, payload: UInt32) { end(.lateProxyHeader) }

    func reactorStops() { end(.stoppedBeforeProxyHeader) }

    /// Closes the connection, unless it has been handed over or closed.
    func end(_ refusal: ReactorEvent.Refusal) {
        guard descriptor.isOpen else { return }
        leave()
        registry.close(&descriptor)
        server.leavePlace()
        server.refuse(proxy, refusal)
        server.endEmptyingIfDone()
    }

    private func leave() {
        server.arrivals?.remove(listKey)
        server.publishCount()
        registry.wheel.cancel(timer)
        registry.releaseLater(self)
    }
}

extension Server {
    /// Connections that wait for their header.
    var arrivalCount: Int { arrivals?.count ?? 0 }

    /// Has a proxy's connection wait for its header, if there is room for it.
    func awaitHeader(
        _ accepted: consuming Descriptor.Accepted, _ rule: ProxyProtocol, _ list: Slab<Arrival>
    ) {
        let peer = accepted.peer
        if let refusal = refusal(beside: list.count) {
            leavePlace()
            return refuse(peer, refusal)
        }
        do throws(SystemError) {
            _ = try Arrival(
                accepted.descriptor, from: peer, to: self, in: list, within: rule.timeLimit)
        } catch {
            leavePlace()
            totals.failed += 1
            endpoints.report(.acceptFailed(address, error))
        }
    }

    private func refusal(beside waiting: Int) -> ReactorEvent.Refusal? {
        let limits = options.limits
        if waiting >= limits.maximumConnectionsWithoutHeader { return .connectionsWithoutHeader }
        // Where it shares an address, it has a place already.
        let isFull = share == nil && host.count + waiting >= limits.maximumSessions
        return isFull ? .sessions : nil
    }

    /// Counts and reports a connection that is closed and was no session.
    func refuse(_ peer: SocketAddress?, _ refusal: ReactorEvent.Refusal) {
        switch refusal {
        case .sessions: totals.refusedByLimit += 1
        case .sessionsPerAddress: totals.refusedByAddressLimit += 1
        case .serverStopped: totals.refusedByStop += 1
        default: totals.proxy.count(refusal)
        }
        endpoints.report(.refused(peer: peer, refusal))
    }

    /// Of connections without a header: what is kept of it, twice while it grows.
    var memoryBoundOfArrivals: Int {
        guard arrivals != nil else { return 0 }
        return boundedProduct(
            options.limits.maximumConnectionsWithoutHeader,
            2 * options.limits.maximumProxyHeaderLength)
    }
}
