// Somebody with a session at a node: asks, and keeps what is told.
import Tron

/// A session's far side, in the demonstration.
final class Person {
    let name: String
    private(set) var texts: [String] = []
    private(set) var gaps: [Gap] = []
    private(set) var isSentAway = false
    private let address: SocketAddress
    private let reactor: Reactor
    private(set) lazy var client = reactor.makeClient(to: [address]) { [unowned self] session in
        session.onPacket { [unowned self] _, packet in hear(packet) }
    }

    init(_ name: String, at address: SocketAddress, on reactor: Reactor) {
        self.name = name
        self.address = address
        self.reactor = reactor
    }

    private func hear(_ packet: borrowing Packet) {
        var input = ByteReader(packet.data)
        switch packet.category {
        case Category.message: hearMessage(&input)
        case Category.gap: hearGap(&input)
        case Category.goodbye:
            isSentAway = true
            show(name, "is told that the node ends, and would go to another")
            client.close()
        default: break
        }
    }

    private func hearMessage(_ input: inout ByteReader) {
        guard let topic = Node.readTopic(&input), let position = try? Position(&input) else {
            return
        }
        texts.append(input.remaining.text)
        let topicText = String(decoding: topic, as: UTF8.self)
        show(name, "hears \(input.remaining.text) (\(topicText), \(position.sequence))")
    }

    private func hearGap(_ input: inout ByteReader) {
        guard Node.readTopic(&input) != nil, let gap = try? Gap(&input) else { return }
        gaps.append(gap)
        switch gap.reason {
        case .lost: show(name, "is told: messages \(gap.first) to \(gap.last) did not come")
        case .linkLost: show(name, "is told: the broker was away, and more may be missing")
        case .publisherGone: show(name, "is told: a node ended, and more may be missing")
        case .slow: show(name, "is told: \(gap.last) messages were too much at once")
        }
    }

    nonisolated(nonsending) func subscribe(to topic: String) async throws {
        var data: [UInt8] = []
        data.append(lengthAnd: Array(topic.utf8))
        let outcome = try await ask(Category.subscribe, data)
        show(name, "subscribes to \(topic): \(outcome)")
    }

    @discardableResult
    nonisolated(nonsending) func publish(_ text: String, to topic: String) async throws -> Outcome {
        var data: [UInt8] = []
        data.append(lengthAnd: Array(topic.utf8))
        data += text.utf8
        let outcome = try await ask(Category.publish, data)
        show(name, "says \(text): \(outcome)")
        return outcome
    }

    nonisolated(nonsending) private func ask(_ category: UInt8, _ data: [UInt8]) async throws
        -> Outcome
    {
        let answer = try await client.request(category: category, data: data)
        guard let outcome = answer.data.first.flatMap(Outcome.init) else {
            throw StepFailure(description: "\(name) was answered \(answer.data)")
        }
        return outcome
    }
}
