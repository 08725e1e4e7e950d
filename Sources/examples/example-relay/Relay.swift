// What becomes of a request: it is sent on or waits its turn, and is answered or told why not.
import Tron

/// Why a request has no answer from the backend: the one byte of data of a packet of `category`.
enum Failure: UInt8 {
    case connectionLost = 1
    case timedOut = 2
    case notSent = 3
    case answerNotUnderstood = 4

    static let category: UInt8 = 255

    init(_ error: RequestError) {
        switch error {
        case .connectionLost: self = .connectionLost
        case .timedOut: self = .timedOut
        default: self = .notSent
        }
    }
}

/// Joins the peers' sessions to the backend. All of it runs on the reactor's thread.
///
/// Back pressure: a request for which the backend has no room is held, and its session does not
/// read until it is sent. So each session has at most one; they are sent in the order in which they
/// came, and none is refused for want of room.
final class Relay {
    static let maximumDataLength = 64 << 10
    /// Requests that wait for an answer or for a connection: copied, they take 64 MiB.
    private static let maximumPending = 1024

    private let reactor: Reactor
    private let address: SocketAddress
    private let timeout: Duration
    private var held: [(ReplyAddress, OwnedPacket)] = []
    private(set) var answered = 0
    private(set) var failed = 0

    init(to address: SocketAddress, on reactor: Reactor, timeout: Duration) {
        self.reactor = reactor
        self.address = address
        self.timeout = timeout
        backend.onStateChange { [self] _, state in
            say("backend: \(state)")
            sendHeld()
        }
    }

    private lazy var backend = {
        var options = ClientOptions()
        options.session.limits.maximumDataLength = Self.maximumDataLength
        options.maximumPendingRequests = Self.maximumPending
        options.maximumCopiedRequests = Self.maximumPending
        // One request that takes too long must not cost the others their connection.
        options.timeoutsBeforeReconnect = 8
        let backoff = Backoff(initial: .milliseconds(100), cap: .seconds(5), jitter: .equal)
        return reactor.makeClient(to: [address], reconnecting: backoff, options: options) {
            [self] session in
            session.onWritabilityChange { [self] _, isWritable in if isWritable { sendHeld() } }
        }
    }()

    /// Whether one more request goes to the backend at once, or waits for a connection.
    private var hasRoom: Bool {
        backend.pendingRequestCount < Self.maximumPending && backend.session?.isWritable != false
    }

    /// Takes a request. From here on its answer is owed: a drain waits for it.
    func take(_ packet: borrowing Packet, of session: Session) {
        guard packet.sequence >= 0, packet.category != Failure.category else {
            return session.close()
        }
        let address = session.replyAddress(of: packet)
        if held.isEmpty && hasRoom { return send(packet.data, for: address) }
        held.append((address, packet.copy()))
        session.pauseReading()
    }

    private func sendHeld() {
        while !held.isEmpty && hasRoom {
            let (address, packet) = held.removeFirst()
            guard let session = reactor.session(address.session) else { continue }
            send(packet.data.span.bytes, for: address)
            session.resumeReading()
        }
    }

    private func send(_ data: RawSpan, for address: ReplyAddress) {
        backend.request(category: address.category, data: data, timeout: timeout) {
            [self] outcome in
            switch outcome {
            case .answered(let answer) where answer.category != Failure.category:
                answered += 1
                var address = address
                address.category = answer.category
                reactor.reply(to: address, data: answer.data)
            case .answered: tell(.answerNotUnderstood, to: address)
            case .failed(let error): tell(Failure(error), to: address)
            }
            sendHeld()
        }
    }

    private func tell(_ failure: Failure, to address: ReplyAddress) {
        failed += 1
        var address = address
        address.category = Failure.category
        reactor.reply(to: address, data: [failure.rawValue])
    }
}
