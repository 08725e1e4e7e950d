// What a session has queued and not sent, and what writing means for it now.

/// What writing means for a session now.
enum Writing: UInt8 {
    /// Packets are taken.
    case open
    /// None are taken any more: this end's stream ends after what is queued.
    case ending
    /// FIN is sent.
    case finished
    /// The session has ended.
    case over
}

/// What is known of the kernel's room for what waits.
private enum Blockage: UInt8 {
    /// It took all that it was given.
    case none
    /// It took less: EPOLLOUT tells when it takes more.
    case standing
    /// It takes more, and has not been given it yet.
    case lifted
}

/// The sending half of a session. Does no I/O and calls no handler.
///
/// Invariant: `credit` is 0, or writing is open and the ring has as many bytes in one piece, within
/// the high watermark; whoever grants credit makes sure that a flush, or the end of the session's
/// own batch, follows. What the kernel did not take waits. While a draft may still be queued there
/// is no credit, and its block stays where it is.
struct Outbound: ~Copyable {
    private var ring = RingBuffer()
    /// Bytes of packets that may be queued without looking at any limit again. At most one largest
    /// packet, so that no larger one passes.
    private(set) var credit: Int32 = 0
    private(set) var lastSend: Int64
    private(set) var bytesSent = 0
    private(set) var packetsSent = 0
    /// The most bytes that ever waited.
    private var largest: Int32 = 0
    /// The time from one output phase to the next in which room was last asked for, and how much
    /// had been queued in all before that (modulo 2³²).
    private var period: UInt32 = 0
    private var queuedBefore: UInt32 = 0
    private(set) var writing = Writing.open
    private var blockage = Blockage.none
    /// The user was told, by a handler or by `isWritable`, that the session is not writable.
    private(set) var isToldUnwritable = false
    /// The ring lies in the pool's shared block, for the time of the session's own batch.
    private(set) var isLent = false
    private(set) var draft = Draft.none

    init(now: Int64) { lastSend = now }

    /// Bytes that wait.
    @inline(__always)
    var count: Int { ring.count }

    @inline(__always)
    var isEmpty: Bool { ring.isEmpty }

    /// The size of the block that it lies in.
    var capacity: Int { ring.capacity }

    var largestCount: Int { max(Int(largest), ring.count) }

    /// The kernel took less than it was given, and has not told that it takes more.
    @inline(__always)
    var isBlocked: Bool { blockage == .standing }

    /// Whether any of what waits has been offered to the kernel, which did not take it.
    var holdsBack: Bool { blockage != .none }

    /// What epoll is to tell of this half.
    var interest: Readiness { isBlocked ? .writable : [] }

    /// Whether the shared block can be lent: nothing waits, and packets are taken.
    @inline(__always)
    var canBeLent: Bool { writing == .open && ring.capacity == 0 }
}

// MARK: - Room

extension Outbound {
    /// Lends the shared block for the session's own batch, with credit in it.
    @inline(__always)
    mutating func lend(_ packetCredit: Int, _ pool: BufferPool) {
        assert(draft == .none)
        ring.borrowShared(of: pool)
        isLent = true
        credit = Int32(truncatingIfNeeded: min(packetCredit, ring.capacity))
    }

    /// The batch is over. False when something waits, or the ring lies elsewhere: then `takeBack`.
    @inline(__always)
    mutating func leavesShared(of pool: BufferPool) -> Bool {
        guard ring.leavesEmptyShared(of: pool) else { return false }
        isLent = false
        credit = 0
        return true
    }

    /// The batch is over: what still waits moves to a block of the session's own.
    mutating func takeBack(_ pool: BufferPool) {
        isLent = false
        credit = 0
        if ring.isEmpty || writing == .over {
            ring.release(to: pool)
        } else {
            ring.leaveShared(of: pool)
        }
        assert(invariantHolds)
    }

    /// Makes room for `length` bytes, which will be queued at once, and grants credit for more.
    mutating func reserve(
        _ length: Int, within highWatermark: Int, _ packetCredit: Int, period: UInt32,
        _ pool: BufferPool
    ) {
        enter(period)
        ring.reserve(length, from: pool)
        if isDrafting { return }
        let room = min(ring.contiguousRoom, highWatermark &- ring.count)
        credit = Int32(truncatingIfNeeded: max(0, min(room, packetCredit)))
    }

    /// The first that asks in a period notes what had been queued before. (What is queued within
    /// credit does not ask: in each batch that is less than a packet.)
    @inline(__always)
    private mutating func enter(_ period: UInt32) {
        guard period != self.period else { return }
        self.period = period
        queuedBefore = queuedInAll
    }

    private var queuedInAll: UInt32 { UInt32(truncatingIfNeeded: bytesSent &+ ring.count) }

    /// Whether no more waits than `highWatermark`, and less has been queued in this period.
    mutating func hasRoom(_ highWatermark: Int, period: UInt32) -> Bool {
        enter(period)
        let queued = Int(queuedInAll &- queuedBefore)
        return ring.count <= highWatermark && queued < max(1, highWatermark)
    }

    /// Whether `length` bytes more stay within `highWatermark`, beside what waits and beside what
    /// has been queued in this period, or are the first.
    mutating func fits(_ length: Int, within highWatermark: Int, period: UInt32) -> Bool {
        enter(period)
        let queued = max(ring.count, Int(queuedInAll &- queuedBefore))
        return queued == 0 || queued + length <= highWatermark
    }
}

// MARK: - Queueing

extension Outbound {
    /// Queues a packet of `length` bytes within the credit.
    @inline(__always)
    mutating func put(head: UInt64, _ data: RawSpan, _ length: Int) {
        credit &-= Int32(truncatingIfNeeded: length)
        packetsSent &+= 1
        let packet = unsafe ring.tailAddress
        ring.commit(length)
        unsafe data.withUnsafeBytes { unsafe PacketFormat.write(head: head, data: $0, to: packet) }
    }

    /// Queues bytes within the credit, which there is.
    @inline(__always)
    mutating func put(_ bytes: RawSpan) {
        credit &-= Int32(truncatingIfNeeded: bytes.byteCount)
        unsafe bytes.withUnsafeBytes { unsafe ring.append($0) }
    }

    /// Queues a packet for which room was reserved, across the ring's end if need be.
    mutating func putInPieces(head: UInt64, _ data: RawSpan) {
        appendHeader(head, data.byteCount)
        unsafe data.withUnsafeBytes { unsafe append($0) }
        unsafe withUnsafeBytes(of: PacketFormat.trailer.bigEndian) { unsafe append($0) }
    }

    private mutating func appendHeader(_ head: UInt64, _ dataLength: Int) {
        unsafe withUnsafeTemporaryAllocation(byteCount: PacketFormat.headerLength, alignment: 1) {
            header in
            unsafe PacketFormat.writeHeader(
                head: head, dataLength: dataLength, to: header.baseAddress.unsafelyUnwrapped)
            unsafe append(UnsafeRawBufferPointer(header))
        }
    }

    /// Queues the header of a packet whose rest is `append(_:_:from:)`ed, or was offered, next.
    mutating func appendHeader(
        _ head: UInt64, _ dataLength: Int, period: UInt32, _ pool: BufferPool
    ) {
        enter(period)
        ring.reserve(PacketFormat.headerLength, from: pool)
        appendHeader(head, dataLength)
    }

    /// Queues the rest of a packet.
    mutating func append(
        _ data: UnsafeRawBufferPointer, _ trailer: UnsafeRawBufferPointer, from pool: BufferPool
    ) {
        ring.reserve(data.count + trailer.count, from: pool)
        unsafe append(data)
        unsafe append(trailer)
    }

    /// Queues bytes for which room was reserved. The credit was for the same room. A draft within
    /// whose closure that happens is dropped.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        assert(draft != .inPlace)
        if draft == .aside { draft = .dropped }
        credit = 0
        unsafe ring.append(bytes)
    }

    mutating func countPacket() { packetsSent &+= 1 }

    /// Whether what waits lies where it was received.
    var hasRun: Bool { ring.isRun }

    /// Queues bytes that stay where they were received, until `ownRun`. False, and nothing is
    /// queued, where that cannot be: what waits lies elsewhere, a draft is being written, or the
    /// kernel takes nothing now.
    mutating func forward(
        _ bytes: UnsafeRawBufferPointer, period: UInt32, _ pool: BufferPool
    ) -> Bool {
        guard draft == .none, !isBlocked else { return false }
        enter(period)
        guard unsafe ring.extendRun(bytes, pool) else { return false }
        credit = 0
        assert(invariantHolds)
        return true
    }

    /// Queues a packet that lies behind the run as it is to be sent, in the period that the run was
    /// begun in. False, and nothing is queued, where it does not, or ends behind `end`, or more
    /// than `most` would wait, or the run cannot be added to.
    @inline(__always)
    mutating func continueRun(
        _ head: UInt64, _ data: UnsafeRawBufferPointer, atMost most: Int,
        before end: UnsafeRawPointer
    ) -> Bool {
        let length = data.count &+ PacketFormat.overhead
        guard let packet = unsafe ring.runEnd, let start = data.baseAddress,
            unsafe start - PacketFormat.headerLength == packet, unsafe length <= end - packet,
            ring.count &+ length <= most, draft == .none, writing == .open, !isBlocked,
            unsafe PacketFormat.isWritten(head: head, dataLength: data.count, at: packet)
        else { return false }
        ring.commit(length)
        packetsSent &+= 1
        assert(invariantHolds)
        return true
    }

    /// What was received is about to go: copies what waits there, or drops it with the session.
    mutating func ownRun(_ pool: BufferPool) {
        guard ring.isRun else { return }
        if writing == .over { ring.release(to: pool) } else { ring.leaveShared(of: pool) }
        assert(invariantHolds)
    }
}

// MARK: - Drafts

extension Outbound {
    /// Whether a draft of `length` bytes, for which room was reserved, can lie where it will be
    /// queued.
    func hasRoomInPlace(_ length: Int) -> Bool {
        ring.capacity > 0 && length <= ring.contiguousRoom
    }

    /// A draft of up to `length` bytes, for which there is credit, or room was reserved. A closure
    /// writes it, which may do anything to the session.
    @inline(__always)
    mutating func beginDraft(_ length: Int, isInPlace: Bool, _ pool: BufferPool) -> DraftRoom {
        let block = unsafe isInPlace ? ring.block : pool.take(atLeast: length)
        let room = unsafe DraftRoom(
            start: isInPlace ? ring.tailAddress : block.base, block: block, credit: credit,
            outer: draft)
        draft = isInPlace ? .inPlace : .aside
        credit = 0
        return unsafe room
    }

    /// Something else is to use the ring while a draft is written. The closure goes on writing
    /// where it does, so the ring leaves that block to it, for one with as much room.
    mutating func setDraftAside(_ pool: BufferPool) {
        guard draft == .inPlace else { return }
        ring.leaveBlock(for: pool)
        draft = .aside
    }

    /// Whether a draft is being written that may still be queued.
    private var isDrafting: Bool { draft == .inPlace || draft == .aside }

    /// Whether the draft can be queued, now that its closure has returned.
    @inline(__always)
    var isDraftWhole: Bool { draft != .dropped && writing == .open }

    /// Queues the first `length` bytes of a whole draft. One within whose closure that happens is
    /// dropped.
    @inline(__always)
    mutating func queueDraft(_ room: DraftRoom, _ length: Int, _ pool: BufferPool) {
        let isInPlace = draft == .inPlace
        draft = unsafe room.outer == .none ? .none : .dropped
        if isInPlace {
            ring.commit(length)
            unsafe credit = max(0, room.credit &- Int32(truncatingIfNeeded: length))
        } else {
            unsafe append(UnsafeRawBufferPointer(start: room.start, count: length))
            unsafe pool.give(room.block)
        }
        assert(invariantHolds)
    }

    /// Queues nothing of a draft. Credit that was granted meanwhile is for the ring's new block.
    /// What was queued meanwhile was so within the outer draft's closure, too.
    mutating func abandonDraft(_ room: DraftRoom, _ pool: BufferPool) {
        if isDraftWhole { unsafe credit = room.credit }
        if draft != .inPlace { unsafe pool.give(room.block) }
        draft = unsafe draft == .dropped && room.outer != .none ? .dropped : room.outer
        assert(invariantHolds)
    }
}

// MARK: - Sending

extension Outbound {
    /// The oldest bytes that wait, and whether that is all of them.
    @inline(__always)
    var firstPart: (UnsafeRawBufferPointer, isAll: Bool) { unsafe ring.firstPart }

    var parts: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) { unsafe ring.parts }

    /// What waited was offered, and the kernel took `count` bytes of it.
    @inline(__always)
    mutating func noteOffered(taken count: Int, now: Int64) {
        largest = max(largest, Int32(truncatingIfNeeded: ring.count))
        credit = 0
        if count > 0 {
            ring.consume(count)
            bytesSent &+= count
            lastSend = now
        }
        blockage = ring.isEmpty ? .none : .standing
    }

    /// What waited was offered with the rest of a packet behind it, and the kernel took `count`
    /// bytes of them. The others wait now.
    mutating func noteOffered(
        taken count: Int, then data: UnsafeRawBufferPointer, _ trailer: UnsafeRawBufferPointer,
        now: Int64, _ pool: BufferPool
    ) {
        let waited = ring.count
        noteOffered(taken: min(count, waited), now: now)
        let taken = max(0, count - waited)
        bytesSent &+= taken
        if taken == data.count + trailer.count { return }
        unsafe append(
            UnsafeRawBufferPointer(rebasing: data[min(taken, data.count)...]),
            UnsafeRawBufferPointer(rebasing: trailer[max(0, taken - data.count)...]), from: pool)
        blockage = .standing
    }

    /// The kernel takes output again, or a hang-up means that it never will.
    mutating func unblock() {
        if blockage == .standing { blockage = .lifted }
    }

    /// The output phase begins: nothing is queued without looking any more.
    @inline(__always)
    mutating func endCredit() { credit = 0 }
}

// MARK: - What writing means

extension Outbound {
    /// No packet is taken any more.
    mutating func endAfterQueue() {
        credit = 0
        if writing == .open { writing = .ending }
    }

    /// FIN is sent.
    mutating func finish() {
        assert(writing == .ending && isEmpty)
        writing = .finished
    }

    mutating func end() {
        credit = 0
        largest = Int32(truncatingIfNeeded: largestCount)
        writing = .over
        blockage = .none
    }

    /// Gives the block back, with what still waits in it.
    @inline(__always)
    mutating func release(to pool: BufferPool) { ring.release(to: pool) }

    /// The user asked `isWritable` and was told false.
    mutating func noteToldUnwritable() { isToldUnwritable = true }

    /// What the user is to be told of writability now; nil when it knows.
    mutating func writabilityToTell(low: Int, high: Int) -> Bool? {
        guard writing == .open else { return nil }
        if isToldUnwritable && count <= low {
            isToldUnwritable = false
            return true
        }
        if !isToldUnwritable && count > high {
            isToldUnwritable = true
            return false
        }
        return nil
    }

    /// The stated invariant.
    var invariantHolds: Bool {
        credit >= 0 && (credit == 0 || writing == .open && Int(credit) <= ring.contiguousRoom)
            && (credit == 0 || !isDrafting)
            && (blockage == .none || !ring.isEmpty) && ring.invariantHolds
    }
}
