// One connection: the parts that it joins, and what its users see of its state.

/// A connection of packets. Handlers are given it; it belongs to the reactor's thread.
///
/// Handlers may do anything to any session, their own included. A session that is kept after its
/// end is harmless: it says that it is closed.
public final class Session: EventSource {
    let registry: Registry
    let host: SessionHost
    let origin: Origin

    /// Its name in the registry.
    var key = SlabKey.none
    /// The number of its descriptor, which it owns; -1 once that is closed.
    private(set) var descriptor: Int32
    /// Its place in the host's list; the host's own.
    var indexInHost: UInt32 = 0
    /// The order of the parts, and of their own fields, leaves no room between them.
    ///
    /// They lie behind `inbound`, `outbound`, `watch` and `deadlines`. None of their methods calls
    /// a handler or anything else that could reach this session: so no access can overlap another,
    /// and the run-time check for that, which costs more than the rest of a packet's way, is left
    /// out.
    @exclusivity(unchecked) private var ownInbound: Inbound
    @exclusivity(unchecked) private var ownOutbound: Outbound
    /// Why it has ended, where that needs no `rareState`.
    var lightReason = LightReason.peerClosed
    @exclusivity(unchecked) private var ownWatch = LoopWatch()
    @exclusivity(unchecked) private var ownDeadlines = Deadlines()

    var packetHandler: ((Session, borrowing Packet) -> Void)?
    var closeHandler: ((Session, CloseReason) -> Void)?
    /// What few sessions have, made when first needed.
    private(set) var rareState: RareState?

    init(
        _ descriptor: consuming Descriptor, origin: consuming Origin, host: SessionHost,
        registry: Registry
    ) {
        self.registry = registry
        self.host = host
        self.origin = origin
        self.descriptor = descriptor.surrender()
        unsafe ownInbound = Inbound(now: registry.now)
        unsafe ownOutbound = Outbound(now: registry.now)
    }

    /// One that was released has closed its descriptor.
    deinit {
        if descriptor >= 0 { registry.sockets.close(descriptor) }
    }

    /// Where it borrows memory. It is not held here: there are many idle sessions.
    var buffers: BufferPool { @inline(__always) _read { yield registry.buffers } }

    /// Becomes one of its registry's sources. Where the kernel refuses, its descriptor is closed.
    @inline(__always)
    func register(isInEpoll: Bool) throws(SystemError) {
        do throws(SystemError) {
            if isInEpoll {
                try registry.register(self, takingOver: descriptor)
            } else {
                try registry.register(self, descriptor: descriptor)
            }
        } catch {
            closeDescriptor(isInEpoll: isInEpoll)
            throw error
        }
    }

    /// Closes the descriptor, and has whoever waits for one told. Once.
    func closeDescriptor(isInEpoll: Bool) {
        registry.close(descriptor, isInEpoll: isInEpoll)
        descriptor = -1
    }

    /// What has been received and not delivered.
    var inbound: Inbound {
        @inline(__always) _read { yield unsafe ownInbound }
        @inline(__always) _modify { yield unsafe &ownInbound }
    }

    /// What has been queued and not sent.
    var outbound: Outbound {
        @inline(__always) _read { yield unsafe ownOutbound }
        @inline(__always) _modify { yield unsafe &ownOutbound }
    }

    /// What the loop was asked to tell.
    var watch: LoopWatch {
        @inline(__always) _read { yield unsafe ownWatch }
        @inline(__always) _modify { yield unsafe &ownWatch }
    }

    var deadlines: Deadlines {
        @inline(__always) _read { yield unsafe ownDeadlines }
        @inline(__always) _modify { yield unsafe &ownDeadlines }
    }

    var settings: SessionSettings { @inline(__always) _read { yield host.settings } }

    var rare: RareState {
        if let rareState { return rareState }
        let made = RareState()
        rareState = made
        return made
    }

    /// The handlers go, and all that they hold; what is still asked for stays.
    func dropRareState() {
        guard let former = rareState else { return }
        rareState = nil
        if former.packetsRefused > 0 { rare.packetsRefused = former.packetsRefused }
        if let pace = unsafe former.pace { unsafe rare.pace = pace }
    }
}

extension Session {
    /// The two reasons for which most sessions end.
    enum LightReason {
        case peerClosed
        /// `CloseReason.system` of recv(2).
        case peerReset
    }

    /// What few sessions have, out of the way of those that do not.
    final class RareState {
        // What a handler holds may call back when it goes: so a former one goes once the access
        // that replaced it is over.

        /// Of bytes or frames; never beside a packet handler, they replace each other.
        var streamHandler: StreamHandler? { didSet { withExtendedLifetime(oldValue) {} } }
        /// Sees every packet first, and says whether that was all.
        var filter: ((borrowing Packet) -> Bool)?
        var writabilityHandler: ((Session, Bool) -> Void)? {
            didSet { withExtendedLifetime(oldValue) {} }
        }
        var peerFinishedHandler: ((Session) -> Void)? {
            didSet { withExtendedLifetime(oldValue) {} }
        }
        var faultHandler: ((Session, ProtocolFault) -> Void)? {
            didSet { withExtendedLifetime(oldValue) {} }
        }
        var drainHandler: ((Session) -> Void)? { didSet { withExtendedLifetime(oldValue) {} } }
        var tellsOwnerWhenWritable = false
        /// Its user is being told that it is writable, and fills it.
        var isBeingFilled = false
        // These are changed in single steps, which call nothing that could reach them: so
        // overlapping access is not checked for.
        @exclusivity(unchecked) private var ownDebts = Debts()
        /// The groups that it is a member of, and its place in each.
        @exclusivity(unchecked) var memberships: [ObjectIdentifier: Membership] = [:]
        /// What its task sees of it.
        var face: AsyncSession?
        var packetsRefused = 0
        /// Of sessions whose packets have a limit a second.
        @exclusivity(unchecked) var pace: Pace?

        /// Why the session closes, or has ended, unless `lightReason` says it.
        var closeReason: CloseReason?
        /// When closing, or half-closed life, is over.
        var limit: SessionDeadline?
        /// Bytes that were read and dropped while closing.
        var discardedBytes = 0
        /// The descriptor's close is to send RST.
        var resets = false

        var liveness = Liveness()
        /// A drain has reached it.
        var isDrained = false
        /// Why it closes as soon as it owes nothing; nil while it does not.
        var reasonOnceAnswered: CloseReason?

        /// The replies that it owes.
        var debts: Debts {
            @inline(__always) _read { yield unsafe ownDebts }
            @inline(__always) _modify { yield unsafe &ownDebts }
        }
    }
}

// MARK: - What it is

extension Session {
    /// The session's name, for other threads and for later: see `Reactor.session(_:)`.
    public var id: SessionID { registry.sessionID(key) }

    /// The peer's address, or that of a proxy's client (`ServerOptions.proxyProtocol`); nil where
    /// the kernel did not tell it.
    public var remoteAddress: SocketAddress? { peer }

    /// This end's address; nil once the session has ended.
    public var localAddress: SocketAddress? {
        hasEnded ? nil : try? registry.sockets.localAddress(of: descriptor)
    }

    /// Whether packets are taken for sending: neither `closeWriting()` nor `close()` was called,
    /// and nothing has begun to end the session.
    public var isOpen: Bool { outbound.writing == .open }

    /// Whether packets can be sent without queueing above the high watermark. In one turn no more
    /// than a high watermark's worth is writable, however fast the peer reads, so that a loop over
    /// this cannot hold the reactor. When it answered false, the handler of `onWritabilityChange`
    /// is called with true, once, as soon as there is room again. On the loop's thread.
    public var isWritable: Bool {
        registry.requireLoop("Session.isWritable")
        guard outbound.writing == .open else { return false }
        if outbound.hasRoom(settings.highWatermark, period: registry.outputPeriod) { return true }
        outbound.noteToldUnwritable()
        if !outbound.isBlocked { flushLater() }
        return false
    }

    /// Bytes that wait to be sent, at most `SessionLimits.maximumQueuedBytes` (or one largest
    /// packet) and the room of owed replies.
    public var queuedBytes: Int { outbound.count }

    /// The most bytes that ever waited to be sent.
    public var largestQueuedBytes: Int { outbound.largestCount }

    /// Whether `pauseReading()` is in force.
    public var isReadingPaused: Bool { inbound.isPausedByUser }

    /// What has moved through the session so far.
    public var counters: Traffic {
        var traffic = Traffic()
        traffic.bytesReceived = inbound.bytesReceived
        traffic.packetsReceived = inbound.packetsReceived
        traffic.bytesSent = outbound.bytesSent
        traffic.packetsSent = outbound.packetsSent
        traffic.packetsRefused = rareState?.packetsRefused ?? 0
        traffic.ratePauses = unsafe rareState?.pace?.pauses ?? 0
        return traffic
    }

    /// The most memory its buffers can take, in bytes.
    var memoryBound: Int {
        let buffers = settings.options.limits.memoryBound(
            maximumBytesReadPerTurn: registry.limits.maximumBytesReadPerTurn)
        let ofTask = rareState?.face == nil ? 0 : settings.options.limits.memoryBoundOfTask
        return buffers + ofTask
    }
}
