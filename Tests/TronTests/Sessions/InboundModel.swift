// The receiving half of a session in the plainest terms, for tests to compare the real one with.

@testable import Tron

/// What an `Inbound` ought to be, in the plainest terms.
struct InboundModel {
    enum Phase { case live, finished, discarding, over }

    var kept: [UInt8] = []
    var keptSince: Int64 = 0
    var lastReceive: Int64
    var bytes = 0
    var packets = 0
    var hasHeartbeat = false
    var phase = Phase.live
    var pauses: Pauses = []
    var peerHasEnded = false
    var isInterrupted = false

    var isReading: Bool { phase == .live && pauses.isEmpty }

    var interest: Readiness {
        if isReading || phase == .discarding { return .readable }
        return phase == .live && !peerHasEnded ? .peerEnd : []
    }
}

extension InboundModel {
    /// In what an inbound differs from this, or breaks its word.
    func disagreement(with inbound: borrowing Inbound) -> String? {
        if !hasSameBytes(inbound) { return "other bytes are kept" }
        if inbound.keptSince != keptSince { return "kept since \(inbound.keptSince)" }
        if !hasSameCounts(inbound) { return "other counts" }
        if !hasSameState(inbound) { return "another state" }
        return inbound.invariantHolds ? nil : "the invariant"
    }

    private func hasSameBytes(_ inbound: borrowing Inbound) -> Bool {
        inbound.keptCount == kept.count && inbound.hasKept == !kept.isEmpty
            && inbound.keptBytes.equals(kept[...])
    }

    private func hasSameCounts(_ inbound: borrowing Inbound) -> Bool {
        inbound.bytesReceived == bytes && inbound.packetsReceived == packets
            && inbound.hasAccepted == (packets > 0 || hasHeartbeat)
            && inbound.lastReceive == lastReceive
    }

    private func hasSameState(_ inbound: borrowing Inbound) -> Bool {
        inbound.isReading == isReading && inbound.isLive == (phase == .live)
            && inbound.interest == interest && inbound.isInterrupted == isInterrupted
            && inbound.isPausedByUser == (phase == .live && pauses.contains(.user))
    }
}
