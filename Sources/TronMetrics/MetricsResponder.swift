// How requests for metrics are answered.
import Tron

/// Answers requests, on any number of connections.
struct MetricsResponder {
    // Handlers run within turns of the reactor, which therefore outlives them.
    private unowned let reactor: Reactor
    private let pace: MetricsPace
    /// Never read: as long as there is a meter, the loop times handlers.
    private let meter: Meter

    init(of reactor: Reactor) {
        self.reactor = reactor
        pace = MetricsPace(of: reactor)
        meter = reactor.makeMeter()
    }

    func serve(_ session: Session) {
        var parser = HTTPRequestParser()
        session.onBytes { session, bytes in
            switch parser.next(bytes) {
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
        case "/readyz":
            reactor.isReady
                ? HTTPResponse(.ok, body: [UInt8]("ok\n".utf8))
                : HTTPResponse(.serviceUnavailable)
        default: HTTPResponse(.notFound)
        }
    }
}
