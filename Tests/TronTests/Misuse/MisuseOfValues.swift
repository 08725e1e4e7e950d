// Values, and limits of all but sessions, that make no sense, each with what is said of it.

@testable import Tron

extension Misuse {
    private static let framing =
        "a framing: frames of 0 bytes to 1 GiB, header or delimiter included"
    private static let frames =
        "Session.onFrames: frames of 1 byte to SessionLimits.maximumDataLength"

    static let values = [
        Misuse("backoff: no initial delay", "the initial delay must be more than zero") {
            _ = Backoff(initial: .zero)
        },
        Misuse("backoff: shrinking delays", "the multiplier must be at least 1") {
            _ = Backoff(multiplier: 0.5)
        },
        Misuse("backoff: endless multiplier", "the multiplier must be at least 1") {
            _ = Backoff(multiplier: .infinity)
        },
        Misuse("backoff: low cap", "the cap must not be less than the initial delay") {
            _ = Backoff(initial: .seconds(2), cap: .seconds(1))
        },
        Misuse("backoff: no attempt", "there must be at least one attempt") {
            _ = Backoff(attempts: 0)
        },
        Misuse("histogram: too many bits", "significantBits: 1 to 16") {
            _ = Histogram(significantBits: 17)
        },
        Misuse("histogram: no values", "limit: at least 1") { _ = Histogram(limit: 0) },
        Misuse("histogram: no such share", "a quantile is between 0 and 1") {
            _ = Histogram().value(atQuantile: 1.1)
        },
        Misuse("histogram: sum of two shapes", "histograms of different shapes") {
            var histogram = Histogram()
            histogram.add(Histogram(significantBits: 6))
        },
        Misuse("histogram: difference of two shapes", "histograms of different shapes") {
            _ = Histogram().since(Histogram(limit: 7))
        },
        Misuse("signal without a number", "a signal has a number from 1 to 64") {
            _ = Signal(rawValue: 65)
        },
        Misuse("keepalive without silence", "keepalive.idle: more than zero") {
            _ = Keepalive(idle: .zero)
        },
        Misuse("keepalive without a pause", "keepalive.interval: more than zero") {
            _ = Keepalive(interval: .zero)
        },
        Misuse("keepalive without probes", "keepalive.probes: at least 1") {
            _ = Keepalive(probes: 0)
        },
        Misuse("lines: owed bytes", Self.framing) {
            _ = LineFraming(maximumLength: -1)
        },
        Misuse("lines: long ones", Self.framing) {
            _ = LineFraming(maximumLength: 1 << 30 - 1)
        },
        Misuse("delimiter: none", "a delimiter has at least one byte") {
            _ = DelimiterFraming([], maximumLength: 1)
        },
        Misuse("delimiter: behind long frames", Self.framing) {
            _ = DelimiterFraming([1, 2], maximumLength: 1 << 30 - 1)
        },
        Misuse("length prefix: owed bytes", "a length prefix: 0 bytes to 1 GiB before it") {
            _ = LengthPrefixFraming(.one, at: -1, maximumLength: 1)
        },
        Misuse("length prefix: far away", "a length prefix: 0 bytes to 1 GiB before it") {
            _ = LengthPrefixFraming(.eight, at: .max, maximumLength: 1)
        },
        Misuse("length prefix: long frames", Self.framing) {
            _ = LengthPrefixFraming(.eight, maximumLength: .max)
        },
        Misuse("fixed length: nothing", "a fixed length is at least one byte") {
            _ = FixedLengthFraming(0)
        },
        Misuse("frames: of no bytes", Self.frames) {
            struct Nothing: Framing {
                let maximumFrameLength = 0
                func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> { .needs(atLeast: 1) }
            }
            let bench = try Bench { session, _ in session.onFrames(of: Nothing()) { _, _ in } }
            _ = try bench.connect()
        },
        Misuse("frames: longer than data", Self.frames) {
            let bench = try Bench { session, _ in
                session.onFrames(of: .fixedLength(1 << 20 + 1)) { _, _ in }
            }
            _ = try bench.connect()
        },
        Misuse("heartbeat without a pause", "heartbeat.interval: more than zero") {
            _ = Heartbeat(category: 1, interval: .zero)
        },
    ]

    static let limits = [
        reactor("no bytes", "maximumBytesReadPerTurn: 1 byte to 64 MiB") {
            $0.maximumBytesReadPerTurn = 0
        },
        reactor("too many bytes", "maximumBytesReadPerTurn: 1 byte to 64 MiB") {
            $0.maximumBytesReadPerTurn = 1 << 26 + 1
        },
        reactor("a farewell before now", "farewellTimeout: not negative") {
            $0.farewellTimeout = .nanoseconds(-1)
        },
        reactor("a spin before now", "spin: zero to a second") { $0.spin = .nanoseconds(-1) },
        reactor("a spin for ever", "spin: zero to a second") { $0.spin = .milliseconds(1001) },
        reactor("no timers", "maximumTimersPerTurn: at least 1") { $0.maximumTimersPerTurn = 0 },
        reactor("no work", "maximumWorkPerTurn: at least 1") { $0.maximumWorkPerTurn = 0 },
        reactor("no waiting work", "maximumWaitingWork: at least 1") { $0.maximumWaitingWork = 0 },
        reactor("no flushes", "maximumFlushesPerTurn: at least 1") { $0.maximumFlushesPerTurn = 0 },
        reactor("no releases", "maximumReleasesPerTurn: at least 1") {
            $0.maximumReleasesPerTurn = 0
        },
        Misuse("no attempts", "maximumSimultaneousAttempts: at least 1") {
            try Reactor().maximumSimultaneousAttempts = 0
        },
        reactor("owed buffers", "maximumIdleBufferBytes: not negative") {
            $0.maximumIdleBufferBytes = -1
        },
        server("no sessions", "maximumSessions: at least 1") { $0.limits.maximumSessions = 0 },
        server("no sessions of a host", "maximumSessionsPerAddress: at least 1") {
            $0.limits.maximumSessionsPerAddress = 0
        },
        server("no accepts", "maximumAcceptsPerTurn: at least 1") {
            $0.limits.maximumAcceptsPerTurn = 0
        },
        server("short headers", "maximumProxyHeaderLength: 256 to 65,551") {
            $0.limits.maximumProxyHeaderLength = 255
        },
        server("endless headers", "maximumProxyHeaderLength: 256 to 65,551") {
            $0.limits.maximumProxyHeaderLength = 65_552
        },
        server("nobody without a header", "maximumConnectionsWithoutHeader: at least 1") {
            $0.limits.maximumConnectionsWithoutHeader = 0
        },
        Misuse("no rate", "RateLimit.perSecond: 1 to a billion") { _ = RateLimit(perSecond: 0) },
        Misuse("no burst", "RateLimit.burst: 1 to a billion") {
            _ = RateLimit(perSecond: 1, burst: 0)
        },
        Misuse("proxies from nowhere", "ProxyProtocol.required(from:): at least one network") {
            _ = ProxyProtocol.required(from: [])
        },
        Misuse("headers at once", "ProxyProtocol.required(within:): more than zero") {
            _ = ProxyProtocol.required(from: [.unix], within: .zero)
        },
        server("no backlog", "backlog: at least 1") { $0.limits.backlog = 0 },
        client("no requests", "maximumPendingRequests: 1 to 2^30") {
            $0.maximumPendingRequests = 0
        },
        client("too many requests", "maximumPendingRequests: 1 to 2^30") {
            $0.maximumPendingRequests = 1 << 30 + 1
        },
        client("owed copies", "maximumCopiedRequests: not negative") {
            $0.maximumCopiedRequests = -1
        },
    ]

    private static func reactor(
        _ name: String, _ message: String,
        _ change: @escaping @Sendable (inout ReactorLimits) -> Void
    ) -> Misuse {
        Misuse("reactor: " + name, message) {
            var limits = ReactorLimits()
            change(&limits)
            _ = try Reactor(limits: limits)
        }
    }

    private static func server(
        _ name: String, _ message: String,
        _ change: @escaping @Sendable (inout ServerOptions) -> Void
    ) -> Misuse {
        Misuse("server: " + name, message) {
            var options = ServerOptions()
            change(&options)
            try Reactor().listen(on: Bench.unixName(), options: options) { _ in }
        }
    }

    private static func client(
        _ name: String, _ message: String,
        _ change: @escaping @Sendable (inout ClientOptions) -> Void
    ) -> Misuse {
        Misuse("client: " + name, message) {
            var options = ClientOptions()
            change(&options)
            try Reactor().makeClient(to: "127.0.0.1:1", options: options)
        }
    }
}
