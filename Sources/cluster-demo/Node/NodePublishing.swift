// What sessions publish: to the subscribers here first, and then to the broker.
import Tron

extension Node {
    func publish(_ packet: borrowing Packet, _ subscriber: Subscriber) {
        let session = subscriber.session
        var input = ByteReader(packet.data)
        guard let name = Self.readTopic(&input), input.remainingCount <= NodeLimits.text else {
            return answer(packet, .malformed, session)
        }
        guard let topic = topic(name) else { return answer(packet, .tooManyTopics, session) }
        let mayForward = lossIsTold(of: topic)
        let position = Position(
            publisher: options.identity.id, epoch: topic.outgoing.epoch,
            sequence: topic.outgoing.next())
        idleTopics.update(topic)
        let data = [UInt8](message: position, on: name, text: input.remaining)
        counters.published += 1
        let receivers = unsafe deliver(data.span.bytes, on: topic)
        let outcome = mayForward ? forward(data, of: topic) : notForwarded
        let answer = session.reply(to: packet, capacity: 1 + Position.length + 4) { output in
            output.writeByte(outcome.rawValue)
            output.writeInteger(position.publisher)
            output.writeInteger(position.epoch)
            output.writeInteger(position.sequence)
            output.writeInteger(UInt32(clamping: receivers))
        }
        endIfRefused(answer, session)
    }

    /// A topic's loss waits to be told, and tells of what is published behind it, too.
    private var notForwarded: Outcome { broker.isReady ? .congested : .notConnected }

    private func forward(_ data: [UInt8], of topic: Topic) -> Outcome {
        let outcome: Outcome
        switch broker.publish(to: topic.subject, NodeWord.message, data) {
        case .sent: outcome = .done
        case .notConnected: outcome = .notConnected
        case .congested, .tooLong: outcome = .congested
        }
        if outcome == .done { counters.forwarded += 1 }
        published(on: topic, isLost: outcome != .done)
        return outcome
    }
}

// MARK: - To the subscribers of a topic

extension Node {
    /// Queues a message for all of them, encoded once. For how many.
    @discardableResult
    func deliver(_ data: RawSpan, on topic: Topic) -> Int {
        topic.sent.messages += 1
        let counts = topic.group.send(category: Category.message, data: data) {
            [self] session, outcome in
            refused(session, outcome, topic, Topic.Sent(messages: 1))
        }
        counters.delivered += counts.queued
        return counts.queued
    }

    func tell(_ gap: Gap, on topic: Topic) {
        topic.sent.gaps += 1
        counters.gaps += 1
        topic.group.send(category: Category.gap, data: [UInt8](gap, on: topic.name)) {
            [self] session, outcome in
            refused(session, outcome, topic, Topic.Sent(gaps: 1))
        }
    }

    /// One that closes is told of nothing more. One that does not read is told once it does.
    private func refused(
        _ session: Session, _ outcome: SendOutcome, _ topic: Topic, _ missing: Topic.Sent
    ) {
        guard outcome == .overflow, let subscriber = subscribers[session.id] else { return }
        subscriber.fallBehind(on: topic, missing: missing)
        counters.fellBehind += 1
        // To have been answered false is what its word of writability follows from.
        if session.isWritable { reactor.callSoon { [self] in catchUp(subscriber) } }
    }

    func catchUp(_ subscriber: Subscriber) {
        guard subscriber.isBehind else { return }
        counters.dropped += Int(subscriber.catchUp())
        if subscriber.isBehind, subscriber.session.isWritable {
            reactor.callSoon { [self] in catchUp(subscriber) }
        }
    }
}
