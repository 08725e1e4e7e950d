// A node: its sessions and their topics, and what of it goes to other nodes.
import Tron

/// One of many processes that serve one crowd of sessions. It belongs to the reactor's thread.
///
/// What it promises: a message reaches each subscriber at most once, and a publisher's messages on
/// a topic in their order; what does not reach a subscriber, it is told of as a gap.
final class Node {
    let options: NodeOptions
    let reactor: Reactor
    private let onEvent: (NodeEvent) -> Void
    private(set) lazy var broker = Broker(
        options.broker, on: reactor,
        onEvent: { [weak self] event in self?.brokerChanged(event) },
        onMessage: { [weak self] subscription, payload in self?.receive(payload, of: subscription) }
    )

    var counters = NodeCounters()
    var topics: [[UInt8]: Topic] = [:]
    /// Those of them that may be forgotten.
    var idleTopics = IdleTopics()
    /// Those with subscribers here, by the number of their subscription.
    var subscribed: [Int: Topic] = [:]
    var nextSubscription = 1
    /// Each topic's stream has an epoch of its own.
    var nextEpoch: UInt64
    var subscribers: [SessionID: Subscriber] = [:]
    var nodes = NodeTable()
    /// When the broker was last there anew: nobody is silent from before.
    var linkedSince = Duration.zero
    /// Whether it is about to tell of itself to those who appeared.
    var isAnswering = false
    var isLeaving = false
    var unconfirmed = Unconfirmed()

    /// The subscription to what nodes tell of themselves.
    static let nodesSubscription = 0

    init(
        _ options: NodeOptions, on reactor: Reactor,
        onEvent: @escaping (NodeEvent) -> Void = { _ in }
    ) {
        self.options = options
        self.reactor = reactor
        self.onEvent = onEvent
        nextEpoch = options.identity.epoch
        broker.subscribe(to: Subject.nodes(under: options.prefix), as: Self.nodesSubscription)
        beginPresence()
    }

    func report(_ event: NodeEvent) { onEvent(event) }

    private func brokerChanged(_ event: BrokerEvent) {
        report(.broker(event))
        switch event {
        case .ready:
            linkedSince = reactor.uptime
            sayPresent()
            for topic in subscribed.values { tell(Gap(reason: .linkLost), on: topic) }
            askSoon()
        case .lost: unconfirmed.linkIsLost()
        case .unreachable, .complaint, .leaving, .unusable: break
        }
    }
}

// MARK: - Sessions

extension Node {
    /// What a server's setup is for each of its sessions.
    func admit(_ session: Session) {
        let subscriber = Subscriber(session)
        subscribers[session.id] = subscriber
        let id = session.id
        session.onPacket { [self] _, packet in take(packet, of: subscriber) }
        session.onWritabilityChange { [self] _, isWritable in
            if isWritable { catchUp(subscriber) }
        }
        session.onDrain { session in session.send(category: Category.goodbye, data: "") }
        session.onClose { [self] _, _ in
            counters.dropped += Int(subscriber.missedMessages)
            for topic in subscriber.topics.values { leave(topic, subscriber) }
            subscribers[id] = nil
        }
    }

    /// Who asks nothing that has an answer does not speak this protocol.
    private func take(_ packet: borrowing Packet, of subscriber: Subscriber) {
        guard packet.sequence >= 0 else { return subscriber.session.close() }
        switch packet.category {
        case Category.subscribe: subscribe(packet, subscriber)
        case Category.unsubscribe: unsubscribe(packet, subscriber)
        case Category.publish: publish(packet, subscriber)
        case Category.presence: answerPresence(packet, subscriber.session)
        default: answer(packet, .malformed, subscriber.session)
        }
    }

    func answer(_ packet: borrowing Packet, _ outcome: Outcome, _ session: Session) {
        endIfRefused(session.reply(to: packet, data: [outcome.rawValue]), session)
    }

    /// Nobody waits in vain for an answer that could not be queued: the session ends for it, and
    /// its client knows what the end of a connection means.
    func endIfRefused(_ answer: SendOutcome, _ session: Session) {
        if answer == .queued || answer == .closed { return }
        counters.unanswered += 1
        session.close()
    }

    /// Nil where the data is not just that.
    func topicName(_ packet: borrowing Packet) -> [UInt8]? {
        var input = ByteReader(packet.data)
        let name = Self.readTopic(&input)
        return input.isAtEnd ? name : nil
    }

    /// Nil where there is none.
    static func readTopic(_ input: inout ByteReader) -> [UInt8]? {
        guard let length = try? input.readByte(), 1...NodeLimits.topic ~= Int(length),
            let name = try? input.readText(length)
        else { return nil }
        return Array(name.utf8)
    }
}
