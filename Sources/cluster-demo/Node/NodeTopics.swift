// A node's topics: who subscribes to them, and which the broker has to know.
import Tron

extension Node {
    /// Answered once the broker has the subscription: what is published anywhere after the answer
    /// is delivered, or told as a gap.
    func subscribe(_ packet: borrowing Packet, _ subscriber: Subscriber) {
        let session = subscriber.session
        guard let name = topicName(packet) else { return answer(packet, .malformed, session) }
        guard let topic = join(name, subscriber) else {
            return answer(packet, .tooManyTopics, session)
        }
        guard let subscription = topic.subscription else { return }
        let address = session.replyAddress(of: packet)
        broker.confirm { [self] isConfirmed in
            let isThere = isConfirmed && subscribed[subscription] != nil
            let outcome = isThere ? Outcome.done : .notConnected
            reactor.reply(to: address, data: [outcome.rawValue])
        }
    }

    /// Nil when there is no room for it.
    private func join(_ name: [UInt8], _ subscriber: Subscriber) -> Topic? {
        if let topic = topics[name], subscriber.contains(topic) { return topic }
        guard subscriber.topics.count < NodeLimits.topicsPerSession,
            let topic = topic(name), makeSubscribed(topic)
        else { return nil }
        subscriber.add(topic)
        idleTopics.update(topic)
        return topic
    }

    /// False when as many are as may be.
    private func makeSubscribed(_ topic: Topic) -> Bool {
        if topic.subscription != nil { return true }
        guard subscribed.count < NodeLimits.subscribedTopics else { return false }
        topic.subscription = nextSubscription
        subscribed[nextSubscription] = topic
        broker.subscribe(to: topic.subject, as: nextSubscription)
        nextSubscription += 1
        return true
    }

    func unsubscribe(_ packet: borrowing Packet, _ subscriber: Subscriber) {
        guard let name = topicName(packet) else {
            return answer(packet, .malformed, subscriber.session)
        }
        let isDone = topics[name].map { leave($0, subscriber) } ?? false
        answer(packet, isDone ? .done : .notSubscribed, subscriber.session)
    }

    /// False where it had not subscribed. The last one to leave ends the broker's subscription.
    @discardableResult
    func leave(_ topic: Topic, _ subscriber: Subscriber) -> Bool {
        guard subscriber.remove(topic) else { return false }
        if topic.subscriberCount == 0, let subscription = topic.subscription {
            broker.unsubscribe(subscription)
            subscribed[subscription] = nil
            topic.subscription = nil
            topic.incoming = [:]
        }
        idleTopics.update(topic)
        return true
    }

    /// The topic, made where it is new, in the place of an idle one if need be; nil when as many
    /// are as may be.
    func topic(_ name: [UInt8]) -> Topic? {
        if let topic = topics[name] { return topic }
        if topics.count >= options.maximumTopics {
            guard let oldest = idleTopics.oldest else { return nil }
            idleTopics.remove(oldest)
            topics[oldest.name] = nil
        }
        let topic = Topic(
            name, subjects: options.prefix, group: reactor.makeGroup(), epoch: nextEpoch)
        nextEpoch += 1
        topics[name] = topic
        idleTopics.update(topic)
        return topic
    }
}
