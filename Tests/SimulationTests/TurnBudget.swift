// What one turn of the loop did, beside what it may do at most.
import TronTestKit

@testable import Tron

/// Counts what handlers are called for within a turn.
struct TurnBudget {
    private var turn = -1
    private var timers = 0
    private var work = 0
    private var refusals = 0
    private var releases = 0
    private var flushes = 0

    /// A handler is called in this turn; the name of the limit that this exceeds, if it does.
    mutating func count(_ step: Step, turn: Int, _ limits: ReactorLimits) -> StaticString? {
        if turn != self.turn { self = TurnBudget(turn: turn) }
        switch step {
        case .timer:
            timers += 1
            return timers > limits.maximumTimersPerTurn ? "maximumTimersPerTurn" : nil
        case .submitted:
            work += 1
            return work > limits.maximumWorkPerTurn ? "maximumWorkPerTurn" : nil
        case .turnedDown:
            refusals += 1
            return refusals > limits.maximumWorkPerTurn ? "maximumWorkPerTurn of its own" : nil
        case .closed:
            releases += 1
            return releases > limits.maximumReleasesPerTurn ? "maximumReleasesPerTurn" : nil
        case .writability:
            flushes += 1
            return flushes > limits.maximumFlushesPerTurn ? "maximumFlushesPerTurn" : nil
        default: return nil
        }
    }

    init() {}

    private init(turn: Int) { self.turn = turn }
}
