// The receiving half of a session without a socket: what reading means, and what is kept.
import Testing

@testable import Tron

@Suite struct InboundTests {
    /// A call, and how it is written in the table.
    private enum Call: CaseIterable {
        case pauseUser, pauseWatermark, resumeUser, resumeWatermark, peerHasEnded, discard, end
        case interrupt, beginBatch, finish
    }

    private static let states: [Character: Reading] = [
        "r": .reading, "f": .finished, "d": .discarding, "o": .over,
        "u": .paused(.user, peerHasEnded: false), "U": .paused(.user, peerHasEnded: true),
        "w": .paused(.watermark, peerHasEnded: false),
        "W": .paused(.watermark, peerHasEnded: true),
        "b": .paused([.user, .watermark], peerHasEnded: false),
        "B": .paused([.user, .watermark], peerHasEnded: true),
    ]

    /// For each state what it is after each call, in the order of the calls. An exclamation mark:
    /// the batch at hand is interrupted; a question mark: the answer was yes.
    private static let table: [Character: String] = [
        //   pause u, w  resume u, w  ended discard end interrupt begin finish
        "r": "u!  w!     r    r       r     d!      o!  r!        r     f",
        "u": "u!  b!     r?   u       U?    d!      o!  u!        u     f",
        "U": "U!  B!     r?   U       U     d!      o!  U!        U     f",
        "w": "b!  w!     w    r?      W?    d!      o!  w!        w     f",
        "W": "B!  W!     W    r?      W     d!      o!  W!        W     f",
        "b": "b!  b!     w    u       B?    d!      o!  b!        b     f",
        "B": "B!  B!     W    U       B     d!      o!  B!        B     f",
        "f": "f   f      f    f       f     f!      o!  f!        f     f",
        "d": "d   d      d    d       d     d!      o!  d!        d     f",
        "o": "o   o      o    o       o     o!      o!  o!        o",
    ]

    @Test func `every call in every state leads where the table says`() throws {
        #expect(Self.table.count == Self.states.count)
        for (name, row) in Self.table {
            for (call, cell) in zip(Call.allCases, row.split(separator: " ")) {
                var inbound = Self.inbound(name)
                #expect(inbound.reading == Self.states[name], "\(name) is not reached")
                let answer = Self.make(call, &inbound)
                let next = try #require(cell.first)
                #expect(inbound.reading == Self.states[next], "\(call) of \(name)")
                #expect(inbound.isInterrupted == cell.contains("!"), "\(call) of \(name)")
                #expect(answer == cell.contains("?"), "\(call) of \(name)")
                Self.expectMeaning(of: next, inbound)
            }
        }
    }

    @Test func `a batch that begins is interrupted no more, and a resumption does not say it`() {
        var inbound = Inbound(now: 1)
        inbound.pause(by: .user)
        #expect(inbound.resume(by: .user, now: 2) && inbound.isInterrupted)
        inbound.beginBatch()
        #expect(inbound.isInterrupted == false)
    }

    private static func expectMeaning(of name: Character, _ inbound: borrowing Inbound) {
        let interest: Readiness =
            "rd".contains(name) ? .readable : "uwb".contains(name) ? .peerEnd : []
        #expect(inbound.interest == interest, "\(name)")
        #expect(inbound.isReading == (name == "r"), "\(name)")
        #expect(inbound.isLive == "ruUwWbB".contains(name), "\(name)")
        #expect(inbound.isPausedByUser == "uUbB".contains(name), "\(name)")
    }

    /// One in the named state, at the beginning of a batch.
    private static func inbound(_ name: Character) -> Inbound {
        var inbound = Inbound(now: 1)
        if "uUbB".contains(name) { inbound.pause(by: .user) }
        if "wWbB".contains(name) { inbound.pause(by: .watermark) }
        if "UWB".contains(name) { _ = inbound.peerHasEnded() }
        if name == "f" { inbound.finish() }
        if name == "d" { inbound.discard() }
        if name == "o" { inbound.end() }
        inbound.beginBatch()
        return inbound
    }

    private static func make(_ call: Call, _ inbound: inout Inbound) -> Bool {
        switch call {
        case .pauseUser: inbound.pause(by: .user)
        case .pauseWatermark: inbound.pause(by: .watermark)
        case .resumeUser: return inbound.resume(by: .user, now: 2)
        case .resumeWatermark: return inbound.resume(by: .watermark, now: 2)
        case .peerHasEnded: return inbound.peerHasEnded()
        case .discard: inbound.discard()
        case .end: inbound.end()
        case .interrupt: inbound.interrupt()
        case .beginBatch: inbound.beginBatch()
        case .finish: inbound.finish()
        }
        return false
    }
}
