// A session and its topics; and what it misses while it does not read.
import Tron

/// A session as its node sees it.
final class Subscriber {
    let session: Session
    private(set) var topics: [ObjectIdentifier: Topic] = [:]
    /// While it is behind: what each topic had been sent before the first packet that it missed. Of
    /// a subscriber that is behind no topic's group has the session, so that it costs nothing.
    private var missedSince: [ObjectIdentifier: Topic.Sent]?

    init(_ session: Session) { self.session = session }

    var isBehind: Bool { missedSince != nil }

    func contains(_ topic: Topic) -> Bool { topics[ObjectIdentifier(topic)] != nil }

    func add(_ topic: Topic) {
        topics[ObjectIdentifier(topic)] = topic
        topic.subscriberCount += 1
        if isBehind {
            missedSince?[ObjectIdentifier(topic)] = topic.sent
        } else {
            topic.group.add(session)
        }
    }

    /// False where it had not subscribed.
    func remove(_ topic: Topic) -> Bool {
        guard topics.removeValue(forKey: ObjectIdentifier(topic)) != nil else { return false }
        topic.subscriberCount -= 1
        topic.group.remove(session)
        missedSince?[ObjectIdentifier(topic)] = nil
        return true
    }

    /// It did not take a packet of this topic, which counts as sent already; so it is sent nothing
    /// more until it has caught up.
    func fallBehind(on topic: Topic, missing: Topic.Sent) {
        guard missedSince == nil else { return }
        var since = topics.mapValues(\.sent)
        since[ObjectIdentifier(topic)]?.messages -= missing.messages
        since[ObjectIdentifier(topic)]?.gaps -= missing.gaps
        missedSince = since
        for topic in topics.values { topic.group.remove(session) }
    }

    /// Tells it what it missed, and has it sent what comes from now on; unless it does not take
    /// that either: then it stays behind.
    /// - Returns: how many messages it was told to have missed.
    func catchUp() -> UInt64 {
        var missed: UInt64 = 0
        for (id, since) in missedSince ?? [:] {
            guard let topic = topics[id] else { continue }
            let messages = topic.sent.messages - since.messages
            let gaps = topic.sent.gaps - since.gaps
            if messages + gaps > 0 {
                let gap = Gap(reason: .slow, first: gaps, last: messages)
                let data = [UInt8](gap, on: topic.name)
                guard session.send(category: Category.gap, data: data).isQueued else {
                    return missed
                }
            }
            missed += messages
            // Should the next topic's gap not be taken: this one is told.
            missedSince?[id] = topic.sent
        }
        missedSince = nil
        for topic in topics.values { topic.group.add(session) }
        return missed
    }

    /// What it would have been told to have missed, had it not ended.
    var missedMessages: UInt64 {
        (missedSince ?? [:]).reduce(0) { sum, entry in
            sum + (topics[entry.key].map { $0.sent.messages - entry.value.messages } ?? 0)
        }
    }
}
