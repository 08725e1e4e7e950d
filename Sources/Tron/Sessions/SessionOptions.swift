// How sessions behave: timeouts, back pressure, TCP's own options.

/// How sessions behave. Given to a server or a client, for all of its sessions.
public struct SessionOptions: Sendable {
    /// What a session may hold, and how long its steps may take.
    public var limits = SessionLimits()

    /// After how long without moving bytes a session is ended; nil for never, the default.
    public var idle = IdleTimeouts()

    /// What happens to output above `SessionLimits.maximumQueuedBytes`.
    public var overflow = OverflowPolicy.close

    /// Whether a session stops reading while more output waits than the high watermark, so that a
    /// peer which does not read cannot make it queue more. Default true.
    public var pausesReadingAboveHighWatermark = true

    /// Whether a session goes on sending after its peer's end of stream, for at most
    /// `SessionLimits.halfCloseTimeout`. Default false: what is queued is sent, then it ends.
    public var allowsHalfClose = false

    /// TCP_NODELAY: small packets leave at once. Default true; a turn's output is one write anyway.
    public var noDelay = true

    /// SO_KEEPALIVE and its times: finds peers that vanished without a word. Default: after 5 s of
    /// silence, every 5 s, 3 times. Nil: off.
    public var keepalive: Keepalive? = Keepalive()

    /// TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged before the connection is
    /// dead (RFC 5482). Nil, the default: the kernel's retransmission limit, about 15 minutes.
    public var userTimeout: Duration?

    /// A peer that shows no sign of life for this long is dead: sets keepalive and TCP_USER_TIMEOUT
    /// in place of the two above, so that the kernel ends the connection (ETIMEDOUT), and with a
    /// `heartbeat` the session itself does (`CloseReason.dead`). At least a second. Nil, the
    /// default: the two above hold.
    public var deadAfter: Duration?

    /// Packets that ask the peer for a sign of life while nothing else is sent. They notice also a
    /// peer whose kernel lives while its program does not. Nil, the default: none, since older
    /// peers would not know them.
    public var heartbeat: Heartbeat?

    /// The defaults.
    public init() {}

    /// The defaults of connections that this end made: they read also while their output waits.
    /// With two ends that both stop reading until the other does, neither ever would again.
    public static var client: SessionOptions {
        var options = SessionOptions()
        options.pausesReadingAboveHighWatermark = false
        return options
    }
}

extension SessionOptions {
    /// The first probe after a third of the time, so that two more fit.
    var effectiveKeepalive: Keepalive? {
        deadAfter.map { Keepalive(idle: $0 / 3, interval: $0 / 3, probes: 3) } ?? keepalive
    }

    var effectiveUserTimeout: Duration? { deadAfter ?? userTimeout }

    /// Traps on times by which every peer would be dead.
    func validateLiveness() {
        guard let deadAfter else { return }
        demand(deadAfter >= .seconds(1), "deadAfter: at least a second")
        if let heartbeat {
            demand(heartbeat.interval < deadAfter, "the heartbeat comes after deadAfter")
        }
    }
}

/// Packets that keep a connection alive: sequence -1, one byte of data, 0 to ask and 1 to answer.
/// Both ends have to know the category; no handler sees them. Only for sessions of packets.
public struct Heartbeat: Sendable, Hashable {
    /// The category that the application sets aside for them.
    public var category: UInt8

    /// How long nothing is sent before one is. At least a millisecond.
    public var interval: Duration

    /// Whether this end answers those of the other. Default true.
    public var answers = true

    /// Traps when the interval is not positive.
    public init(category: UInt8, interval: Duration, answers: Bool = true) {
        demand(interval > .zero, "the heartbeat's interval is not positive")
        self.category = category
        self.interval = interval
        self.answers = answers
    }
}

/// After how long without moving bytes a session is ended. Bytes count, not packets: a large packet
/// that arrives slowly is not idleness. Time during which the session itself does not read does not
/// count for `read`.
public struct IdleTimeouts: Sendable, Hashable {
    /// Nothing received for this long.
    public var read: Duration?
    /// Nothing sent for this long.
    public var write: Duration?
    /// Neither for this long.
    public var either: Duration?

    /// Nil is never.
    public init(read: Duration? = nil, write: Duration? = nil, either: Duration? = nil) {
        self.read = read
        self.write = write
        self.either = either
    }
}

/// What happens when more output would wait than a session may hold.
public enum OverflowPolicy: Sendable, Hashable {
    /// The session is aborted, with `CloseReason.overflow`: the peer is too slow.
    case close
    /// The packet is refused, and the session goes on.
    case refuse
}

/// The options in the form that sessions read: one object for all sessions of an endpoint.
final class SessionSettings: Sendable {
    let options: SessionOptions
    let dataLength: Int
    let highWatermark: Int
    let lowWatermark: Int
    let outboundCapacity: Int
    /// What may be queued at most before the limits are looked at again: no more than one largest
    /// packet, so that no larger one passes.
    let packetCredit: Int

    /// Times in nanoseconds; `never` where there is no limit.
    let idleRead: Int64
    let idleWrite: Int64
    let idleEither: Int64
    let packetTime: Int64
    let heartbeatInterval: Int64
    /// -1 when there is none.
    let heartbeatCategory: Int
    /// How long a peer that is asked may be silent.
    let silence: Int64

    static let never = Int64.max

    init(_ options: SessionOptions) {
        options.limits.validate()
        options.validateLiveness()
        self.options = options
        dataLength = options.limits.maximumDataLength
        highWatermark = options.limits.outputHighWatermark
        lowWatermark = options.limits.outputLowWatermark
        outboundCapacity = options.limits.outboundCapacity
        packetCredit = min(highWatermark, dataLength + PacketFormat.overhead)
        idleRead = Self.nanoseconds(options.idle.read)
        idleWrite = Self.nanoseconds(options.idle.write)
        idleEither = Self.nanoseconds(options.idle.either)
        packetTime = Self.nanoseconds(options.limits.packetTimeout)
        heartbeatInterval = Self.nanoseconds(options.heartbeat?.interval)
        heartbeatCategory = options.heartbeat.map { Int($0.category) } ?? -1
        silence = Self.nanoseconds(options.heartbeat == nil ? nil : options.deadAfter)
    }

    private static func nanoseconds(_ duration: Duration?) -> Int64 {
        duration.map { max(1, $0.clampedNanoseconds) } ?? never
    }
}
