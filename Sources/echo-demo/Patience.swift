// How long `echo-demo connect` waits for a server that does not answer. Pure: reads no clock.

/// Tells the server's silence from other reasons why a line's time has run out: it also passes
/// without a connection, and while standard output blocks the loop.
struct Patience {
    private let limit: Duration
    /// When the server last had a chance.
    private var start: ContinuousClock.Instant

    init(limit: Duration, from start: ContinuousClock.Instant) {
        self.limit = limit
        self.start = start
    }

    /// The server was connected to, or its answer was printed.
    mutating func beginAnew(at time: ContinuousClock.Instant) { start = time }

    /// Whether a line whose time has run out is given up. Otherwise it is asked again.
    func isOver(at time: ContinuousClock.Instant, isConnected: Bool) -> Bool {
        isConnected && time - start >= limit
    }
}
