// The client of a NATS server, on Tron's own client: what it holds, and how it is made.
import Tron

/// One link to a NATS server, made again whenever it is lost, with its subscriptions. It belongs to
/// the reactor's thread.
///
/// Bounded: what waits for the broker by `maximumPublishedBytes`, what comes from it by
/// `BrokerLimits`. The link is never paused.
final class Broker {
    /// Bytes that may wait for the broker: a second's worth of a fast link. Beyond it publishing is
    /// refused, and told.
    static let maximumPublishedBytes = 8 << 20
    /// Room for what is no message: 20,000 subscriptions of the longest subjects.
    private static let maximumControlBytes = 8 << 20

    /// A connection's way. Nothing is published before the server has answered: then it has taken
    /// CONNECT, and knows the subscriptions.
    enum Phase {
        case away
        case greeting(Session)
        case confirming(Session)
        case ready(Session)

        var session: Session? {
            switch self {
            case .away: nil
            case .greeting(let session), .confirming(let session), .ready(let session): session
            }
        }
    }

    let reactor: Reactor
    let options: BrokerOptions
    let onEvent: (BrokerEvent) -> Void
    /// Called with the number of a subscription and a payload, which is valid as long as it runs.
    let onMessage: (Int, RawSpan) -> Void
    var client: Client?
    var phase = Phase.away
    var info = ServerInfo()
    /// In the order in which they are tried.
    var servers: [SocketAddress]
    var subscriptions: [Int: [UInt8]] = [:]
    var confirmations = Confirmations()
    var hasLeft = false
    var isMoving = false
    /// Whether it was told, since there was a link, that there is no server.
    var isTold = false

    init(
        _ options: BrokerOptions, on reactor: Reactor, onEvent: @escaping (BrokerEvent) -> Void,
        onMessage: @escaping (Int, RawSpan) -> Void
    ) {
        self.reactor = reactor
        self.options = options
        self.onEvent = onEvent
        self.onMessage = onMessage
        servers = options.servers.shuffled()
        connect()
        reactor.schedule(after: options.pingInterval, repeating: options.pingInterval) { [self] in
            if case .ready = phase, confirmations.isIdle { ping() }
        }
    }

    var isReady: Bool { if case .ready = phase { true } else { false } }

    /// Bytes that wait for the broker.
    var waitingBytes: Int { phase.session?.queuedBytes ?? 0 }

    private func connect() {
        let client = reactor.makeClient(
            to: servers, reconnecting: options.backoff, options: clientOptions
        ) { [self] session in
            greet(session)
        }
        self.client = client
        client.onStateChange { [self] client, state in changed(client, state) }
    }

    private func changed(_ client: Client, _ state: ClientState) {
        if case .waiting = state, case .unreachable(let error) = client.lastFailure, !isTold {
            isTold = true
            onEvent(.unreachable("\(error)"))
        }
        // What a kernel says for good of one address need not hold for ever.
        if case .gaveUp = state { connectLater() }
    }

    /// Begins anew after the longest delay.
    private func connectLater() {
        client?.close()
        reactor.schedule(after: options.backoff.cap) { [self] in if !hasLeft { connect() } }
    }

    /// The server's answers to this end's PINGs are what is heard at least.
    private var clientOptions: ClientOptions {
        var client = ClientOptions()
        client.connectTimeout = .seconds(2)
        // A server greets, too, whom it then refuses.
        client.proof = .confirmation
        client.session.idle.read = options.pingInterval + options.patience
        client.session.limits.maximumDataLength = BrokerLimits.frame
        client.session.limits.maximumQueuedBytes =
            Self.maximumPublishedBytes + Self.maximumControlBytes
        return client
    }
}
