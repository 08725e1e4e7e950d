// What clients, signals and other threads do while a call fails: scenarios of the fault matrix.
import Glibc

@testable import Tron

extension FaultScenario {
    static let clients = [
        FaultScenario(name: "dial", end: 400, begin: dial),
        FaultScenario(name: "client", end: 600, begin: client),
        FaultScenario(name: "client in vain", end: 300, begin: clientInVain),
    ]

    static let loops = [
        FaultScenario(name: "signals", end: 100, begin: signals),
        FaultScenario(name: "work from another thread", end: 100, begin: submission),
    ]

    /// One that is accepted, one that is refused, one that is given up.
    private static func dial(_ stage: FaultStage) {
        stage.listen()
        stage.at(1) {
            guard let server = stage.server else { return }
            dial(stage, "accepted", server.address) { session in
                session.onPacket { session, packet in session.close() }
                session.send(category: 1, data: "across")
            }
            dial(stage, "refused", .loopback(port: 1)) { _ in }
        }
        stage.at(100) {
            guard let server = stage.server else { return }
            dial(stage, "cancelled", server.address) { _ in }.cancel()
        }
    }

    @discardableResult
    private static func dial(
        _ stage: FaultStage, _ name: String, _ address: SocketAddress,
        _ setup: @escaping (Session) -> Void
    ) -> ConnectionAttempt {
        let ledger = stage.ledger
        ledger.promise("dial \(name)")
        guard let reactor = stage.reactor else { preconditionFailure("the reactor is gone") }
        return reactor.connectOnce(to: address, timeout: .milliseconds(200)) { result in
            switch result {
            case .success(let session):
                ledger.keep("dial \(name)", "connected")
                FaultStage.note(session, "session of dial \(name)", in: ledger)
                setup(session)
            case .failure(let error):
                ledger.keep("dial \(name)", "\(error)")
                if case .refused(let cause) = error { ledger.tell(.dialFails, cause.cause) }
            }
        }
    }

    /// Requests answered, timed out, lost, kept for the next connection, and refused at the end.
    private static func client(_ stage: FaultStage) {
        stage.listen { session, _ in
            session.onPacket { session, packet in
                if packet.text != "unanswered" { session.reply(to: packet, data: packet.data) }
            }
        }
        guard let server = stage.server, let reactor = stage.reactor else { return }
        var options = ClientOptions()
        options.timeoutsBeforeReconnect = nil
        options.connectTimeout = .milliseconds(100)
        let backoff = Backoff(initial: .milliseconds(20), multiplier: 1, attempts: 3)
        let client = reactor.makeClient(
            to: [server.address], reconnecting: backoff, options: options)
        stage.follow(client)
        stage.at(1) { stage.ask("first") }
        stage.at(100) { stage.ask("unanswered", for: .milliseconds(20)) }
        stage.at(150) {
            stage.ask("unanswered", as: "lost")
            stage.ask("repeated", isRepeatable: true)
        }
        stage.at(150) { stage.server?.forEachSession { $0.abort() } }
        stage.at(170) { stage.ask("kept") }
        stage.at(300) { stage.ask("last") }
        stage.at(350) { stage.client?.close() }
        stage.at(360) { stage.ask("refused") }
    }

    private static func clientInVain(_ stage: FaultStage) {
        guard let reactor = stage.reactor else { return }
        let backoff = Backoff(initial: .milliseconds(20), multiplier: 1, attempts: 3)
        let client = reactor.makeClient(
            to: [.loopback(port: 1), .loopback(port: 2)], reconnecting: backoff)
        stage.follow(client)
        stage.at(5) { stage.ask("in vain") }
    }

    private static func signals(_ stage: FaultStage) {
        // Ignored by default, and sent by no other test: every reactor that watches it is told.
        let signal = Signal(rawValue: SIGWINCH)
        let ledger = stage.ledger
        var isWatched = false
        do throws(SystemError) {
            try stage.reactor?.onSignal(signal) { _ in ledger.keep("signal", "received") }
            isWatched = stage.reactor != nil
        } catch {
            ledger.tell(.onSignalThrows, error)
        }
        stage.at(1) {
            guard isWatched else { return }
            ledger.promise("signal")
            TestSignals.raiseHere(SIGWINCH)
        }
        stage.afterwards = {
            if ledger.kept["signal"] == nil
                && ledger.told.contains(where: { $0.effect == .runThrows })
            {
                ledger.withdraw("signal")
            }
        }
    }

    /// The loop is about to sleep when it is handed over, and wakes for it.
    private static func submission(_ stage: FaultStage) {
        for round in 1...3 {
            stage.at(10 * round) {
                stage.kernel.beforeWait = { _ in
                    stage.kernel.beforeWait = { _ in }
                    submit(stage, "work \(round)")
                }
            }
        }
    }

    private static func submit(_ stage: FaultStage, _ name: String) {
        guard let remote = stage.reactor?.remote else { return }
        nonisolated(unsafe) let ledger = stage.ledger
        let kernel = stage.kernel
        let start = kernel.clock
        OtherThread.run {
            ledger.promise(name)
            let outcome = remote.submit { _ in
                ledger.keep(name, kernel.clock - start < 9_000_000 ? "soon" : "late")
            }
            if !outcome.isAccepted { ledger.keep(name, "refused") }
        }
    }
}

extension FaultStage {
    /// Notes what becomes of the client.
    func follow(_ client: Client) {
        self.client = client
        ledger.promise("client's end")
        let ledger = ledger
        client.onStateChange { client, state in
            switch state {
            case .gaveUp(.unreachable): ledger.keep("client's end", "gave up: unreachable")
            case .gaveUp, .closed: ledger.keep("client's end", "\(state)")
            default: break
            }
            let effect: FaultEffect = state.isFinal ? .clientGivesUp : .clientRetries
            guard state.isWaiting || state.isFinal, state != .closed else { return }
            switch client.lastFailure {
            case .unreachable(.refused(let error)): ledger.tell(effect, error.cause)
            case .lost(.system(let error)): ledger.tell(effect, error)
            default: break
            }
        }
    }

    func ask(
        _ text: String, as name: String? = nil, for timeout: Duration = .milliseconds(150),
        isRepeatable: Bool = false
    ) {
        let name = "request \(name ?? text)"
        guard let client else { return }
        ledger.promise(name)
        let ledger = ledger
        client.request(category: 1, data: text, timeout: timeout, isRepeatable: isRepeatable) {
            outcome in
            switch outcome {
            case .answered(let packet):
                ledger.keep(name, packet.text == text ? "answered" : "answered wrongly")
            case .failed(.connectionLost(let reason)): ledger.keep(name, "lost: \(reason.words)")
            case .failed(let error): ledger.keep(name, "\(error)")
            }
        }
    }
}
