// A connection that ends because nothing is answered any more has a reason of its own.
import Glibc
import Testing

@testable import Tron

@Suite struct UnansweredRequestTests {
    /// How many requests a reason says were not answered; nil when it is another reason.
    private func unanswered(_ reason: CloseReason?) -> Int? {
        guard let reason, let payload = Mirror(reflecting: reason).children.first,
            payload.label == "unanswered"
        else { return nil }
        return Mirror(reflecting: payload.value).children.first?.value as? Int
    }

    private func lost(_ failure: ClientFailure?) -> CloseReason? {
        if case .lost(let reason) = failure { reason } else { nil }
    }

    /// A client whose requests are not answered, and why its session ended.
    private func bench(
        limit: Int, attempts: Int? = nil, reasons: @escaping (CloseReason) -> Void
    ) throws -> ClientBench {
        let bench = try ClientBench(
            backoff: Backoff(initial: .seconds(1), multiplier: 1, attempts: attempts)
        ) { $0.timeoutsBeforeReconnect = limit }
        bench.client.session?.onClose { _, reason in reasons(reason) }
        bench.log.answers = false
        return bench
    }

    @Test(arguments: [1, 3])
    func `the session ends with the number of requests that were not answered`(
        limit: Int
    ) throws {
        var reasons: [CloseReason] = []
        let bench = try bench(limit: limit) { reasons.append($0) }
        for number in 0..<limit {
            bench.ask("\(number)", timeout: .milliseconds(10))
            try bench.turnUntilEnded(number + 1)
        }
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        #expect(reasons.count == 1)
        #expect(unanswered(reasons.first) == limit, "\(reasons)")
        #expect(unanswered(lost(bench.client.lastFailure)) == limit)
        #expect(bench.client.snapshot().sessions.closed[.aborted] == 0)
        #expect(bench.client.snapshot().sessions.closed.total == 1)
    }

    @Test func `an answer in between begins the count anew`() throws {
        var reasons: [CloseReason] = []
        let bench = try bench(limit: 2) { reasons.append($0) }
        var ended = 0
        for answers in [false, true, false, false] {
            bench.log.answers = answers
            bench.ask("\(ended)", timeout: .milliseconds(10))
            ended += 1
            try bench.turnUntilEnded(ended)
        }
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        #expect(reasons.count == 1)
        #expect(unanswered(reasons.first) == 2, "\(reasons)")
    }

    @Test func `the failure that is told, and the last one, say so`() throws {
        var failures: [ClientFailure] = []
        let bench = try bench(limit: 1, attempts: 1) { _ in }
        bench.reactor.onEvent { event in
            switch event {
            case .reconnecting(_, _, _, let failure): failures.append(failure)
            case .closed(_, _, let reason, _): failures.append(.lost(reason))
            default: break
            }
        }
        bench.ask("a", timeout: .milliseconds(10))
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        try bench.reactor.turn(times: 2)
        // The client's session, the client, and the server's session, which the peer has reset.
        #expect(failures.filter { unanswered(lost($0)) == 1 }.count == 2, "\(failures)")
        #expect(!failures.contains(.lost(.aborted)))
    }

    @Test func `what else the connection carried is lost for that reason`() throws {
        let bench = try bench(limit: 1) { _ in }
        var errors: [RequestError] = []
        func ask(_ timeout: Duration) {
            bench.client.request(category: 7, data: "x", timeout: timeout) { outcome in
                if case .failed(let error) = outcome { errors.append(error) }
            }
        }
        ask(.milliseconds(10))
        ask(.seconds(100))
        try bench.reactor.turn(until: { errors.count == 2 })
        #expect(errors[0] == .timedOut)
        guard case .connectionLost(let reason) = errors[1] else {
            Issue.record("\(errors)")
            return
        }
        #expect(unanswered(reason) == 1, "\(reason)")
    }

    @Test func `a session that its user aborts is still aborted`() throws {
        var reasons: [CloseReason] = []
        let bench = try bench(limit: 3) { reasons.append($0) }
        bench.ask("a", timeout: .milliseconds(10))
        try bench.turnUntilEnded(1)
        bench.client.session?.abort()
        try bench.reactor.turn(until: { bench.client.state.isWaiting })
        #expect(reasons == [.aborted])
        #expect(bench.client.lastFailure == .lost(.aborted))
    }
}
