// The sum of what ended sessions did, kept cheaply: every connection passes here.

/// What the ended sessions of an endpoint, or of all, did together.
///
/// Each number is a property of its own that is changed in one step: an access to several at once,
/// as to a structure, is checked for exclusivity at run time, at the price of a packet.
@safe
final class SessionLedger {
    private var bytesReceived = 0
    private var bytesSent = 0
    private var packetsReceived = 0
    private var packetsSent = 0
    private var packetsRefused = 0
    private var largestQueue = 0
    private let closed = UnsafeMutablePointer<Int>.allocate(capacity: CloseCause.allCases.count)

    init() { unsafe closed.initialize(repeating: 0, count: CloseCause.allCases.count) }

    deinit { unsafe closed.deallocate() }

    /// Adds a session that has ended.
    func add(_ traffic: Traffic, largestQueue: Int, cause: CloseCause) {
        bytesReceived &+= traffic.bytesReceived
        bytesSent &+= traffic.bytesSent
        packetsReceived &+= traffic.packetsReceived
        packetsSent &+= traffic.packetsSent
        packetsRefused &+= traffic.packetsRefused
        self.largestQueue = max(self.largestQueue, largestQueue)
        unsafe closed[cause.rawValue] &+= 1
    }

    /// The sum, as a value.
    var totals: SessionTotals {
        var totals = SessionTotals()
        totals.traffic.bytesReceived = bytesReceived
        totals.traffic.bytesSent = bytesSent
        totals.traffic.packetsReceived = packetsReceived
        totals.traffic.packetsSent = packetsSent
        totals.traffic.packetsRefused = packetsRefused
        totals.largestQueue = largestQueue
        for cause in CloseCause.allCases { unsafe totals.closed[cause] = closed[cause.rawValue] }
        return totals
    }
}
