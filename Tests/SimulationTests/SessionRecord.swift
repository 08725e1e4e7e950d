// What the oracle knows of one session: what it may deliver, what it has to send, how it may end.
import Glibc
import TronTestKit

@testable import Tron

/// A session of the library, seen from outside.
final class SessionRecord {
    enum Role {
        case accepted(ServerRecord)
        case client(ClientRecord)
        case dialed
    }

    unowned let world: World
    let run: Run
    let session: Session
    let end: End
    let options: SessionOptions
    let role: Role
    let id: SessionID

    /// Packets that the session took and has not handed to the kernel whole.
    var outgoing: [WirePacket] = []
    /// How many packets it took.
    var tookCount = 0
    /// The packet that it is being given, until that is handed to the kernel whole.
    var underWay: WirePacket?
    /// What takes its input now, and how far in the other end's stream that has come: so many of
    /// its packets were delivered, or passed over.
    var receiver = Receiver.packets
    var delivered = 0
    /// What its handler was given last.
    var lastDelivered: WirePacket?
    var position = 0
    /// Its handler changes between kinds now and then. A reluctant one of bytes seldom takes any,
    /// and would rather give way or have reading pause.
    var isVersatile = false
    var isReluctant = false
    var adversary: Adversary?
    /// How often an adversary may take nothing, so that the run comes to an end.
    var reluctance = 200
    var fillsLeft = 20
    /// Its task is at a packet, or has not begun; and how many packets it takes.
    var isTaskBusy = false
    var mostPackets = 0
    /// The reply that its task awaits to be taken.
    var awaited: WirePacket?
    var hasSwitched = false
    /// The breach of the protocol that its user was told.
    var toldFault: ProtocolFault?
    /// Its handler or its framing has said what cannot be: it is given nothing any more, and ends.
    var misled: ProtocolFault?
    /// What its limit allows of packets and frames.
    var rate: RateRule?
    /// How often it has waited for that, and since when it last did.
    var ratePauses = 0
    var pacedSince = Int64.min / 2
    /// It is being set up: what came behind its header is not counted yet.
    var isBeginning = false

    // What it looked like when the loop last went to wait, and when what happened before.
    var times: SessionTimes
    var sleptUnread = false
    var sleptWaiting = false
    var sleptOutstanding = false
    var wasBlocked = false
    var incompleteStart = 0
    var askedFirst = Int64.min
    /// Where the first question ends in what was sent, and when that had arrived.
    var questionEnd: UInt64 = 0
    var questionArrived: Int64?
    var bytesMoved = 0
    var acknowledged: UInt64 = 0
    var timeLost: Int64 = 0
    var receivedBeforeClosing = 0
    /// How often the kernel was offered output.
    var offers = 0
    /// The pieces of the last one, in bytes.
    var lastOffer: [Int] = []
    /// There is something for the handler that was just installed.
    var awaitsCall = false
    /// When another handler last took over, and since when bytes waited for the one before.
    var switched: (turn: Int, incompleteSince: Int64?)?
    /// How often its handler of bytes took nothing in a turn.
    var refusals = (turn: 0, count: 0)
    /// Its task is at a packet, and how it is made to go on when it waits there.
    var isAtTasksPacket = false
    var isTaskCancelled = false
    var task: Task<Void, any Error>?
    var taskGoesOn: (() -> Void)?
    var sentInTurn = 0
    var turnOfSending = 0
    /// The user has asked that nothing be delivered.
    var isPaused = false
    var hasBeenPaused = false
    var everPaused = false

    private(set) var reason: CloseReason?
    /// The turn in which that was told.
    private(set) var endTurn = Int.max
    /// The earliest time at which it can have begun to close on request.
    var closeBegun: Int64?
    var closeCalled = false
    var abortCalled = false
    var endedWriting = false
    var overflowed = false
    /// A drain has told it: nothing may be delivered any more.
    var isDrained = false
    /// Its user was told that it is not writable, and has not been told that it is again.
    private(set) var isOwedWritability = false
    /// The last request that it carried, of those that were asked for on the loop.
    var lastRequest: UInt64 = 0
    var hasBeenAnswered = false
    /// Replies whose address was asked for and that were neither given nor refused.
    var owed: Set<ReplyAddress> = []
    /// The kernel refused it something that it cannot go on without.
    var mustEnd = false

    init(_ session: Session, _ end: End, _ role: Role, _ options: SessionOptions, _ world: World) {
        self.world = world
        self.session = session
        self.end = end
        self.options = options
        self.role = role
        run = world.run
        times = SessionTimes(beginningAt: world.run.turnStart)
        id = session.id
        rate = options.limits.maximumPacketRate.map { RateRule($0, from: world.run.turnStart) }
        end.record = self
        end.lastReceived = run.turnStart
        end.lastSent = run.turnStart
    }

    var isClosed: Bool { reason != nil }

    /// Whether anything that its peer sent was accepted for certain.
    var hasAccepted: Bool { position > 0 || hasBeenAnswered || hasTakenHeartbeat }

    /// Whether the first packet of its peer, which came whole, is a heartbeat. What may have kept
    /// it from being looked at makes that uncertain.
    private var hasTakenHeartbeat: Bool {
        guard options.heartbeat != nil, receiver == .packets, !everPaused, !abortCalled,
            closeBegun == nil, times.closingSeen == nil,
            !options.pausesReadingAboveHighWatermark, options.limits.maximumPacketRate == nil,
            let first = end.other?.log.packets.first
        else { return false }
        return first.packet.category == WirePacket.heartbeat && first.packet.sequence == -1
            && first.end <= end.receivedTotal
    }

    /// The most bytes that it may keep for its handler: the largest packet and a turn's reading.
    var mostKept: Int {
        options.limits.maximumDataLength + PacketFormat.overhead
            + world.limits.maximumBytesReadPerTurn
    }

    /// Of what is owed, how much the session can still give.
    var answerable: Int { session.isOpen ? owed.count : 0 }

    /// It ended at once, by whatever wanted that.
    var wasAborted: Bool { reason == .aborted || reason == .reactorStopped }

    var client: ClientRecord? { if case .client(let client) = role { client } else { nil } }

    var server: ServerRecord? { if case .accepted(let server) = role { server } else { nil } }

    /// A handler of it is called.
    func called(_ what: StaticString) {
        run.expect(reason == nil, "\(what) of session \(id) was called after its close")
    }

    /// The user asks whether the session is writable.
    @discardableResult
    func askWritable() -> Bool {
        let isWritable = session.isWritable
        if isWritable {
            run.expect(
                session.queuedBytes <= options.limits.outputHighWatermark,
                "session \(id) is writable with \(session.queuedBytes) bytes queued")
        } else if session.isOpen {
            isOwedWritability = true
        }
        return isWritable
    }

    /// The user is told: true once if it was told false before, and false only if it was not.
    func told(isWritable: Bool) {
        run.expect(
            isWritable == isOwedWritability,
            "session \(id) was told \(isWritable), though it knew")
        isOwedWritability = !isWritable
        if isWritable { run.met(.writableAgain) }
    }

    func closed(_ reason: CloseReason) {
        run.note(.closed, end.serial, 0, "session \(id): \(reason)")
        run.expect(self.reason == nil, "the close of session \(id) was reported twice")
        if let complaint = complaint(about: reason) {
            run.fail("session \(id) ended with “\(reason)”, but \(complaint)")
        }
        run.expect(
            reason.cause == Self.cause(of: reason),
            "session \(id) ended with “\(reason)”, which counts as \(reason.cause)")
        judgeCounts()
        if reason == .aborted && !closeCalled && !endedWriting && closeBegun == nil
            && times.closingSeen == nil && toldFault == nil
        {
            run.expect(!end.writingEnded, "session \(id) ended its stream before it was aborted")
        }
        if case .protocolFault(let fault) = reason {
            run.expect(toldFault == fault, "session \(id) ended with a fault that it did not tell")
        }
        count(reason)
        for group in world.groups { group.members.removeAll { $0 === self } }
        self.reason = reason
        endTurn = world.kernel.turns
        taskGoesOn?()
        world.obligations.meet(end.serial)
        world.noteDrained()
        if let client {
            run.expect(
                client.lostReasons.allSatisfy { $0 == reason },
                "requests were told \(client.lostReasons) of a session that ended with \(reason)")
            client.lostReasons = []
            if client.current === self { client.current = nil }
        }
    }
}
