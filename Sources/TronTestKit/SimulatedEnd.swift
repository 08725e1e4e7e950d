// One end of a simulated TCP connection: its buffers, its state, and what epoll would say of it.
import Glibc
import Tron

/// The bits of epoll(7), and the operations of epoll_ctl(2) that tell apart.
package enum Ready {
    package static let readable: UInt32 = 0x1
    package static let writable: UInt32 = 0x4
    package static let error: UInt32 = 0x8
    package static let hangUp: UInt32 = 0x10
    package static let peerFinished: UInt32 = 0x2000

    package static let addition: Int32 = 1
    package static let deletion: Int32 = 2

    /// The bits in words, for the story of a run.
    package static func words(_ bits: UInt32) -> String {
        let names = [
            (readable, "IN"), (writable, "OUT"), (error, "ERR"), (hangUp, "HUP"),
            (peerFinished, "RDHUP"),
        ]
        return names.filter { bits & $0.0 != 0 }.map(\.1).joined(separator: " ")
    }
}

/// Is told what a call of the library came to.
package protocol EndObserver: AnyObject {
    /// The kernel refused something that the connection cannot go on without.
    func wasRefused()
    /// The kernel is asked to take pieces of so many bytes.
    func offered(_ pieces: [Int])
    /// The kernel took these bytes.
    func wrote(_ bytes: ArraySlice<UInt8>)
}

/// An end of a connection: the library's, behind a descriptor, or a peer's.
///
/// Bytes wait in `outbox` until the network brings them to the other end's `inbox`; both are
/// bounded. Invariant: an end that is connected has an `other`, which has this one.
package final class End {
    package enum Phase {
        case fresh, connecting, connected
        /// Refused, reset or timed out.
        case over
    }

    package let serial: Int
    /// Whether it is behind a descriptor of the library.
    package let isLibrary: Bool
    package var other: End?
    package var phase = Phase.fresh
    package var inbox = ByteQueue()
    package var outbox = ByteQueue()
    package let place: Place
    package let inboxCapacity: Int
    package let outboxCapacity: Int
    /// SO_ERROR.
    package var error: Int32 = 0
    /// FIN follows what is in the outbox; and it has arrived.
    package var writingEnded = false
    package var finArrived = false
    /// The other end's FIN has arrived here.
    package var finReceived = false
    /// Of a Unix socket: it is shut down both ways, which the other end learns with its FIN.
    package var isShutDown = false
    /// Of a Unix socket: the other end is closed or shut down both ways, and takes nothing more.
    package private(set) var isHungUp = false
    package var isClosed = false
    package var local: SocketAddress
    package var remote: SocketAddress?

    // The network's.
    package var acknowledged: UInt64 = 0
    package var lastAcknowledged: Int64 = 0
    package var isDelivering = false
    package var latency: Int64
    package var blockedUntil: Int64 = 0
    package var blockage = Fault.partitionOneWay
    package var isBlockageMet = true
    /// It neither sends nor hears anything any more, and says nothing of that.
    package var hasVanished = false
    package var keepalive = Keeping()
    /// SO_REUSEPORT.
    package var reusesPort = false
    /// The first packet of its handshake has gone the way.
    var hasTravelled = false
    /// Since when its bytes cannot pass, and since when received ones wait for its user.
    var heldSince: Int64?
    package var waitingSince: Int64 = 0
    /// A peer's: called when anything has changed for it.
    package var changed: () -> Void = {}

    // For whoever watches.
    /// accept4(2) has handed it to the library.
    package var wasAccepted = false
    /// When it was refused, reset or given up.
    var overSince: Int64?
    var isReported = false
    package var attachment: AnyObject?
    package weak var observer: (any EndObserver)?
    package var receivedTotal = 0
    package var sentTotal = 0
    package var endWasRead = false
    package var lastReceived: Int64 = 0
    package var lastSent: Int64 = 0
    /// Calls that the kernel refused, by their name in `SystemError`.
    package var refusals: [SystemError] = []

    package init(
        serial: Int, isLibrary: Bool, local: SocketAddress, place: Place, shape: EndShape
    ) {
        self.serial = serial
        self.isLibrary = isLibrary
        self.local = local
        self.place = place
        inboxCapacity = shape.inboxCapacity
        outboxCapacity = shape.outboxCapacity
        latency = shape.latency
    }

    package var room: Int { max(0, outboxCapacity - outbox.count) }

    package var inboxRoom: Int { max(0, inboxCapacity - inbox.count) }

    /// Whether it can be written to as epoll means it: a third of the buffer is free.
    package var isWritable: Bool {
        writingEnded || isHungUp || phase == .over || room * 3 >= outboxCapacity
    }

    /// As tcp_poll() computes it.
    package var readiness: UInt32 {
        var bits: UInt32 = 0
        switch phase {
        case .fresh: return Ready.writable | Ready.hangUp
        case .connecting: return 0
        case .connected, .over: break
        }
        if phase == .over || isHungUp || (finReceived && writingEnded) { bits |= Ready.hangUp }
        if phase == .over || finReceived { bits |= Ready.readable | Ready.peerFinished }
        if !inbox.isEmpty { bits |= Ready.readable }
        if isWritable { bits |= Ready.writable }
        if error != 0 { bits |= Ready.error }
        return bits
    }

    /// Takes the pending error, as the call that reports it does.
    package func takeError() -> Int32 {
        defer { error = 0 }
        return error
    }

    /// Whether its connection is one of Unix sockets.
    package var isUnix: Bool {
        local.isUnix || remote?.isUnix == true || other?.local.isUnix == true
    }

    /// What was not received is lost: without a word, as unix(7) has it.
    package func hangUp() {
        isHungUp = true
        outbox.removeAll()
    }

    /// RST, or the end of the retransmissions: the connection is no more.
    package func breakOff(_ code: Int32, at time: Int64) {
        overSince = time
        phase = .over
        error = code
        outbox.removeAll()
    }
}
