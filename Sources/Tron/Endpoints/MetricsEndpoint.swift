// A small HTTP server of what a reactor counts, for Prometheus and whoever else asks.

extension Reactor {
    /// Serves this reactor's counters at `/metrics`, in Prometheus' text format, and at `/healthz`
    /// an answer that says no more than that the loop turns; over HTTP/1.1, unencrypted and to
    /// whoever may connect. However many ask, at most one is answered a millisecond, and the others
    /// wait: so the loop has its time for what it is there for. While there is an endpoint, the
    /// loop times handlers, as with a `Meter`. On the loop's thread, or before it runs.
    /// - Throws: `EndpointError` when the kernel refuses the address, because the port is taken,
    ///   say.
    @discardableResult
    public func serveMetrics(
        on address: SocketAddress, options: MetricsOptions = MetricsOptions()
    ) throws(EndpointError) -> MetricsEndpoint {
        let responder = MetricsResponder(of: self)
        let server = try listen(on: address, options: options.server) { responder.serve($0) }
        return MetricsEndpoint(server)
    }

    /// The same on a port of this machine's own address, 127.0.0.1; port 0 takes a free one.
    @discardableResult
    public func serveMetrics(
        port: UInt16, options: MetricsOptions = MetricsOptions()
    ) throws(EndpointError) -> MetricsEndpoint {
        try serveMetrics(on: .loopback(port: port), options: options)
    }
}

/// What serves metrics. The reactor keeps it until `stop()`; it need not be held. Belongs to the
/// reactor's thread.
public struct MetricsEndpoint {
    private let server: Server

    fileprivate init(_ server: Server) { self.server = server }

    /// Where it listens; with the port that the kernel chose, if that was 0.
    public var address: SocketAddress { server.address }

    /// Its connections that have not ended.
    public var connectionCount: Int { server.sessionCount }

    /// Stops listening and closes its connections; answers that are queued leave first. Once is
    /// enough.
    public func stop() { server.stop() }
}

/// What the connections of a metrics endpoint may take. A request has at most 8 KiB of header
/// (2 KiB of them its request line) and 8 KiB of body, which is skipped.
public struct MetricsOptions: Sendable, Hashable {
    /// Connections at the same time; further ones are closed at once. Default 128.
    public var connections = 128

    /// Time from the first byte of a request to its last. Default 10 s.
    public var requestTime: Duration = .seconds(10)

    /// Time without a byte in either direction. Default 3 min: longer than it is between two
    /// scrapes, which Prometheus makes on one connection.
    public var idleTime: Duration = .seconds(180)

    /// The defaults.
    public init() {}

    /// What they are for the server. The output's limits let some answers wait; a peer that does
    /// not read them is not read from.
    var server: ServerOptions {
        var options = ServerOptions()
        options.limits.maximumSessions = connections
        options.session.idle.either = idleTime
        options.session.limits.packetTimeout = requestTime
        options.session.limits.maximumDataLength = HTTPLimits().request
        options.session.limits.outputHighWatermark = 64 << 10
        options.session.limits.outputLowWatermark = 16 << 10
        options.session.limits.maximumQueuedBytes = 256 << 10
        return options
    }
}
