// Nodes tell each other that they are there, and sessions who is.
import Tron

extension Node {
    func beginPresence() {
        let interval = options.presenceInterval
        reactor.schedule(after: interval, repeating: interval) { [self] in
            sayPresent()
            missSilentNodes()
        }
    }

    func sayPresent() {
        guard broker.isReady, !isLeaving else { return }
        say(NodeWord.present, [UInt8](presenceOf: options.identity, sessions: subscribers.count))
    }

    private func say(_ word: UInt8, _ data: [UInt8]) {
        _ = broker.publish(to: Subject.nodes(under: options.prefix), word, data)
    }

    /// Says that it goes, once all that it published is at the broker or told as lost, and ends the
    /// link. It publishes nothing afterwards. `completion` is called once that is done, or cannot
    /// be.
    func leave(_ completion: @escaping () -> Void) {
        isLeaving = true
        tellAllLosses { [self] in
            var data: [UInt8] = []
            data.append(integer: options.identity.id)
            data.append(integer: options.identity.epoch)
            say(NodeWord.leaving, data)
            broker.leave(completion)
        }
    }

    /// While there is no link, nobody can be heard.
    private func missSilentNodes() {
        guard broker.isReady else { return }
        let time = reactor.uptime - options.presenceTimeout
        guard time >= linkedSince else { return }
        for (id, record) in nodes.takeSilent(since: time) {
            report(.gone(name: record.name))
            tellGone(id, record.epoch)
        }
    }

    /// What it published last may be lost, also on topics of which nothing has come yet.
    private func tellGone(_ id: UInt64, _ epoch: UInt64) {
        for topic in subscribed.values {
            topic.incoming[id] = nil
            tell(Gap(reason: .publisherGone, publisher: id, epoch: epoch), on: topic)
        }
    }

    func takeWord(_ word: UInt8?, _ data: RawSpan) {
        var input = ByteReader(data)
        do throws(ByteReaderError) {
            let id = try input.readInteger(as: UInt64.self)
            let epoch = try input.readInteger(as: UInt64.self)
            switch word {
            case NodeWord.present:
                let sessions = try input.readInteger(as: UInt32.self)
                let name = try input.readText(input.readInteger(as: UInt8.self))
                guard let identity = NodeIdentity(name: name, epoch: epoch), identity.id == id
                else {
                    counters.malformed += 1
                    return
                }
                hear(identity, sessions: sessions)
            case NodeWord.leaving: hearLeaving(id, epoch)
            default: counters.malformed += 1
            }
        } catch {
            counters.malformed += 1
        }
    }

    private func hear(_ node: NodeIdentity, sessions: UInt32) {
        guard node.id != options.identity.id else { return report(.nameIsTaken) }
        let record = NodeRecord(
            name: node.name, epoch: node.epoch, sessions: sessions, heard: reactor.uptime)
        switch nodes.hear(node.id, record) {
        case .none: return
        case .appeared: report(.appeared(name: node.name))
        case .returned(let epoch):
            report(.returned(name: node.name))
            tellGone(node.id, epoch)
        }
        answerSoon()
    }

    /// Who is new is not to wait for those who are there already; one word is for all who come
    /// within a pause.
    private func answerSoon() {
        guard !isAnswering else { return }
        isAnswering = true
        reactor.schedule(after: NodeLimits.presencePause) { [self] in
            isAnswering = false
            sayPresent()
        }
    }

    private func hearLeaving(_ id: UInt64, _ epoch: UInt64) {
        guard let name = nodes.records[id]?.name, nodes.leave(id, epoch: epoch) else { return }
        report(.left(name: name))
        for topic in subscribed.values { topic.incoming[id] = nil }
    }

    func answerPresence(_ packet: borrowing Packet, _ session: Session) {
        var data = [Outcome.done.rawValue]
        data.append(integer: UInt16(nodes.records.count + 1))
        data += [UInt8](presenceOf: options.identity, sessions: subscribers.count)
        for (_, record) in nodes.records.sorted(by: { $0.value.name < $1.value.name }) {
            guard let node = NodeIdentity(name: record.name, epoch: record.epoch) else { continue }
            data += [UInt8](presenceOf: node, sessions: Int(record.sessions))
        }
        endIfRefused(session.reply(to: packet, data: data), session)
    }
}
