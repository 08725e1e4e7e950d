// How long answers wait for one another, by what each of them took.
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

@Suite struct MetricsPaceTests {
    @Test(arguments: [
        (took: Duration.zero, pause: Duration.milliseconds(1)),
        (took: .microseconds(10), pause: .milliseconds(1)),
        (took: .milliseconds(2), pause: .milliseconds(38)),
        (took: .milliseconds(80), pause: .seconds(1)),
    ])
    func `the pause is nineteen times the answer, from a millisecond to a second`(
        took: Duration, pause: Duration
    ) throws {
        let starts = try startsOfAnswers(4, each: took)
        let pauses = zip(starts, starts.dropFirst()).map { $1 - $0 - took }
        #expect(pauses.count == 3)
        // Timers ring within a millisecond.
        #expect(pauses.allSatisfy { (pause...pause + .milliseconds(1)).contains($0) }, "\(pauses)")
    }

    /// When each of as many sessions, all of which ask at once, begins to be answered.
    private func startsOfAnswers(_ count: Int, each took: Duration) throws -> [Duration] {
        var stage: (pace: MetricsPace, kernel: FaultyKernel)?
        var starts: [Duration] = []
        let bench = try Bench { session, _ in
            session.onBytes { session, bytes in
                guard let (pace, kernel) = stage, pace.admits(session) else { return 0 }
                pace.measure {
                    starts.append(.nanoseconds(kernel.clock))
                    kernel.advance(took)
                }
                return bytes.byteCount
            }
        }
        stage = (MetricsPace(of: bench.reactor), bench.kernel)
        let peers = try (0..<count).map { _ in try bench.connect() }
        for peer in peers { peer.send("?".utf8) }
        try bench.reactor.turn(until: { starts.count == count })
        return starts
    }
}
