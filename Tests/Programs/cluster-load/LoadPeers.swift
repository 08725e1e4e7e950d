// Those who subscribe, and those who publish.
import Tron

/// The categories of packets: see cluster-demo's Packets.swift.
enum Category {
    static let subscribe: UInt8 = 1
    static let publish: UInt8 = 3
    static let message: UInt8 = 16
    static let gap: UInt8 = 17
    static let goodbye: UInt8 = 18
}

/// A client that comes back soon, and not all at once.
private func makeClient(
    to address: SocketAddress, on reactor: Reactor, setup: @escaping (Session) -> Void
) -> Client {
    var options = ClientOptions()
    options.whileDisconnected = .fail
    options.timeoutsBeforeReconnect = nil
    options.session.deadAfter = .seconds(30)
    let backoff = Backoff(initial: .milliseconds(200), cap: .seconds(1), jitter: .full)
    return reactor.makeClient(
        to: [address], reconnecting: backoff, options: options, setup: setup)
}

private func topicData(_ topic: Int) -> [UInt8] {
    let name = Array("t\(topic)".utf8)
    return [UInt8(name.count)] + name
}

/// The number behind `t`.
private func readTopic(_ input: inout ByteReader) -> Int? {
    guard let length = try? input.readByte(), let name = try? input.readBytes(length),
        name.starts(with: "t")
    else { return nil }
    return try? Int(decimal: name.extracting(droppingFirst: 1))
}

/// Follows some topics, whatever happens to its connection.
final class LoadSubscriber {
    private let ledger: Ledger
    private var followings: [Int: Following] = [:]
    private let connect: (@escaping (Session) -> Void) -> Client
    private lazy var client = connect { [unowned self] session in begin(session) }
    private var isReading = true

    init(_ topics: [Int], _ address: SocketAddress, _ ledger: Ledger, on reactor: Reactor) {
        self.ledger = ledger
        connect = { makeClient(to: address, on: reactor, setup: $0) }
        for topic in topics { followings[topic] = Following(topic, ledger) }
        client.onStateChange { [unowned self] _, state in
            if state == .connected { for topic in followings.keys { subscribe(to: topic) } }
        }
    }

    var isFollowing: Bool { followings.values.allSatisfy(\.isFollowing) }

    var isSettled: Bool { followings.values.allSatisfy(\.isSettled) }

    var story: String {
        followings.values.filter { !$0.isSettled }.map(\.story).joined(separator: "; ")
    }

    private func begin(_ session: Session) {
        session.onPacket { [unowned self] session, packet in hear(packet, session) }
        session.onClose { [unowned self] _, _ in
            isReading = true
            for topic in followings.keys { followings[topic]?.connectionEnded() }
        }
    }

    /// Only of the connection on which it was asked.
    private func subscribe(to topic: Int) {
        let id = client.session?.id
        client.request(category: Category.subscribe, data: topicData(topic), timeout: .seconds(60))
        {
            [unowned self] outcome in
            guard case .answered(let packet) = outcome, client.session?.id == id else { return }
            if packet.data.equals([0]) || packet.data.equals([1]) {
                followings[topic]?.begin()
            } else {
                ledger.trouble =
                    ledger.trouble ?? "a subscription was answered \(packet.data.copy())"
            }
        }
    }

    private func hear(_ packet: borrowing Packet, _ session: Session) {
        var input = ByteReader(packet.data)
        if packet.category == Category.goodbye { return session.close() }
        guard let topic = readTopic(&input), followings[topic] != nil else {
            ledger.trouble = ledger.trouble ?? "a packet of category \(packet.category)"
            return
        }
        if packet.category == Category.gap {
            guard let reason = try? input.readByte(), let position = Position(&input),
                let last = try? input.readInteger(as: UInt64.self)
            else {
                ledger.trouble = "a gap that is none"
                return
            }
            followings[topic]?.hear(gap: reason, position, last: last)
        } else {
            guard let position = Position(&input),
                let digits = input.readBytes(upTo: UInt8(ascii: " ")),
                let number = try? Int(decimal: digits), number < ledger.count(of: topic)
            else {
                ledger.trouble = "a message that nobody published"
                return
            }
            followings[topic]?.hear(number, position)
        }
    }

    func stopReading() {
        isReading = false
        client.session?.pauseReading()
    }

    func readAgain() {
        if !isReading { client.session?.resumeReading() }
        isReading = true
    }

    func closeAccount() -> Account {
        var sum = Account()
        for topic in followings.keys {
            guard let account = followings[topic]?.closeAccount() else { continue }
            sum.owed += account.owed
            sum.delivered += account.delivered
            sum.told.add(account.told)
        }
        return sum
    }
}

/// Publishes on its topics, some messages at a time.
final class LoadPublisher {
    /// Messages whose answers have not come.
    private static let window = 128

    private let ledger: Ledger
    private let connect: (@escaping (Session) -> Void) -> Client
    private lazy var client = connect { [unowned self] session in begin(session) }
    private(set) var waiting = 0
    private var isLeaving = false

    init(_ address: SocketAddress, _ ledger: Ledger, on reactor: Reactor) {
        self.ledger = ledger
        connect = { makeClient(to: address, on: reactor, setup: $0) }
    }

    private func begin(_ session: Session) {
        isLeaving = false
        session.onPacket { [unowned self] session, packet in
            guard packet.category == Category.goodbye else { return }
            isLeaving = true
            session.close()
        }
    }

    var isIdle: Bool { waiting == 0 }

    /// False when it cannot now.
    func publish(_ topic: Int, length: Int) -> Bool {
        guard waiting < Self.window, !isLeaving, let session = client.session, session.isWritable
        else { return false }
        let number = ledger.publish(on: topic)
        let text = "\(number) " + String(repeating: "x", count: length)
        waiting += 1
        client.request(
            category: Category.publish, data: topicData(topic) + Array(text.utf8),
            timeout: .seconds(60)
        ) { [unowned self] outcome in
            waiting -= 1
            switch outcome {
            case .answered(let packet): take(packet, topic, number)
            case .failed: ledger.unanswered()
            }
        }
        return true
    }

    private func take(_ packet: borrowing Packet, _ topic: Int, _ number: Int) {
        var input = ByteReader(packet.data)
        guard let outcome = try? input.readByte(), let position = Position(&input) else {
            ledger.trouble = ledger.trouble ?? "an answer to a message that is none"
            return
        }
        ledger.answered(topic, number, outcome: outcome, position)
    }
}
