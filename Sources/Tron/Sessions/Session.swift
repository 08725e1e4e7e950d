// One connection: its state, and the surface that its users see.

/// Names a session, also after it is gone: an id is never given to another one.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    let key: SlabKey

    /// Slot and generation, `12.3`.
    public var description: String { "\(key.index).\(key.generation)" }
}

/// A connection of packets. Handlers are given it; it belongs to the reactor's thread.
///
/// Its life is open, then perhaps draining and lingering (output leaves, then the peer's end of
/// stream is awaited), then closed. Handlers may do anything to any session, their own included.
/// A session that is kept after its end is harmless: it says that it is closed.
///
/// Invariant: the descriptor is open and in epoll with `interest`, unless parked, until `release`.
public final class Session: EventSource {
    /// No timer has this key.
    static let noTimer = TimerKey(rawValue: 0)

    enum State: UInt8 {
        case open
        /// No packet is taken or delivered any more; what is queued leaves.
        case draining
        /// FIN is sent; what the peer still sends is discarded until its own.
        case lingering
        case closed
    }

    /// The registry's, at hand: to reach through the registry would retain and release it.
    let buffers: BufferPool
    let settings: SessionSettings
    /// Nil once it has been told of the end: what it holds may hold this session.
    var owner: (any SessionOwner)?
    let peer: SocketAddress?

    var state = State.open
    var flags: Flags = []
    var interest: Readiness = .readable
    /// Bytes of packets that may be queued without looking further, until the turn's end.
    ///
    /// Invariant: 0, or the session is open and in the list of those that flush, and the ring has
    /// as many bytes in one piece, below the high watermark; and it is at most the largest packet.
    var credit: Int32 = 0
    var closeReason: CloseReason?

    /// Kept behind `descriptor`, `decoder` and `outbound`, whose methods call no handler and
    /// nothing else that could reach this session: so no access can overlap another, and the
    /// run-time check for that, which costs more than the rest of a packet's way, is left out.
    @exclusivity(unchecked) private var ownedDescriptor: Descriptor
    @exclusivity(unchecked) private var ownedDecoder = PacketDecoder()
    @exclusivity(unchecked) private var ownedOutbound = RingBuffer()
    /// The parts of `counters`.
    var bytesReceived = 0
    var bytesSent = 0
    var packetsReceived = 0
    var packetsSent = 0
    /// The most bytes that ever waited.
    var largestQueue: Int32 = 0

    var packetHandler: ((Session, borrowing Packet) -> Void)?
    var closeHandler: ((Session, CloseReason) -> Void)?
    var rareState: RareState?

    /// The one timer, and the earliest time at which any of the session's deadlines can be over.
    var timer = Session.noTimer
    var timerDeadline = Int64.max
    var lastReceive: Int64
    var lastSend: Int64
    /// When the first byte of the incomplete packet came; 0 exactly when nothing is kept.
    var packetStart: Int64 = 0

    init(
        _ descriptor: consuming Descriptor, peer: SocketAddress?, settings: SessionSettings,
        owner: any SessionOwner, registry: Registry
    ) {
        unsafe ownedDescriptor = descriptor
        self.peer = peer
        self.settings = settings
        self.owner = owner
        buffers = registry.buffers
        lastReceive = registry.now
        lastSend = registry.now
        super.init(registry: registry)
    }

    override func ready(_ readiness: Readiness) { receive(readiness) }

    override func expired(_ timer: TimerKey) { endIfOverdue() }

    override func flush() { sendQueued() }

    override func release() { giveBack() }

    override func reactorStops() { end(.reactorStopped) }

    struct Flags: OptionSet {
        let rawValue: UInt16

        /// The handler's batch ends: the session closed, paused, or has another handler.
        static let interrupted = Flags(rawValue: 1 << 0)
        /// In the registry's list of those that flush at the turn's end.
        static let dirty = Flags(rawValue: 1 << 1)
        /// Its handler has a batch: what it queues is sent right after.
        static let receiving = Flags(rawValue: 1 << 11)
        static let pausedByUser = Flags(rawValue: 1 << 2)
        static let pausedByWatermark = Flags(rawValue: 1 << 3)
        static let paused: Flags = [.pausedByUser, .pausedByWatermark]
        /// The kernel took less than it was given: EPOLLOUT will tell when it takes more.
        static let writeBlocked = Flags(rawValue: 1 << 4)
        /// The peer's end of stream has been read.
        static let peerFinished = Flags(rawValue: 1 << 5)
        /// Nothing more may be queued, and if the session is not closed, FIN follows what is.
        static let writingEnds = Flags(rawValue: 1 << 6)
        static let finSent = Flags(rawValue: 1 << 7)
        /// The user was told that the session is not writable.
        static let toldUnwritable = Flags(rawValue: 1 << 8)
        /// Out of epoll, because a hang-up cannot be masked there.
        static let parked = Flags(rawValue: 1 << 9)
        /// The close that follows is to send RST.
        static let resets = Flags(rawValue: 1 << 10)
    }

    /// What few sessions have, out of the way of those that do not.
    final class RareState {
        /// Never beside a packet handler.
        var bytes: ((Session, RawSpan) -> Int)?
        /// Sees every packet first, and says whether that was all.
        var everyPacket: ((borrowing Packet) -> Bool)?
        var writability: ((Session, Bool) -> Void)?
        var peerFinished: ((Session) -> Void)?
        /// Called once, when all output has left.
        var whenSent: (() -> Void)?
        var lastHeartbeat: Int64 = 0
        /// When draining or the half-closed state is over.
        var closeDeadline = Int64.max
        /// Bytes that were read and dropped while closing.
        var discardedBytes = 0
        var packetsRefused = 0
    }
}

/// The endpoint that a session belongs to.
protocol SessionOwner: AnyObject {
    /// The session is released; its user has not been told yet.
    func sessionEnded(_ session: Session, _ reason: CloseReason)
}

// MARK: - What it owns

extension Session {
    var descriptor: Descriptor {
        @inline(__always) _read { yield unsafe ownedDescriptor }
        @inline(__always) _modify { yield unsafe &ownedDescriptor }
    }

    /// What has been received and not delivered.
    var decoder: PacketDecoder {
        @inline(__always) _read { yield unsafe ownedDecoder }
        @inline(__always) _modify { yield unsafe &ownedDecoder }
    }

    /// What has been queued and not sent.
    var outbound: RingBuffer {
        @inline(__always) _read { yield unsafe ownedOutbound }
        @inline(__always) _modify { yield unsafe &ownedOutbound }
    }
}

// MARK: - What it is

extension Session {
    /// The session's name, for other threads and for later: see `Reactor.session(_:)`.
    public var id: SessionID { SessionID(key: key) }

    /// The peer's address; nil where the kernel did not tell it.
    public var remoteAddress: SocketAddress? { peer }

    /// This end's address; nil once the session is closed.
    public var localAddress: SocketAddress? {
        state == .closed ? nil : try? descriptor.localAddress()
    }

    /// Whether packets can be sent and are received.
    public var isOpen: Bool { state == .open }

    /// Whether packets can be sent without queueing above the high watermark.
    public var isWritable: Bool {
        !flags.contains(.writingEnds) && queuedBytes <= settings.highWatermark
    }

    /// Bytes that wait to be sent, at most `SessionLimits.maximumQueuedBytes` (or one largest
    /// packet).
    public var queuedBytes: Int { outbound.count }

    /// What has moved through the session so far.
    public var counters: Traffic {
        var traffic = Traffic()
        traffic.bytesReceived = bytesReceived
        traffic.bytesSent = bytesSent
        traffic.packetsReceived = packetsReceived
        traffic.packetsSent = packetsSent
        traffic.packetsRefused = rareState?.packetsRefused ?? 0
        return traffic
    }

    /// The most bytes that ever waited to be sent.
    public var largestQueuedBytes: Int { max(Int(largestQueue), queuedBytes) }
}

extension Reactor {
    /// The session of this name; nil once it has ended. On the loop's thread.
    public func session(_ id: SessionID) -> Session? {
        registry.requireLoop("Reactor.session(_:)")
        return registry.sources[id.key] as? Session
    }
}
