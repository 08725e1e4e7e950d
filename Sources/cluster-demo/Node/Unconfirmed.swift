// What this node published and the broker may not have: asked for, or told to others as lost.
import Tron

/// The topics of which the broker may not have all.
///
/// The broker is asked with a PING behind what was published, one at a time. What it may not have
/// when a link is lost, and what was published without one, is told to the other nodes as a loss
/// once there is a link: they know which of it has come.
///
/// Invariant: a topic whose stream `isListed` is once in `listed`, one whose stream has a
/// `lossPlace` is there in `lossy`, and none is in both.
struct Unconfirmed {
    /// Published to since the broker was last asked.
    private(set) var listed: [Topic] = []
    /// Those of which a loss is to be told.
    private(set) var lossy: [Topic] = []
    /// Those the broker is being asked for.
    private(set) var asked: [Topic] = []
    /// From the moment that it is decided to ask until the answer.
    var isAsking = false

    var isEmpty: Bool { listed.isEmpty && lossy.isEmpty }

    /// Something of it is on its way to the broker.
    mutating func list(_ topic: Topic) {
        // The loss, which is told later, tells of this as well.
        if topic.outgoing.isListed || topic.outgoing.hasLoss { return }
        topic.outgoing.isListed = true
        listed.append(topic)
    }

    /// Something of it did not go there, or may not have.
    mutating func addLossy(_ topic: Topic) {
        if topic.outgoing.hasLoss { return }
        if topic.outgoing.isListed { listed.removeAll { $0 === topic } }
        topic.outgoing.isListed = false
        topic.outgoing.lossPlace = lossy.count
        lossy.append(topic)
    }

    /// One of those of which a loss is to be told.
    var nextLossy: Topic? { lossy.last }

    /// Its loss has been told; the broker is to be asked for that.
    mutating func lossIsTold(of topic: Topic) {
        guard let place = topic.outgoing.lossPlace, let last = lossy.popLast() else { return }
        if place < lossy.count {
            lossy[place] = last
            last.outgoing.lossPlace = place
        }
        topic.outgoing.lossPlace = nil
        list(topic)
    }

    mutating func ask() {
        asked = listed
        listed = []
        for topic in asked {
            topic.outgoing.isListed = false
            topic.outgoing.ask()
        }
    }

    mutating func takeAsked() -> [Topic] {
        isAsking = false
        defer { asked = [] }
        return asked
    }

    /// What was said on it may be lost.
    mutating func linkIsLost() {
        let topics = listed
        listed = []
        for topic in topics {
            topic.outgoing.isListed = false
            addLossy(topic)
        }
    }
}

extension Node {
    /// A message was published on the topic: to the broker, or in vain.
    func published(on topic: Topic, isLost: Bool) {
        if isLost { unconfirmed.addLossy(topic) } else { unconfirmed.list(topic) }
        askSoon()
    }

    /// Once for all that is published in a turn.
    func askSoon() {
        guard broker.isReady, !unconfirmed.isAsking, !unconfirmed.isEmpty else { return }
        unconfirmed.isAsking = true
        reactor.callSoon { [self] in
            tellLosses()
            unconfirmed.ask()
            broker.confirm { [self] isConfirmed in answered(isConfirmed) }
        }
    }

    private func answered(_ isConfirmed: Bool) {
        for topic in unconfirmed.takeAsked() {
            if isConfirmed {
                topic.outgoing.confirm()
                idleTopics.update(topic)
            } else {
                unconfirmed.addLossy(topic)
            }
        }
        askSoon()
    }

    /// As many as may be told at a time, and as the broker takes.
    private func tellLosses() {
        for _ in 0..<NodeLimits.lossesAtATime {
            guard let topic = unconfirmed.nextLossy, tellLoss(of: topic) else { return }
        }
    }

    /// Whether nothing of it is to be told as lost before more of it is published: whoever hears of
    /// a publisher for the first time begins with what it hears.
    func lossIsTold(of topic: Topic) -> Bool { !topic.outgoing.hasLoss || tellLoss(of: topic) }

    /// Calls `completion` when no loss is left to tell, or there is no link to tell it on.
    func tellAllLosses(_ completion: @escaping () -> Void) {
        guard broker.isReady, unconfirmed.nextLossy != nil else { return completion() }
        tellLosses()
        broker.confirm { [self] _ in tellAllLosses(completion) }
    }

    private func tellLoss(of topic: Topic) -> Bool {
        let stream = topic.outgoing
        let loss = Gap(
            reason: .lost, publisher: options.identity.id, epoch: stream.epoch,
            first: stream.confirmed + 1, last: stream.last)
        let data = [UInt8](loss, on: topic.name)
        guard broker.publish(to: topic.subject, NodeWord.loss, data) == .sent else { return false }
        unconfirmed.lossIsTold(of: topic)
        return true
    }
}
