// Many seeds, and one of them again.
import Glibc

/// What the environment says.
enum Replay {
    /// The one seed that is to be played again.
    static var seed: UInt64? {
        guard let text = unsafe getenv("TRON_SEED") else { return nil }
        return unsafe UInt64(String(cString: text))
    }
}

extension SimulatedNetwork {
    /// Plays a scenario with as many seeds, from `first` on, each in a network of its own, which it
    /// finishes. The first seed that fails ends it. With `TRON_SEED` in the environment that one is
    /// played alone.
    ///
    ///     try SimulatedNetwork.explore(seeds: 100) { network in … }
    /// - Throws: what `scenario` throws. The description of a `SimulationError` names the seed;
    ///   with another error, the seed is printed.
    public static func explore(
        seeds count: Int, from first: UInt64 = 1,
        _ scenario: (SimulatedNetwork) throws -> Void
    ) throws {
        let seeds = Replay.seed.map { [$0] } ?? (0..<UInt64(count)).map { first &+ $0 }
        for seed in seeds {
            do {
                let network = SimulatedNetwork(seed: seed)
                try scenario(network)
                try network.finish()
            } catch {
                if !(error is SimulationError) {
                    Standard.error(
                        "simulation: seed \(seed) failed; repeat it with TRON_SEED=\(seed)")
                }
                throw error
            }
        }
    }
}

/// Output that is complete when the process ends in the next moment.
package enum Standard {
    package static func error(_ line: String) { put(line, on: 2) }

    package static func output(_ line: String) { put(line, on: 1) }

    private static func put(_ line: String, on descriptor: Int32) {
        let bytes = [UInt8]((line + "\n").utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
    }
}
