// One end of a simulated TCP connection: its buffers, its state, and what epoll would say of it.
import Glibc

@testable import Tron

/// The bits of epoll(7), and the operations of epoll_ctl(2) that tell apart.
enum Ready {
    static let readable: UInt32 = 0x1
    static let writable: UInt32 = 0x4
    static let error: UInt32 = 0x8
    static let hangUp: UInt32 = 0x10
    static let peerFinished: UInt32 = 0x2000

    static let addition: Int32 = 1
    static let deletion: Int32 = 2

    /// The bits in words, for the story of a run.
    static func words(_ bits: UInt32) -> String {
        let names = [
            (readable, "IN"), (writable, "OUT"), (error, "ERR"), (hangUp, "HUP"),
            (peerFinished, "RDHUP"),
        ]
        return names.filter { bits & $0.0 != 0 }.map(\.1).joined(separator: " ")
    }
}

/// An end of a connection: the library's, behind a descriptor, or a peer's.
///
/// Bytes wait in `outbox` until the network brings them to the other end's `inbox`; both are
/// bounded. Invariant: an end that is connected has an `other`, which has this one.
final class End {
    enum Phase {
        case fresh, connecting, connected
        /// Refused, reset or timed out.
        case over
    }

    let serial: Int
    /// Whether it is behind a descriptor of the library.
    let isLibrary: Bool
    var other: End?
    var phase = Phase.fresh
    var inbox = ByteQueue()
    var outbox = ByteQueue()
    let inboxCapacity: Int
    let outboxCapacity: Int
    /// SO_ERROR.
    var error: Int32 = 0
    /// FIN follows what is in the outbox; and it has arrived.
    var writingEnded = false
    var finArrived = false
    /// The other end's FIN has arrived here.
    var finReceived = false
    var isClosed = false
    var local: SocketAddress
    var remote: SocketAddress?

    // The network's.
    var acknowledged: UInt64 = 0
    var lastAcknowledged: Int64 = 0
    var isDelivering = false
    var latency: Int64
    var blockedUntil: Int64 = 0
    var blockage = Fault.partitionOneWay
    var isBlockageMet = true
    /// A peer's: called when anything has changed for it.
    var changed: () -> Void = {}

    // The oracle's.
    var log = WireLog()
    var reader = WireReader()
    var receivedTotal = 0
    var sentTotal = 0
    var endWasRead = false
    var lastReceived: Int64 = 0
    var lastSent: Int64 = 0
    /// Calls that the kernel refused, by their name in `SystemError`.
    var refusals: [SystemError] = []
    weak var record: SessionRecord?

    init(run: Run, isLibrary: Bool, local: SocketAddress) {
        serial = run.nextSerial()
        self.isLibrary = isLibrary
        self.local = local
        let chance = run.chance
        inboxCapacity = chance.pick(16, 300, 4000, 40_000)
        outboxCapacity = chance.pick(16, 300, 4000, 40_000)
        latency = chance.time(upToMilliseconds: chance.pick(1, 1, 20))
    }

    var room: Int { max(0, outboxCapacity - outbox.count) }

    var inboxRoom: Int { max(0, inboxCapacity - inbox.count) }

    /// Whether it can be written to as epoll means it: a third of the buffer is free.
    var isWritable: Bool {
        writingEnded || phase == .over || room * 3 >= outboxCapacity
    }

    /// As tcp_poll() computes it.
    var readiness: UInt32 {
        var bits: UInt32 = 0
        switch phase {
        case .fresh: return Ready.writable | Ready.hangUp
        case .connecting: return 0
        case .connected, .over: break
        }
        if phase == .over || (finReceived && writingEnded) { bits |= Ready.hangUp }
        if phase == .over || finReceived { bits |= Ready.readable | Ready.peerFinished }
        if !inbox.isEmpty { bits |= Ready.readable }
        if isWritable { bits |= Ready.writable }
        if error != 0 { bits |= Ready.error }
        return bits
    }

    /// Takes the pending error, as the call that reports it does.
    func takeError() -> Int32 {
        defer { error = 0 }
        return error
    }

    /// RST, or the end of the retransmissions: the connection is no more.
    func breakOff(_ code: Int32) {
        phase = .over
        error = code
        outbox.removeAll()
    }
}

/// A listening socket of the library.
final class Listener {
    let address: SocketAddress
    let backlog: Int
    /// Connections that the kernel has made and nobody accepted.
    var queue: [End] = []
    /// Since when connections wait while the library does not look.
    var deafSince: Int64?
    /// How many sessions had been closed when the library looked away.
    var closedSessionsWhenDeaf = 0
    private var burstSize = 0
    private var burstTime: Int64 = 0

    init(_ address: SocketAddress, backlog: Int) {
        self.address = address
        self.backlog = max(1, backlog)
    }

    /// Whether it has a connection for accept4(2).
    var isReady: Bool { !queue.isEmpty }

    /// Adds a connection; true when it makes a burst of five within a millisecond.
    func add(_ end: End, at time: Int64) -> Bool {
        queue.append(end)
        if time - burstTime > 1_000_000 {
            burstSize = 0
            burstTime = time
        }
        burstSize += 1
        return burstSize == 5
    }
}
