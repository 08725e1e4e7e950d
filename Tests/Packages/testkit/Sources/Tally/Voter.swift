// The client: votes once a second, whatever happens to the server.
import Tron

/// Votes for one name, once a second.
public final class Voter {
    /// The last count that the server has told.
    public private(set) var count = 0
    /// How often the connection has been lost.
    public private(set) var losses = 0

    private let name: String
    private let client: Client

    /// Begins on a reactor that may not run yet.
    public init(for name: String, at address: String, on reactor: Reactor) {
        self.name = name
        let backoff = Backoff(initial: .milliseconds(200), multiplier: 2, cap: .seconds(2))
        var install: (Session) -> Void = { _ in }
        client = reactor.makeClient(to: address, reconnecting: backoff) { session in
            install(session)
        }
        install = { [unowned self] session in begin(session, on: reactor) }
    }

    private func begin(_ session: Session, on reactor: Reactor) {
        session.onFrames(of: .lines(maximumLength: 100)) { [unowned self] _, line in
            count = line.text.split(separator: " ").last.flatMap { Int($0) } ?? count
        }
        session.onClose { [unowned self] _, _ in losses += 1 }
        vote(on: session, reactor)
    }

    private func vote(on session: Session, _ reactor: Reactor) {
        guard session.isOpen else { return }
        session.send(bytes: "\(name)\n")
        reactor.schedule(after: .seconds(1)) { [self] in vote(on: session, reactor) }
    }
}
