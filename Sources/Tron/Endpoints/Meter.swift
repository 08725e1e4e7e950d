// Rates and culprits: what a reactor did between two looks at it.

extension Reactor {
    /// Starts to measure from now on, for whoever shows or exports it; several may. While there is
    /// a meter the loop times every call of a handler, at the cost of a clock reading each. On the
    /// loop's thread.
    public func makeMeter() -> Meter {
        registry.requireLoop("Reactor.makeMeter()")
        return Meter(registry)
    }
}

/// Tells what happened since it was last read. Belongs to the reactor's thread; it measures until
/// it is released.
public final class Meter {
    private let registry: Registry
    private let watch: SlowestSession
    private var last: ReactorSnapshot
    private var bytesBefore: [SlabKey: Int]

    init(_ registry: Registry) {
        self.registry = registry
        watch = SlowestSession(registry)
        last = registry.snapshot()
        bytesBefore = registry.sessionBytes
        registry.record.add(watch)
    }

    deinit { registry.record.remove(watch) }

    /// What happened since the last reading, or since the meter was made.
    public struct Interval: Sendable {
        /// What has been done up to the interval's end.
        public let total: ReactorSnapshot
        /// The numbers of the interval alone.
        public let difference: ReactorSnapshot
        /// The sessions that moved the most bytes meanwhile, the busiest first. Those that ended
        /// meanwhile are not among them.
        public let talkers: [Talker]
        /// The session whose handlers kept the others waiting longest; nil when none was called.
        public let slowest: SlowSession?
    }

    /// A session that moved bytes.
    public struct Talker: Sendable, Hashable {
        /// Which.
        public let session: SessionID
        /// With whom; nil where the kernel did not tell.
        public let peer: SocketAddress?
        /// Bytes in both directions, in the interval.
        public let bytes: Int
    }

    /// A session whose handlers kept all others waiting.
    public struct SlowSession: Sendable, Hashable {
        /// Which. It may have ended.
        public let session: SessionID
        /// With whom; nil where the kernel did not tell.
        public let peer: SocketAddress?
        /// How long it took in one turn.
        public let time: Duration
    }

    /// Ends the interval, begins the next, and tells at most `limit` talkers.
    public func read(talkers limit: Int = 5) -> Interval {
        registry.requireLoop("Meter.read()")
        let snapshot = registry.snapshot()
        let bytes = registry.sessionBytes
        let interval = Interval(
            total: snapshot, difference: snapshot.since(last), talkers: talkers(limit, bytes),
            slowest: watch.slowest)
        last = snapshot
        bytesBefore = bytes
        watch.slowest = nil
        return interval
    }

    private func talkers(_ limit: Int, _ bytes: [SlabKey: Int]) -> [Talker] {
        let moved = bytes.map { (key: $0.key, bytes: $0.value - (bytesBefore[$0.key] ?? 0)) }
            .filter { $0.bytes > 0 }
            // Of equals the older slot first, so that a list does not flicker.
            .sorted { ($1.bytes, $0.key.index) < ($0.bytes, $1.key.index) }
        return moved.prefix(limit).map { key, bytes in
            let peer = registry.session(key)?.remoteAddress
            return Talker(session: registry.sessionID(key), peer: peer, bytes: bytes)
        }
    }
}

/// Remembers the slowest session.
private final class SlowestSession: LoopObserver {
    private let registry: Registry
    var slowest: Meter.SlowSession?

    init(_ registry: Registry) { self.registry = registry }

    override func called(_ source: SlabKey, nanoseconds: UInt64) {
        let time = Duration.nanoseconds(Int64(clamping: nanoseconds))
        guard time > slowest?.time ?? .zero, let session = registry.session(source) else { return }
        slowest = Meter.SlowSession(session: session.id, peer: session.remoteAddress, time: time)
    }
}

extension Registry {
    /// What each session has moved so far.
    fileprivate var sessionBytes: [SlabKey: Int] {
        var bytes: [SlabKey: Int] = [:]
        sessions.forEachSession { bytes[$0.key] = $0.counters.bytes }
        return bytes
    }
}
