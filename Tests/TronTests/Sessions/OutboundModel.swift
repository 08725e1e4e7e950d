// The sending half of a session in the plainest terms, for tests to compare the real one with.

@testable import Tron

/// What an `Outbound` ought to be, in the plainest terms.
struct OutboundModel {
    var waiting: [UInt8] = []
    /// The period in which room was last asked for, and what has been queued since.
    var period: UInt32 = 0
    var queuedSinceAsked = 0
    var bytesSent = 0
    var packetsSent = 0
    var lastSend: Int64
    var largest = 0
    var writing = Writing.open
    var isBlocked = false
    var holdsBack = false
    var isTold = true
    var isLent = false

    mutating func askForRoom(in period: UInt32) {
        if period != self.period { queuedSinceAsked = 0 }
        self.period = period
    }

    mutating func queue(_ bytes: [UInt8]) {
        waiting += bytes
        queuedSinceAsked += bytes.count
        largest = max(largest, waiting.count)
    }

    mutating func send(_ count: Int, at now: Int64) {
        waiting.removeFirst(count)
        bytesSent += count
        if count > 0 { lastSend = now }
        isBlocked = !waiting.isEmpty
        holdsBack = isBlocked
    }
}

extension OutboundModel {
    /// In what an outbound differs from this, or breaks its word.
    func disagreement(
        with outbound: borrowing Outbound, high: Int, packetCredit: Int
    ) -> String? {
        if !hasSameBytes(outbound) { return "other bytes wait" }
        if !hasSameState(outbound) { return "another state" }
        if !hasSameCounts(outbound) { return "other counts" }
        if !outbound.invariantHolds { return "the invariant" }
        let credit = Int(outbound.credit)
        if credit > packetCredit { return "credit for more than a packet" }
        if credit > 0 && waiting.count + credit > high { return "credit above the high watermark" }
        return nil
    }

    private func hasSameBytes(_ outbound: borrowing Outbound) -> Bool {
        let (first, second) = outbound.parts
        return first.count + second.count == waiting.count
            && first.equals(waiting[..<first.count]) && second.equals(waiting[first.count...])
            && outbound.firstPart.isAll == second.isEmpty
            && outbound.count == waiting.count && outbound.isEmpty == waiting.isEmpty
    }

    private func hasSameState(_ outbound: borrowing Outbound) -> Bool {
        outbound.writing == writing && outbound.isLent == isLent
            && outbound.isBlocked == isBlocked && outbound.holdsBack == holdsBack
            && outbound.isToldUnwritable == !isTold
            && outbound.interest == (isBlocked ? .writable : [])
    }

    private func hasSameCounts(_ outbound: borrowing Outbound) -> Bool {
        outbound.largestCount == largest && outbound.bytesSent == bytesSent
            && outbound.packetsSent == packetsSent && outbound.lastSend == lastSend
    }
}
