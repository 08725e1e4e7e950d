// What other nodes published: taken apart, in its order, and what is missing told.
import Tron

extension Node {
    func receive(_ payload: RawSpan, of subscription: Int) {
        guard payload.byteCount > 0 else {
            counters.malformed += 1
            return
        }
        let data = payload.extracting(droppingFirst: 1)
        var input = ByteReader(payload)
        let kind = try? input.readByte()
        if subscription == Self.nodesSubscription { return takeWord(kind, data) }
        // Nobody here has subscribed any more.
        guard let topic = subscribed[subscription] else { return }
        guard let name = Self.readTopic(&input), name == topic.name else {
            counters.malformed += 1
            return
        }
        switch kind {
        case NodeWord.message: takeMessage(&input, data, topic)
        case NodeWord.loss: takeLoss(&input, topic)
        default: counters.malformed += 1
        }
    }

    private func takeMessage(_ input: inout ByteReader, _ data: RawSpan, _ topic: Topic) {
        guard let position = try? Position(&input), input.remainingCount <= NodeLimits.text,
            position.publisher != options.identity.id
        else {
            counters.malformed += 1
            return
        }
        counters.received += 1
        switch topic.incoming[position.publisher]?.take(position) {
        case nil:
            guard topic.incoming.count < NodeTable.capacity else {
                counters.malformed += 1
                return
            }
            topic.incoming[position.publisher] = IncomingStream(position)
        case .next: break
        case .afterHole(let hole): tellLoss(hole, position.publisher, position.epoch, topic)
        case .late:
            counters.late += 1
            return
        }
        deliver(data, on: topic)
    }

    private func takeLoss(_ input: inout ByteReader, _ topic: Topic) {
        guard let loss = try? Gap(&input), loss.reason == .lost, input.isAtEnd,
            loss.first <= loss.last, loss.first > 0
        else {
            counters.malformed += 1
            return
        }
        if topic.incoming[loss.publisher] != nil {
            guard let hole = topic.incoming[loss.publisher]?.takeLoss(loss) else { return }
            return tellLoss(hole, loss.publisher, loss.epoch, topic)
        }
        guard topic.incoming.count < NodeTable.capacity else {
            counters.malformed += 1
            return
        }
        let last = Position(publisher: loss.publisher, epoch: loss.epoch, sequence: loss.last)
        topic.incoming[loss.publisher] = IncomingStream(last)
        tellLoss(loss.first...loss.last, loss.publisher, loss.epoch, topic)
    }

    private func tellLoss(
        _ hole: ClosedRange<UInt64>, _ publisher: UInt64, _ epoch: UInt64, _ topic: Topic
    ) {
        let gap = Gap(
            reason: .lost, publisher: publisher, epoch: epoch, first: hole.lowerBound,
            last: hole.upperBound)
        tell(gap, on: topic)
    }
}
