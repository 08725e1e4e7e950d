// A reactor among real neighbours, in real time, with a patience that is bounded.
import Testing

@testable import Tron

/// A reactor among real neighbours.
final class Neighbourhood {
    let kernel = FaultyKernel(realTimeWithWaitsUpTo: .milliseconds(5))
    let reactor: Reactor

    init(limits: ReactorLimits = ReactorLimits()) throws {
        reactor = try Reactor(limits: limits, kernel: kernel)
    }

    /// Takes turns until the condition holds, sixty seconds at most.
    func turn(
        until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let end = ContinuousClock.now + .seconds(60)
        while !condition() && ContinuousClock.now < end { try reactor.turn() }
        #expect(condition(), "not within 60 s", sourceLocation: sourceLocation)
    }

    /// Takes turns for a while.
    func turn(for time: Duration) throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end { try reactor.turn() }
    }
}

/// How sessions ended, by the words of their reasons.
final class EndCounts {
    private(set) var counts: [String: Int] = [:]

    var total: Int { counts.values.reduce(0, +) }

    func add(_ reason: CloseReason) { counts["\(reason)", default: 0] += 1 }

    /// Those that are none of these.
    func others(than reasons: [CloseReason]) -> [String: Int] {
        counts.filter { !reasons.map(\.description).contains($0.key) }
    }
}
