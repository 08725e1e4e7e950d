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
    /// `SessionLimits.halfCloseTimeout`. Default false: what is owed is given, within that time,
    /// and what is queued is sent; then it ends.
    public var allowsHalfClose = false

    /// TCP_NODELAY: small packets leave at once. Default true; a turn's output is one write anyway.
    public var noDelay = true

    /// SO_KEEPALIVE and its times: finds peers that vanished without a word. Default: after 5 s of
    /// silence, every 5 s, 3 times. Nil: off.
    public var keepalive: Keepalive? = Keepalive()

    /// TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged, or unsent because the peer
    /// does not read, before the kernel ends the connection (ETIMEDOUT; RFC 5482). Nil, the
    /// default: the kernel's retransmission limit, about 15 minutes.
    public var userTimeout: Duration?

    /// SO_SNDBUF: bytes that the kernel takes of a TCP connection's output before it arrives; it
    /// doubles them for its own use, and takes no more than net.core.wmem_max (socket(7)). At least
    /// 1, at most 1 GiB. Nil, the default: the kernel lets the buffer grow with the connection, up
    /// to some megabytes (net.ipv4.tcp_wmem, tcp(7)); no bound of this library includes them. A
    /// size makes a peer that does not read show sooner, and costs speed over long distances.
    public var sendBuffer: Int?

    /// A peer that gives no sign of life for this long is dead (`CloseReason.dead`). At least a
    /// second. Nil, the default: only `keepalive` and `userTimeout` find dead peers.
    ///
    /// Signs of life are bytes received; acknowledgements, where output is outstanding, so that a
    /// peer which does not read lives as long as its kernel answers; and where nothing is, answers
    /// to a `heartbeat`, or without one to the kernel's probes: this sets `keepalive` to a third of
    /// the time, in whole seconds, and two probes, and the session of a peer that answers none ends
    /// with the system's error (ETIMEDOUT). A peer that vanished with output outstanding ends
    /// within twice this time, or, if its window was closed, within that and six minutes, which two
    /// of the kernel's probes take at the most.
    public var deadAfter: Duration?

    /// Packets that ask the peer for a sign of life when nothing was heard from it for a while.
    /// They notice also a peer whose kernel lives while its program does not. Nil, the default:
    /// none, since older peers would not know them.
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
    /// The first probe after a third of the time, and the end an interval after the second.
    var effectiveKeepalive: Keepalive? {
        deadAfter.map { Keepalive(idle: $0 / 3, interval: $0 / 3, probes: 2) } ?? keepalive
    }

    /// Traps on a buffer of no size.
    func validateSendBuffer() {
        demand(
            sendBuffer.map { (1...1 << 30).contains($0) } ?? true, "sendBuffer: 1 byte to 1 GiB")
    }

    /// Traps on times by which every peer would be dead, and on questions that nobody can ask.
    func validateLiveness() {
        demand(
            heartbeat == nil || limits.maximumDataLength > 0,
            "heartbeat: maximumDataLength of at least a byte")
        guard let deadAfter else { return }
        demand(deadAfter >= .seconds(1), "deadAfter: at least a second")
        if let heartbeat {
            demand(heartbeat.interval < deadAfter, "heartbeat.interval: less than deadAfter")
        }
    }
}

/// Packets that keep a connection alive: sequence -1, one byte of data, 0 to ask and 1 to answer.
/// Both ends have to know the category; no handler sees them, nor what else has the category and
/// sequence -1. While a session has a handler of frames or bytes, it sends none and knows none.
///
/// Neither ever makes a session overflow (`SessionOptions.overflow`): one that does not fit within
/// `SessionLimits.maximumQueuedBytes` is not sent. In the place of an answer the peer then hears
/// the output that waits. A question that was not sent makes nobody dead; the next one is due an
/// interval later.
///
/// However long a question was under way, its peer has `SessionOptions.deadAfter` less the interval
/// to answer it, from when the peer's kernel has it.
public struct Heartbeat: Sendable, Hashable {
    /// The category that the application sets aside for them.
    public var category: UInt8

    /// How long nothing is heard before a question is sent, and from one question to the next: more
    /// than zero, in steps of the timers' millisecond.
    public var interval: Duration

    /// Whether this end answers those of the other. Default true.
    public var answers = true

    /// Traps when the interval is not positive.
    public init(category: UInt8, interval: Duration, answers: Bool = true) {
        demand(interval > .zero, "heartbeat.interval: more than zero")
        self.category = category
        self.interval = interval
        self.answers = answers
    }
}

/// After how long without moving bytes a session is ended. Bytes count, not packets: a large packet
/// that arrives slowly is not idleness. Time during which the session itself does not read does not
/// count for `read`, and does for `either`. Bytes count from the beginning of the turn that moved
/// them, so that a timeout has to be longer than handlers may take together.
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
