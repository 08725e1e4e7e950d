// What a simulation finds, and the error by which a test fails.
import Tron

/// What no reactor should have done.
public struct SimulationFinding: Hashable, Sendable, CustomStringConvertible {
    /// What sort of thing it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The loop turns, and neither waits nor does anything.
        case spin
        /// What a connection has received is not read, and nobody will call for it.
        case sleepOverData = "sleep over data"
        /// Something is open that nobody has a use for any more.
        case leak
        /// More waits to be sent, or to be answered, than the watch allows.
        case unboundedQueue = "unbounded queue"
        /// Another thread handed work to a reactor: that is not simulated.
        case workFromElsewhere = "work from elsewhere"
        /// The library, or a call of it, did what it must not do.
        case brokenPromise = "broken promise"
    }

    /// What sort of thing it is.
    public let kind: Kind

    /// When it was seen.
    public let time: Duration

    /// The reactor's name, where one did it.
    public let reactor: String?

    /// What was seen.
    public let message: String

    /// `spin at 1.5 s in server: 1000 turns that neither waited nor did anything`
    public var description: String {
        "\(kind.rawValue) at \(time)\(reactor.map { " in \($0)" } ?? ""): \(message)"
    }
}

/// What a simulation came to that did not go as it should. Its description names the seed.
public struct SimulationError: Error, CustomStringConvertible {
    /// The seed that repeats it.
    public let seed: UInt64

    /// What went wrong.
    public let reason: String

    /// What the watch had found by then.
    public let findings: [SimulationFinding]

    /// The last steps before.
    public let lastSteps: [String]

    /// The reason, the findings, the last steps, and how to repeat it.
    public var description: String {
        ([reason] + findings.map { "found: \($0)" } + ["the last steps:"] + lastSteps
            + ["repeat it with SimulatedNetwork(seed: \(seed)), or TRON_SEED=\(seed)"])
            .joined(separator: "\n")
    }
}

extension SimulatedNetwork {
    /// How many steps an error tells.
    private static let stepsTold = 30

    func error(_ reason: String) -> SimulationError {
        SimulationError(
            seed: seed, reason: "seed \(seed), at \(now): \(reason)", findings: findings,
            lastSteps: story.lines.suffix(Self.stepsTold))
    }

    /// Throws what has been found so far.
    public func check() throws(SimulationError) {
        if !findings.isEmpty { throw error("\(findings.count) findings") }
    }

    /// Ends all reactors, and throws what has been found: also what they have left open.
    public func finish() throws(SimulationError) {
        adoptThread()
        for reactor in reactors { reactor.end() }
        try check()
    }
}
