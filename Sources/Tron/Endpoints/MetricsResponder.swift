// How requests for metrics are answered, and how often.

/// Answers requests, on any number of connections.
struct MetricsResponder {
    // Handlers run within turns of the reactor, which therefore outlives them.
    private unowned let reactor: Reactor
    private let pace: MetricsPace
    private let timing: HandlerTiming

    init(of reactor: Reactor) {
        self.reactor = reactor
        pace = MetricsPace(of: reactor)
        timing = HandlerTiming(of: reactor)
    }

    func serve(_ session: Session) {
        var parser = HTTPRequestParser()
        session.onBytes { session, bytes in
            switch unsafe bytes.withUnsafeBytes({ unsafe parser.next($0) }) {
            case .needsMore: return 0
            case .request(let request, let length):
                // If it has to wait, the same bytes come again, to a parser that begins anew.
                guard pace.admits(session) else { return 0 }
                pace.measure { answer(request, on: session) }
                return length
            case .refused(let status):
                session.send(bytes: HTTPResponse(status).bytes(withBody: true, keepsAlive: false))
                session.close()
                return bytes.byteCount
            }
        }
    }

    private func answer(_ request: HTTPRequest, on session: Session) {
        let response = response(to: request)
        session.send(
            bytes: response.bytes(
                withBody: request.method != .head, keepsAlive: request.keepsAlive))
        if !request.keepsAlive { session.close() }
    }

    private func response(to request: HTTPRequest) -> HTTPResponse {
        if request.method == .other {
            var refusal = HTTPResponse(.methodNotAllowed)
            refusal.allow = "GET, HEAD"
            return refusal
        }
        return switch request.path {
        case "/metrics":
            HTTPResponse(
                .ok, contentType: ExpositionText.contentType, body: reactor.snapshot().metricsText)
        case "/healthz": HTTPResponse(.ok, body: [UInt8]("ok\n".utf8))
        default: HTTPResponse(.notFound)
        }
    }
}

/// Has the loop time handlers as long as it lives.
private final class HandlerTiming {
    private let record: LoopRecord
    private let observer = LoopObserver()

    init(of reactor: Reactor) {
        record = reactor.registry.record
        record.add(observer)
    }

    deinit { record.remove(observer) }
}

/// Lets requests be answered one at a time, in the order in which they came, with pauses between,
/// which are so long that the answers take a twentieth of the loop's time at most (more only where
/// one alone takes over 50 ms).
///
/// Invariant: the sessions in `waiting` do not read, and while there are any, a call of `admitNext`
/// is due.
final class MetricsPace {
    static let shortestPause: Int64 = 1_000_000
    /// So that one answer during which the thread did not run does not keep all others waiting.
    static let longestPause: Int64 = 1_000_000_000

    private unowned let reactor: Reactor
    private var waiting: [SessionID] = []
    /// The one whose turn it is.
    private var admitted: SessionID?
    /// When the pause after the last answer is over, which is the longer the more that one cost.
    private var pauseEnd: Int64 = 0

    init(of reactor: Reactor) { self.reactor = reactor }

    /// Whether the session's request is to be answered now; else the session stops reading, and is
    /// given what it has received again when its turn has come.
    func admits(_ session: Session) -> Bool {
        if admitted == session.id {
            admitted = nil
            return true
        }
        if waiting.isEmpty && reactor.registry.now >= pauseEnd { return true }
        session.pauseReading()
        waiting.append(session.id)
        if waiting.count == 1 { callLater() }
        return false
    }

    /// Begins the pause after an answer.
    func measure(_ answer: () -> Void) {
        let start = reactor.registry.kernel.now()
        answer()
        let end = reactor.registry.kernel.now()
        pauseEnd = end + max(Self.shortestPause, min(19 * (end - start), Self.longestPause))
    }

    private func callLater() {
        let left = max(0, pauseEnd - reactor.registry.kernel.now())
        reactor.schedule(after: .nanoseconds(left)) { self.admitNext() }
    }

    /// Those that have ended meanwhile are passed over.
    private func admitNext() {
        // The timer was set before the one who was then admitted had its answer.
        guard reactor.registry.kernel.now() >= pauseEnd else { return callLater() }
        let next = waiting.firstIndex { reactor.session($0)?.isOpen == true }
        admitted = next.map { waiting[$0] }
        waiting.removeFirst(next.map { $0 + 1 } ?? waiting.count)
        if let admitted { reactor.session(admitted)?.resumeReading() }
        if waiting.isEmpty { return }
        reactor.schedule(after: .nanoseconds(Self.shortestPause)) { self.admitNext() }
    }
}
