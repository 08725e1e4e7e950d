// The stage of the later steps: a server that goes away and comes back, and its client that stays.
import Tron

/// What the steps about the client share.
final class ClientStage {
    let reactor: Reactor
    let log = StateLog()
    var server: Server
    /// What the server does with a packet; each step has it do something else.
    let behaviour = Behaviour()
    /// What became of the request that outlives its connection.
    var repeated: Result<OwnedPacket, RequestError>?
    /// Nobody listens there.
    let vacantAddress: SocketAddress

    /// It connects when the first of its steps begins.
    private(set) lazy var client = connect()

    static let backoff = Backoff(initial: .milliseconds(100), multiplier: 2)

    init(_ reactor: Reactor) throws {
        self.reactor = reactor
        let behaviour = behaviour
        server = try reactor.listen(on: .loopback(port: 0)) { behaviour.serve($0) }
        let other = try reactor.listen(on: .loopback(port: 0)) { _ in }
        vacantAddress = other.address
        other.stop()
        behaviour.sessionEnded = { [log] in log.check() }
    }

    private func connect() -> Client {
        var options = ClientOptions()
        // A timeout fails its request alone; by default it would be a reason to connect anew.
        options.timeoutsBeforeReconnect = nil
        let client = reactor.makeClient(
            to: [server.address], reconnecting: Self.backoff, options: options)
        log.follow(client)
        return client
    }

    /// Listens again where it did.
    func restartServer() throws {
        let behaviour = behaviour
        server = try reactor.listen(on: server.address) { behaviour.serve($0) }
    }

    /// Sends a request, and shows it and what becomes of it, with the time that this took.
    func ask(
        _ text: String, timeout: Duration = .seconds(3), isRepeatable: Bool = false,
        _ completion: @escaping (Result<OwnedPacket, RequestError>, Duration) -> Void
    ) {
        let start = ContinuousClock.now
        show("client asks", text.debugDescription)
        client.request(category: 1, data: text, timeout: timeout, isRepeatable: isRepeatable) {
            outcome in
            let time = ContinuousClock.now - start
            switch outcome {
            case .answered(let packet):
                let packet = packet.copy()
                show("answer", "\(packet.summary), after \(milliseconds(time)) ms")
                completion(.success(packet), time)
            case .failed(let error):
                let words = "\(text.debugDescription): \(error)"
                show("request failed", "\(words), after \(milliseconds(time)) ms")
                completion(.failure(error), time)
            }
        }
    }
}

/// What the server does, apart from the stage, since it may change while sessions stand.
final class Behaviour {
    var answer: (Session, borrowing Packet) -> Void = Behaviour.echo
    var sessionEnded: () -> Void = {}

    static func echo(_ session: Session, _ packet: borrowing Packet) {
        session.reply(to: packet, data: packet.data)
    }

    func serve(_ session: Session) {
        session.onPacket { session, packet in self.answer(session, packet) }
        session.onClose { _, reason in
            show("server's session", "\(reason)")
            self.sessionEnded()
        }
    }
}

// MARK: - What the client reports

/// What a client has reported so far.
final class StateLog {
    private(set) var states: [ClientState] = []
    /// The delays that the client announced, and those that followed, as measured.
    private(set) var announced: [Duration] = []
    private(set) var measured: [Duration] = []
    private var lastChange = ContinuousClock.now
    private var isReached: (() -> Bool)?
    private var completion: (() -> Void)?

    func follow(_ client: Client) {
        client.onStateChange { _, state in self.add(state) }
    }

    private func add(_ state: ClientState) {
        let time = ContinuousClock.now - lastChange
        lastChange += time
        if announced.count > measured.count {
            measured.append(time)
            show("client", "\(state.line), after \(milliseconds(time)) ms")
        } else {
            show("client", state.line)
        }
        if case .waiting(let delay, _) = state { announced.append(delay) }
        states.append(state)
        check()
    }

    /// Calls `completion` as soon as `isReached`, which a new state, or `check()`, may bring about.
    func wait(
        until isReached: @autoclosure @escaping () -> Bool, then completion: @escaping () -> Void
    ) {
        self.isReached = isReached
        self.completion = completion
        check()
    }

    func check() {
        guard isReached?() == true else { return }
        let completion = completion
        isReached = nil
        self.completion = nil
        completion?()
    }

    /// Whether each delay lasted about as long as it was to. It begins before it is announced, and
    /// a busy machine may let the process wait in between.
    var keptEveryDelay: Bool {
        zip(measured, announced).allSatisfy { $0 * 2 >= $1 }
    }
}
