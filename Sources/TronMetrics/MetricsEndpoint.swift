// A small HTTP server of what a reactor or a group counts, for Prometheus and whoever else asks.
import Tron

extension Reactor {
    /// Serves this reactor's counters at `/metrics`, in Prometheus' text format; at `/healthz` an
    /// answer that only says that the loop turns; and at `/readyz` one that is 503 where
    /// `Reactor.isReady` is false: while the program prepares itself, and from a drain on. It
    /// speaks HTTP/1.1, unencrypted, with whoever may connect.
    ///
    /// A reactor of a group, from whose setup this is called, serves for the whole group, and no
    /// loop waits for another. `/metrics` has the sums; open sessions, loop lag, and connections
    /// that were handed over have a label `reactor` with the index. A reactor that does not answer
    /// within a second is told of as far as was known. `/healthz` is 503 unless all loops turn
    /// within a second, and `/readyz` unless `ReactorGroup.isReady`.
    ///
    /// At most one request is answered a millisecond, and answers of up to 50 ms take at most a
    /// twentieth of the loop's time; other requests wait. While there is an endpoint, the loop
    /// times handlers, as with a `Meter`. On the loop's thread, or before it runs.
    ///
    /// `add` adds what the program counts itself, at each answer to `/metrics`, on the loop's
    /// thread; of a group, on that of the reactor that serves.
    ///
    ///     try reactor.serveMetrics(port: 9100) { metrics in
    ///         metrics.gauge("chat_rooms", "Rooms with a member.", rooms.count)
    ///     }
    ///
    /// It traps on a `maximumAnswerLength` out of its range.
    /// - Throws: `EndpointError` when the kernel refuses the address, because the port is taken,
    ///   say.
    @discardableResult
    public func serveMetrics(
        on address: SocketAddress, options: MetricsOptions = MetricsOptions(),
        adding add: @escaping (inout ExpositionText) -> Void = { _ in }
    ) throws(EndpointError) -> MetricsEndpoint {
        let responder = MetricsResponder(
            of: self, maximumAnswerLength: options.maximumAnswerLength, adding: add)
        let server = try listen(on: address, options: options.server) { responder.serve($0) }
        return MetricsEndpoint(server)
    }

    /// The same on a port of this machine's own address, 127.0.0.1; port 0 takes a free one.
    @discardableResult
    public func serveMetrics(
        port: UInt16, options: MetricsOptions = MetricsOptions(),
        adding add: @escaping (inout ExpositionText) -> Void = { _ in }
    ) throws(EndpointError) -> MetricsEndpoint {
        try serveMetrics(on: .loopback(port: port), options: options, adding: add)
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

/// The limits of a metrics endpoint. Those of a request are fixed: 8 KiB for its header (of which
/// 2 KiB for the request line) and 8 KiB for its body, which is skipped.
public struct MetricsOptions: Sendable, Hashable {
    /// Connections at the same time; further ones are closed at once. Default 128.
    public var maximumConnections = 128

    /// Time from the first byte of a request to its last. Default 10 s.
    public var requestTimeout: Duration = .seconds(10)

    /// Time without a byte in either direction, after which a connection is closed. Default 3 min:
    /// longer than it is between two scrapes, which Prometheus makes on one connection.
    public var idleTimeout: Duration = .seconds(180)

    /// Bytes of metrics in an answer, 1 byte to 512 MiB. Where there are more, `/metrics` is
    /// answered with 500 and how many there are. Default 3 MiB, half of which are the metrics of
    /// 1,024 reactors.
    ///
    /// A connection holds at most so many bytes and 65 KiB of other answers, and where its peer
    /// stops reading, until the idle timeout ends it, or a minute after its end of stream.
    public var maximumAnswerLength = 3 << 20

    /// The defaults.
    public init() {}

    /// Output that may wait when another request is answered, in bytes: dozens of small answers, or
    /// what is left of a large one.
    private static let watermark = 64 << 10

    /// The same limits for the server. As long as no more than the high watermark waits, a request
    /// is answered, and that answer has room whatever its length; a peer that does not read it is
    /// not read from. Nothing is owed, so that no room is kept for that.
    var server: ServerOptions {
        var options = ServerOptions()
        options.limits.maximumSessions = maximumConnections
        options.session.idle.either = idleTimeout
        options.session.limits.packetTimeout = requestTimeout
        options.session.limits.maximumDataLength = HTTPLimits().maximumRequestLength
        options.session.limits.outputHighWatermark = Self.watermark
        options.session.limits.outputLowWatermark = 16 << 10
        options.session.limits.maximumQueuedBytes =
            Self.watermark + maximumAnswerLength + HTTPResponse.overhead
        options.session.limits.maximumOwedReplies = 1
        options.session.limits.reservedReplyLength = 0
        return options
    }
}
