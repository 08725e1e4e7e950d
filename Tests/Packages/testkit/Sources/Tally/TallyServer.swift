// The server: it counts votes, a line each, and says how many there are.
import Tron

/// Counts lines by their text, and answers each with `TEXT COUNT`.
public final class TallyServer {
    /// The votes so far.
    public private(set) var votes: [String: Int] = [:]

    private init() {}

    /// Serves on a reactor: what a program does before `run()`, and a test on a simulated network.
    @discardableResult
    public static func listen(on reactor: Reactor, port: UInt16) throws -> TallyServer {
        let tally = TallyServer()
        var options = ServerOptions()
        options.session.idle.read = .seconds(30)
        try reactor.listen(on: .any(port: port), options: options) { session in
            session.onFrames(of: .lines(maximumLength: 100)) { session, line in
                session.send(bytes: tally.count(line.text))
            }
        }
        try reactor.onSignal(.terminate) { [unowned reactor] _ in
            reactor.drain(within: .seconds(5))
        }
        return tally
    }

    private func count(_ name: String) -> String {
        votes[name, default: 0] += 1
        return "\(name) \(votes[name] ?? 0)\n"
    }
}
