// What a node says to the broker: subscriptions, messages, questions whether they have come.
import Tron

extension Broker {
    /// Subscribes under a number that is in no other use, now or as soon as there is a link.
    func subscribe(to subject: [UInt8], as number: Int) {
        subscriptions[number] = subject
        switch phase {
        case .away, .greeting: break
        case .confirming(let session), .ready(let session):
            sendSubscription(number, subject, session)
        }
    }

    /// What is on its way may still come.
    func unsubscribe(_ number: Int) {
        guard subscriptions.removeValue(forKey: number) != nil else { return }
        switch phase {
        case .away, .greeting: break
        case .confirming(let session), .ready(let session):
            session.send(bytes: "UNSUB \(number)\r\n")
        }
    }

    func sendSubscription(_ number: Int, _ subject: [UInt8], _ session: Session) {
        session.send(bytesCapacity: subject.count + 32) { output in
            output.write("SUB ")
            output.write(subject)
            output.write(" ")
            output.writeDecimal(number)
            output.write("\r\n")
        }
    }

    /// Publishes a byte and bytes behind it.
    func publish(to subject: [UInt8], _ kind: UInt8, _ data: [UInt8]) -> Publishing {
        guard case .ready(let session) = phase else { return .notConnected }
        let count = data.count + 1
        guard count <= info.maximumPayload else { return .tooLong }
        let capacity = subject.count + count + 32
        guard session.queuedBytes + capacity <= Self.maximumPublishedBytes else {
            return .congested
        }
        let outcome = session.send(bytesCapacity: capacity) { output in
            output.write("PUB ")
            output.write(subject)
            output.write(" ")
            output.writeDecimal(count)
            output.write("\r\n")
            output.writeByte(kind)
            output.write(data)
            output.write("\r\n")
        }
        return outcome.isQueued ? .sent : .notConnected
    }

    /// Calls `completion` once the broker has dealt with all that was said before, with true; or
    /// with false when the link is lost before, or there is none. Never before this returns.
    func confirm(_ completion: @escaping (Bool) -> Void) {
        guard case .ready = phase else {
            reactor.callSoon { completion(false) }
            return
        }
        let isIdle = confirmations.isIdle
        confirmations.add(completion)
        if isIdle { ping() }
    }

    func ping() {
        guard let session = phase.session else { return }
        confirmations.asked()
        session.send(bytes: "PING\r\n")
    }

    /// Ends the link once all that was said has reached the broker, or can reach it no more.
    func leave(_ completion: @escaping () -> Void) {
        confirm { [self] _ in
            hasLeft = true
            client?.close()
            completion()
        }
    }
}

/// What waits for the broker's answer to a PING. One PING at a time is on its way: what is asked
/// for meanwhile shares the next.
struct Confirmations {
    private var underWay: [(Bool) -> Void]?
    private var waiting: [(Bool) -> Void] = []

    var isIdle: Bool { underWay == nil }

    var isAnyWaiting: Bool { !waiting.isEmpty }

    mutating func add(_ call: @escaping (Bool) -> Void) { waiting.append(call) }

    mutating func asked() {
        underWay = waiting
        waiting = []
    }

    mutating func answered() -> [(Bool) -> Void] { underWay.take() ?? [] }

    mutating func lost() -> [(Bool) -> Void] {
        defer { waiting = [] }
        return (underWay.take() ?? []) + waiting
    }
}
