// How requests for metrics are answered.
import Tron

/// Answers requests, on any number of connections.
struct MetricsResponder {
    // Handlers run within turns of the reactor, which therefore outlives them.
    private unowned let reactor: Reactor
    private let pace: MetricsPace
    /// Never read: as long as there is a meter, the loop times handlers.
    private let meter: Meter
    /// Nil for a reactor that is none of a group's.
    private let survey: GroupSurvey?
    /// Adds what the program counts.
    private let add: (inout ExpositionText) -> Void
    /// Bytes that the body of an answer may have.
    private let maximumAnswerLength: Int

    init(
        of reactor: Reactor, maximumAnswerLength: Int,
        adding add: @escaping (inout ExpositionText) -> Void
    ) {
        guard 1...512 << 20 ~= maximumAnswerLength else {
            fatalError("maximumAnswerLength: 1 byte to 512 MiB")
        }
        self.reactor = reactor
        self.maximumAnswerLength = maximumAnswerLength
        self.add = add
        pace = MetricsPace(of: reactor)
        meter = reactor.makeMeter()
        survey = GroupSurvey(of: reactor)
    }

    func serve(_ session: Session) {
        var parser = HTTPRequestParser()
        session.onBytes { session, bytes in
            switch parser.next(bytes) {
            case .needsMore: return 0
            case .request(let request, let length):
                // If it has to wait, the same bytes come again, to a parser that begins anew.
                guard pace.admits(session) else { return 0 }
                answer(request, on: session)
                return length
            case .refused(let status):
                session.send(bytes: HTTPResponse(status).bytes(withBody: true, keepsAlive: false))
                session.close()
                return bytes.byteCount
            }
        }
    }

    private func answer(_ request: HTTPRequest, on session: Session) {
        guard let ask = question(of: request) else {
            return pace.measure { send(response(to: request), to: request, on: session) }
        }
        let id = session.id
        // What it asks next is answered after this.
        session.pauseReading()
        pace.begin {
            ask { response in
                pace.finish {
                    guard let session = reactor.session(id) else { return }
                    send(response(), to: request, on: session)
                    if request.keepsAlive { session.resumeReading() }
                }
            }
        }
    }

    private func send(_ response: HTTPResponse, to request: HTTPRequest, on session: Session) {
        session.send(
            bytes: response.bytes(
                withBody: request.method != .head, keepsAlive: request.keepsAlive))
        if !request.keepsAlive { closeOnceRead(session) }
    }

    /// A session that closes has little time for what waits, whether its peer reads or not. So it
    /// stays open, and under the idle timeout, until not much of a large answer is left.
    private func closeOnceRead(_ session: Session) {
        if session.isWritable { return session.close() }
        session.pauseReading()
        session.onWritabilityChange { session, isWritable in
            if isWritable { session.close() }
        }
    }

    /// What the other reactors of a group are to be asked for first, if anything.
    private func question(
        of request: HTTPRequest
    ) -> ((_ answer: @escaping (() -> HTTPResponse) -> Void) -> Void)? {
        guard let survey, request.method != .other else { return nil }
        switch request.path {
        case "/metrics":
            return { answer in
                survey.snapshot { snapshot in
                    answer { metrics(snapshot.metricsText(adding: add)) }
                }
            }
        case "/healthz":
            return { answer in survey.allTurn { areTurning in answer { yes(areTurning) } } }
        default: return nil
        }
    }

    private func response(to request: HTTPRequest) -> HTTPResponse {
        if request.method == .other {
            var refusal = HTTPResponse(.methodNotAllowed)
            refusal.allow = "GET, HEAD"
            return refusal
        }
        return switch request.path {
        case "/metrics": metrics(reactor.snapshot().metricsText(adding: add))
        case "/healthz": yes(true)
        case "/readyz": yes(survey?.isReady ?? reactor.isReady)
        default: HTTPResponse(.notFound)
        }
    }

    private func metrics(_ text: [UInt8]) -> HTTPResponse {
        if text.count > maximumAnswerLength {
            let reason =
                "The metrics have \(text.count) bytes, more than maximumAnswerLength, "
                + "\(maximumAnswerLength).\n"
            return HTTPResponse(.internalServerError, body: [UInt8](reason.utf8))
        }
        return HTTPResponse(.ok, contentType: ExpositionText.contentType, body: text)
    }

    private func yes(_ isSo: Bool) -> HTTPResponse {
        isSo ? HTTPResponse(.ok, body: [UInt8]("ok\n".utf8)) : HTTPResponse(.serviceUnavailable)
    }
}
