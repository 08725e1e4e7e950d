// The oracle's pure rules, by example: an oracle is code that can be wrong.
import Testing
import TronTestKit

@testable import Tron

@Suite struct OracleRuleTests {
    /// By when what is due, in milliseconds, of a session with these facts and options.
    private func duties(
        _ facts: SessionFacts, _ change: (inout SessionOptions) -> Void
    ) -> [String: Int64] {
        var options = SessionOptions()
        options.limits.packetTimeout = nil
        change(&options)
        var found: [String: Int64] = [:]
        SessionRule.duties(facts, options) { found["\($1)"] = $0 / 1_000_000 }
        return found
    }

    private func facts(_ change: (inout SessionFacts) -> Void = { _ in }) -> SessionFacts {
        var facts = SessionFacts(times: SessionTimes(beginningAt: 1_000_000_000))
        change(&facts)
        return facts
    }

    @Test func `a session that asks for nothing owes nothing`() {
        #expect(duties(facts()) { _ in }.isEmpty)
    }

    @Test func `idle times run from what they are about, and reading's while it reads`() {
        var session = facts {
            $0.times.received = 1_200_000_000
            $0.times.sent = 1_500_000_000
        }
        let change: (inout SessionOptions) -> Void = {
            $0.idle = IdleTimeouts(
                read: .milliseconds(100), write: .milliseconds(100), either: .milliseconds(100))
        }
        #expect(
            duties(session, change) == [
                "the idle end (read) of": 1300, "the idle end (write) of": 1600,
                "the idle end (either) of": 1600,
            ])
        session.times.lastNotReading = 1_250_000_000
        #expect(duties(session, change)["the idle end (read) of"] == 1350)
        session.isReading = false
        #expect(duties(session, change)["the idle end (read) of"] == nil)
        session.isClosing = true
        session.times.closingKnown = 2_000_000_000
        #expect(duties(session, change) == ["the end of closing of": 12_000])
    }

    @Test func `a packet's time runs from its first byte or from what was taken before it`() {
        var session = facts { $0.times.incompleteSince = 1_100_000_000 }
        let change: (inout SessionOptions) -> Void = {
            $0.limits.packetTimeout = .milliseconds(20)
        }
        #expect(duties(session, change) == ["the packet's end of": 1120])
        session.times.consumed = 1_110_000_000
        #expect(duties(session, change) == ["the packet's end of": 1130])
    }

    @Test func `sending puts off no question, and nobody vanishes for longer than twice the time`()
    {
        let session = facts {
            $0.times.sent = 1_900_000_000
            $0.times.stuckSince = 1_400_000_000
        }
        let found = duties(session) {
            $0.heartbeat = Heartbeat(category: 9, interval: .milliseconds(300))
            $0.deadAfter = .seconds(1)
        }
        #expect(found["a question of"] == 1300)
        #expect(found["the death of"] == 3400)
    }

    @Test func `the peer's end is outlived only where something is allowed or owed`() {
        var session = facts { $0.times.endRead = 1_000_000_000 }
        let change: (inout SessionOptions) -> Void = {
            $0.limits.halfCloseTimeout = .milliseconds(10)
        }
        #expect(duties(session, change).isEmpty)
        session.mayOutliveItsPeer = true
        #expect(duties(session, change) == ["the half-closed end of": 1010])
    }

    @Test(arguments: [Backoff.Jitter.none, .equal, .full])
    func `the delays that a backoff gives are those that the rule allows`(
        jitter: Backoff.Jitter
    ) {
        var generator = SplitMix64(seed: 7)
        let backoff = Backoff(
            initial: .milliseconds(20), multiplier: 1.5, attempts: 30, jitter: jitter)
        for attempt in 1...31 {
            let delay = backoff.delay(beforeAttempt: attempt, using: &generator)
            let allowed = BackoffRule.delays(beforeAttempt: attempt, backoff)
            #expect((delay == nil) == (allowed == nil))
            guard let delay, let allowed else { continue }
            #expect(allowed.contains(delay.clampedNanoseconds), "\(attempt): \(delay), \(allowed)")
        }
    }

    @Test func `a turn's budget is exceeded by one more, and begins anew with the next turn`() {
        var limits = ReactorLimits()
        limits.maximumTimersPerTurn = 2
        var budget = TurnBudget()
        #expect(budget.count(.timer, turn: 1, limits) == nil)
        #expect(budget.count(.timer, turn: 1, limits) == nil)
        #expect(budget.count(.timer, turn: 1, limits) != nil)
        #expect(budget.count(.timer, turn: 2, limits) == nil)
    }
}
