// Clients that ask all the time, and count what they are answered before the server ends.
import Tron

/// Clients of one server, a connection each, on a reactor of their own.
final class Load {
    private final class Asker {
        var asked: Int32 = 0
        var answers: Set<Int32> = []
        var isBroken = false

        /// Whether the answered ones are the first ones.
        var hasGaps: Bool { answers != Set(0..<Int32(answers.count)) }
    }

    static let clients = 20
    static let enoughAnswers = 1000
    /// Something hangs when it takes longer. Nothing else is decided by time.
    private static let patience = Duration.seconds(40)

    private let reactor: Reactor
    private let address: SocketAddress
    private let question: Question
    private let onWork: @Sendable () -> Void
    private let onDeafness: (@Sendable () -> Void)?
    private let askers = (0..<Load.clients).map { _ in Asker() }
    private var open = Load.clients
    private var answered = 0
    private var problem: String?

    /// Asks until the server has ended all connections. `onWork` is called once, when the server
    /// is at work as `Question` says; after that `onDeafness` once, when it has stopped listening.
    static func run(
        _ question: Question, to address: SocketAddress, onWork: @escaping @Sendable () -> Void,
        onDeafness: (@Sendable () -> Void)? = nil
    ) async throws -> Outcome {
        let box = OutcomeBox()
        let service = ReactorService { reactor in
            let load = Load(question, address, reactor, onWork, onDeafness)
            load.begin { box.outcome = $0 }
        }
        try await service.run()
        return box.outcome
    }

    private init(
        _ question: Question, _ address: SocketAddress, _ reactor: Reactor,
        _ onWork: @escaping @Sendable () -> Void, _ onDeafness: (@Sendable () -> Void)?
    ) {
        self.question = question
        self.address = address
        self.reactor = reactor
        self.onWork = onWork
        self.onDeafness = onDeafness
    }

    private func begin(_ completion: @escaping (Outcome) -> Void) {
        let end = { [self] in
            completion(outcome)
            reactor.stop()
        }
        for asker in askers {
            reactor.connectOnce(to: address) { [self] result in
                switch result {
                case .success(let session): begin(session, asker, end)
                case .failure(let error): fail("\(error)", end)
                }
            }
        }
        reactor.schedule(after: Self.patience) { [self] in fail("it does not end", end) }
    }

    private func begin(_ session: Session, _ asker: Asker, _ end: @escaping () -> Void) {
        session.onPacket { [self] session, packet in take(packet, session, asker) }
        session.onClose { [self] _, reason in
            asker.isBroken = reason != .peerClosed
            open -= 1
            if open == 0 { end() }
        }
        switch question {
        case .sets(let count): for _ in 0..<count { ask(.set, session, asker) }
        case .setsThenGet(let count):
            for _ in 0..<count { ask(.set, session, asker) }
            ask(.get, session, asker)
        }
    }

    private func take(_ packet: borrowing Packet, _ session: Session, _ asker: Asker) {
        let isNew = asker.answers.insert(packet.sequence).inserted
        if !isNew || !(0..<asker.asked).contains(packet.sequence) {
            problem = "an answer to what was not asked, or a second one"
        }
        answered += 1
        if case .sets = question { ask(.set, session, asker) }
        guard answered == enough else { return }
        onWork()
        if let onDeafness { probe(onDeafness) }
    }

    /// Connects again and again until nobody listens.
    private func probe(_ onDeafness: @escaping @Sendable () -> Void) {
        reactor.connectOnce(to: address) { [self] result in
            switch result {
            case .success(let session):
                session.abort()
                reactor.schedule(after: .milliseconds(1)) { [self] in probe(onDeafness) }
            case .failure: onDeafness()
            }
        }
    }

    private var enough: Int {
        switch question {
        case .sets: Self.enoughAnswers
        case .setsThenGet: Self.clients
        }
    }

    private enum Category: UInt8 {
        case get = 1
        case set = 2
    }

    private func ask(_ category: Category, _ session: Session, _ asker: Asker) {
        let (length, key) = (UInt8(1), UInt8(asker.asked & 0xff))
        let outcome = session.send(
            sequence: asker.asked, category: category.rawValue, data: [length, key])
        if outcome.isQueued { asker.asked += 1 }
    }

    private func fail(_ what: String, _ end: () -> Void) {
        problem = problem ?? what
        end()
    }

    private var outcome: Outcome {
        var outcome = Outcome()
        for asker in askers {
            outcome.asked += Int(asker.asked)
            outcome.answered += asker.answers.count
            if asker.hasGaps { outcome.gaps += 1 }
            if asker.answers.count < asker.asked { outcome.unanswered += 1 }
            if asker.isBroken { outcome.broken += 1 }
        }
        outcome.problem = problem
        return outcome
    }
}
