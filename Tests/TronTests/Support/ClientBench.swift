// What the tests of requests stand on: a client and its server on a fake clock, over real sockets.
import Glibc
import Testing

@testable import Tron

/// A server that answers, or not, and a client of it. What both are told is in the log.
final class ClientBench {
    final class Log {
        var states: [ClientState] = []
        /// How each request ended, by the name it was given, as often as it ended.
        var outcomes: [String: [String]] = [:]
        /// The names in the order the requests ended.
        var order: [String] = []
        /// The server's side.
        var sessions: [Session] = []
        var requests: [OwnedPacket] = []
        /// What reached the client's own handler.
        var texts: [String] = []
        var answers = true
    }

    let kernel = FaultyKernel()
    let reactor: Reactor
    let address: String
    let log = Log()
    private(set) var server: Server?
    private(set) var client: Client

    /// The delays are 1 s, so that a connection is back soon.
    init(
        isServing: Bool = true, serverOptions: ServerOptions = ServerOptions(),
        backoff: Backoff = Backoff(initial: .seconds(1), multiplier: 1),
        _ change: (inout ClientOptions) -> Void = { _ in }
    ) throws {
        reactor = try Reactor(kernel: kernel)
        // A path, since a name would stay taken while a process that another test starts has a copy
        // of the former listener.
        let path = "/tmp/" + Bench.unixName().filter { $0 != "@" && $0 != ":" }
        address = "unix:" + path
        var options = ClientOptions()
        change(&options)
        client = reactor.makeClient(to: address, reconnecting: backoff, options: options) {
            [log] session in
            session.onPacket { _, packet in log.texts.append(packet.text) }
        }
        client.onStateChange { [log] _, state in log.states.append(state) }
        if isServing {
            try serve(serverOptions)
            try reactor.turn(until: { client.state.isConnected && !log.sessions.isEmpty })
        }
    }

    deinit { unlink(String(address.dropFirst("unix:".count))) }

    func serve(_ options: ServerOptions = ServerOptions()) throws {
        server = try reactor.listen(on: address, options: options) { [log] session in
            log.sessions.append(session)
            session.onPacket { session, packet in
                log.requests.append(packet.copy())
                if log.answers { session.reply(to: packet, data: "re:" + packet.text) }
            }
        }
    }

    /// The server resets its sessions and is gone.
    func stopServing() throws {
        server?.stop(sessions: .abort)
        server = nil
        try reactor.turn(until: { client.session == nil })
    }

    /// The server's side of the present connection.
    var peer: Session? { log.sessions.last }

    /// A request by its name, whose end is noted.
    func ask(
        _ name: String, timeout: Duration = .seconds(3), isRepeatable: Bool = false,
        then next: @escaping () -> Void = {}
    ) {
        client.request(category: 7, data: name, timeout: timeout, isRepeatable: isRepeatable) {
            [log] outcome in
            let text =
                switch outcome {
                case .answered(let packet): packet.text
                case .failed(let error): "\(error)"
                }
            log.outcomes[name, default: []].append(text)
            log.order.append(name)
            next()
        }
    }

    /// Takes turns until so many requests have ended.
    func turnUntilEnded(
        _ count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try reactor.turn(
            until: { log.order.count >= count }, atMost: 5000, sourceLocation: sourceLocation)
    }

    /// Takes turns while the clock stands.
    func turnFrozen(_ count: Int = 5) throws {
        kernel.isFrozen = true
        try reactor.turn(times: count)
        kernel.isFrozen = false
    }
}
