// What a session has received and not delivered, and what reading means for it now.

/// What reading means for a session now.
enum Reading: Equatable {
    /// What comes is read and delivered.
    case reading
    /// Nothing is read while anybody keeps the session from it. `peerHasEnded`: the kernel has told
    /// that the peer's end of stream waits behind what is not read.
    case paused(Pauses, peerHasEnded: Bool)
    /// Nothing is left to read: the peer's end of stream was, or, of a session that closes, as much
    /// as may be discarded.
    case finished
    /// The session closes: what comes is read and dropped.
    case discarding
    /// The session has ended.
    case over
}

/// Who keeps a session from reading.
struct Pauses: OptionSet, Equatable {
    let rawValue: UInt8

    /// `Session.pauseReading()`.
    static let user = Pauses(rawValue: 1 << 0)
    /// More output waits than the high watermark.
    static let watermark = Pauses(rawValue: 1 << 1)
    /// As many replies are owed as may be.
    static let debts = Pauses(rawValue: 1 << 2)
    /// A drain has reached the session: it waits for the replies that are owed.
    static let drain = Pauses(rawValue: 1 << 3)
    /// `SessionLimits.maximumPacketRate`.
    static let rate = Pauses(rawValue: 1 << 4)
}

/// The receiving half of a session. Does no I/O and calls no handler.
///
/// Invariant between batches: `keptSince` is 0 exactly when nothing is kept, or the session neither
/// reads nor will again.
struct Inbound: ~Copyable {
    private var decoder = PacketDecoder()
    /// Set at once by whatever changes what the batch at hand may deliver: a pause, an end, another
    /// handler. The batch stops after the packet at hand.
    private(set) var isInterrupted = false
    private(set) var reading = Reading.reading
    /// Whether the peer was heard in a packet that no handler sees.
    private(set) var hasTakenHeartbeat = false
    /// When bytes last came, or reading last went on.
    private(set) var lastReceive: Int64
    /// When the first byte of the incomplete packet came, or reading of it went on.
    private(set) var keptSince: Int64 = 0
    private(set) var bytesReceived = 0
    /// Packets or frames that a handler was given, or parts that a handler of bytes consumed.
    private(set) var packetsReceived = 0

    init(now: Int64) { lastReceive = now }

    /// Whether what comes is read and delivered.
    @inline(__always)
    var isReading: Bool {
        if case .reading = reading { true } else { false }
    }

    /// Whether the handlers may have more later: neither closing nor at the peer's end.
    var isLive: Bool {
        switch reading {
        case .reading, .paused: true
        case .finished, .discarding, .over: false
        }
    }

    var isPausedByUser: Bool {
        if case .paused(let by, _) = reading { by.contains(.user) } else { false }
    }

    /// Whether the peer has sent anything that was accepted.
    var hasAccepted: Bool { packetsReceived > 0 || hasTakenHeartbeat }

    /// What epoll is to tell of this half.
    var interest: Readiness {
        switch reading {
        case .reading, .discarding: .readable
        case .paused(_, let peerHasEnded): peerHasEnded ? [] : .peerEnd
        case .finished, .over: []
        }
    }
}

// MARK: - What reading means

extension Inbound {
    mutating func pause(by who: Pauses) {
        switch reading {
        case .reading: reading = .paused(who, peerHasEnded: false)
        case .paused(let others, let peerHasEnded):
            reading = .paused(others.union(who), peerHasEnded: peerHasEnded)
        case .finished, .discarding, .over: return
        }
        isInterrupted = true
    }

    /// Whether reading goes on: nobody else keeps the session from it.
    mutating func resume(by who: Pauses, now: Int64) -> Bool {
        guard case .paused(let all, let peerHasEnded) = reading, !all.isDisjoint(with: who) else {
            return false
        }
        let others = all.subtracting(who)
        guard others.isEmpty else {
            reading = .paused(others, peerHasEnded: peerHasEnded)
            return false
        }
        reading = .reading
        lastReceive = now
        if hasKept { keptSince = now }
        return true
    }

    /// The kernel tells that the peer's end waits behind what is not read. False if that was known.
    mutating func peerHasEnded() -> Bool {
        guard case .paused(let by, false) = reading else { return false }
        reading = .paused(by, peerHasEnded: true)
        return true
    }

    /// Nothing is left to read.
    mutating func finish() { reading = .finished }

    /// The session closes: no packet is delivered any more.
    mutating func discard() {
        if isLive { reading = .discarding }
        isInterrupted = true
    }

    mutating func end() {
        reading = .over
        isInterrupted = true
    }

    /// Another handler takes what is left of the batch at hand.
    mutating func interrupt() { isInterrupted = true }
}

// MARK: - Bytes

extension Inbound {
    @inline(__always)
    var hasKept: Bool { !decoder.kept.isEmpty }

    /// Whether it holds memory.
    @inline(__always)
    var hasBlock: Bool { decoder.kept.hasBlock }

    @inline(__always)
    var keptCount: Int { decoder.kept.count }

    /// Valid until the next call that keeps or receives.
    var keptBytes: UnsafeRawBufferPointer { unsafe decoder.kept.bytes }

    @inline(__always)
    mutating func noteReceived(_ count: Int, now: Int64) {
        lastReceive = now
        bytesReceived &+= count
    }

    /// Bytes that are dropped do not put off any deadline.
    mutating func noteDiscarded(_ count: Int) { bytesReceived &+= count }

    @inline(__always)
    mutating func beginBatch() { isInterrupted = false }

    @inline(__always)
    mutating func countPacket() { packetsReceived &+= 1 }

    /// The packet that was counted last is a heartbeat, which does not count.
    mutating func uncountHeartbeat() {
        packetsReceived &-= 1
        hasTakenHeartbeat = true
    }

    @inline(__always)
    func nextFresh(
        _ fresh: inout UnsafeRawBufferPointer, _ maximumDataLength: Int
    ) -> DecodedStep {
        unsafe decoder.nextFresh(&fresh, maximumDataLength: maximumDataLength)
    }

    mutating func next(
        _ fresh: inout UnsafeRawBufferPointer, _ maximumDataLength: Int, _ pool: BufferPool
    ) -> DecodedStep {
        unsafe decoder.next(&fresh, maximumDataLength: maximumDataLength, pool: pool)
    }

    /// Where the bytes that follow the kept ones are received to: as many as the first kept packet
    /// lacks, or, when its bytes are none of packets, `lacking`. No more than `most`, and than are
    /// kept or a block's worth, whichever is more.
    mutating func roomBehindKept(
        lacking: Int?, _ maximumDataLength: Int, atMost most: Int, _ pool: BufferPool
    ) -> UnsafeMutableRawBufferPointer {
        if let lacking {
            let room = min(lacking, max(decoder.kept.count, BufferPool.minimumCapacity))
            return unsafe decoder.rawRoom(min(room, most), pool: pool)
        }
        let room = unsafe decoder.room(maximumDataLength: maximumDataLength, pool: pool)
        return unsafe UnsafeMutableRawBufferPointer(rebasing: room.prefix(most))
    }

    mutating func commit(_ count: Int) { decoder.commit(count) }

    /// Without a `maximumDataLength` they are no packets.
    mutating func keep(
        _ fresh: UnsafeRawBufferPointer, _ maximumDataLength: Int?, _ pool: BufferPool
    ) {
        if unsafe fresh.isEmpty { return }
        unsafe decoder.keep(fresh, maximumDataLength: maximumDataLength, pool: pool)
    }

    mutating func consumeKept(_ count: Int) { decoder.consume(count) }

    /// After a batch: starts or ends the clock of the incomplete packet, and gives memory back.
    /// `consumed`: the batch took something, so that what is kept now began in it.
    mutating func settleKept(consumed: Bool, now: Int64, _ pool: BufferPool) {
        if decoder.kept.isEmpty {
            decoder.release(to: pool)
            keptSince = 0
        } else if consumed || keptSince == 0 {
            keptSince = now
        }
        assert(invariantHolds)
    }

    mutating func release(to pool: BufferPool) {
        decoder.release(to: pool)
        keptSince = 0
    }

    /// The stated invariant.
    var invariantHolds: Bool { !isLive || (keptSince != 0) == hasKept }
}
