// Bad company for the relay example: a peer that does not read, and a backend that dies.
import Glibc
import Testing
import Tron

@testable import relay_load

/// Asks as much as it can, and reads nothing.
final class SilentPeer {
    static let category: UInt8 = 200

    /// Its requests, as the backend counts them.
    var requests = 0
    private var session: Session?
    private(set) var isOpen = false

    func begin(to address: SocketAddress, on reactor: Reactor) {
        reactor.connectOnce(to: address) { [self] result in
            guard let session = try? result.get() else { return }
            self.session = session
            session.pauseReading()
            session.onWritabilityChange { [self] session, _ in ask(session) }
            ask(session)
        }
    }

    private func ask(_ session: Session) {
        let data = [UInt8](repeating: 1, count: 60_000)
        while session.isWritable {
            session.send(sequence: 1, category: Self.category, data: data)
        }
    }

    /// Ends, and remembers whether it had been let live so far.
    func end() {
        isOpen = session?.isOpen == true
        session?.abort()
    }
}

/// `echo-demo serve` as a process that is killed and started anew on its port.
final class MortalBackend {
    private var server: EchoServer
    let address: SocketAddress
    private(set) var deaths = 0

    init() throws {
        server = try EchoServer()
        address = server.address
    }

    /// Stops, so that what it is sent from now on stays unanswered; then is killed, and returns.
    func dieAndReturn(_ bench: RelayBench) {
        server.process.signal(SIGSTOP)
        bench.reactor.schedule(after: .milliseconds(20)) { [self] in
            do {
                let outcome = try server.end(with: SIGKILL)
                deaths += outcome.status == 128 + SIGKILL ? 1 : 0
            } catch {
                bench.load.fail("\(error)")
            }
        }
        bench.reactor.schedule(after: .milliseconds(60)) { [self] in
            do {
                server = try EchoServer(["--port", "\(address.port ?? 0)"])
            } catch {
                bench.load.fail("\(error)")
            }
        }
    }
}
