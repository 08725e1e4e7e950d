// One client: its requests, one at a time, and how long it is away when its connection ends.
import Tron

/// Asks, and asks again a little after each outcome. A request made while it is away waits for the
/// next connection.
final class RestartClient {
    private static let greeting: UInt8 = 9
    private static let backoff = Backoff(
        initial: .milliseconds(200), multiplier: 2, cap: .seconds(2), jitter: .equal)
    private static let connectTimeout = Duration.seconds(20)
    /// Longer than any absence that is within its bound.
    private static let requestTimeout = Duration.seconds(30)
    /// Between an outcome and the next request.
    private static let pause = Duration.milliseconds(60)

    /// The time from the end of its connection to the next welcome.
    private struct Absence {
        let start: Duration
        var attempts = 0
        /// What the backoff waits at most before these attempts, and what connecting may take.
        var bound = Duration.zero

        mutating func add(_ attempt: Int) {
            attempts += 1
            let delay = backoff.initial * (1 << min(attempt - 1, 16))
            bound += min(delay, backoff.cap) + connectTimeout
        }
    }

    private let number: Int
    private unowned let crowd: Crowd
    private var client: Client?
    private var nextRequest = 0
    private var isConnected = false
    private var isGreeted = false
    private var absence: Absence?

    init(_ number: Int, of crowd: Crowd, to address: SocketAddress) {
        self.number = number
        self.crowd = crowd
        var options = ClientOptions()
        options.connectTimeout = Self.connectTimeout
        // A request that is late is no failure of the connection here: that would be an absence.
        options.timeoutsBeforeReconnect = nil
        let client = crowd.reactor.makeClient(
            to: [address], reconnecting: Self.backoff, options: options
        ) { [unowned self] session in
            session.onPacket { [unowned self] _, packet in receive(packet) }
        }
        client.onStateChange { [unowned self] _, state in changed(to: state) }
        self.client = client
    }

    // MARK: Coming and going

    private func changed(to state: ClientState) {
        switch state {
        case .connected: isConnected = true
        case .waiting(_, let attempt): disconnected(before: attempt)
        case .connecting, .gaveUp, .closed: break
        }
    }

    private func disconnected(before attempt: Int) {
        if isGreeted {
            crowd.counts.lost += 1
            crowd.isAway()
        } else if isConnected {
            crowd.counts.neverGreeted += 1
        }
        (isConnected, isGreeted) = (false, false)
        var absence = absence ?? Absence(start: crowd.reactor.uptime)
        absence.add(attempt)
        self.absence = absence
    }

    private func receive(_ packet: borrowing Packet) {
        guard packet.category == Self.greeting, !isGreeted else {
            crowd.counts.failed["not asked for", default: 0] += 1
            return
        }
        isGreeted = true
        crowd.counts.greeted += 1
        if let absence = absence.take() {
            crowd.counts.add(
                crowd.reactor.uptime - absence.start, bound: absence.bound,
                attempts: absence.attempts)
        }
        crowd.isBack()
        if nextRequest == 0 { ask() }
    }

    // MARK: Requests

    private func ask() {
        guard !crowd.isEnding else { return }
        let sequence = nextRequest
        nextRequest += 1
        crowd.asks()
        let data = [UInt32(number), UInt32(sequence)].flatMap { field in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: field >> $0) }
        }
        client?.request(category: 1, data: data, timeout: Self.requestTimeout) { [self] outcome in
            switch outcome {
            case .answered(let packet) where packet.category == 1 && packet.data.equals(data):
                ended(sequence, failure: nil)
            case .answered: ended(sequence, failure: "wrong answer")
            case .failed(let error): ended(sequence, failure: "\(error)")
            }
        }
    }

    private func ended(_ sequence: Int, failure: String?) {
        crowd.ledger.write(client: number, number: sequence, isAnswered: failure == nil)
        if let failure {
            crowd.counts.failed[failure, default: 0] += 1
        } else {
            crowd.counts.answered += 1
        }
        crowd.reactor.schedule(after: Self.pause) { [self] in ask() }
        crowd.hasOutcome()
    }
}
