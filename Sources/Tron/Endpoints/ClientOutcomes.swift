// How requests end: answered, timed out, lost, cancelled.

/// How a request ended.
public enum RequestOutcome: ~Escapable {
    /// With its answer, which is valid while the completion runs.
    case answered(Packet)
    /// Without one.
    case failed(RequestError)
}

extension Client {
    /// Whether the packet is an answer, of a request that waits or of one that has ended.
    func takesAnswer(_ packet: borrowing Packet) -> Bool {
        let sequence = packet.sequence
        guard let record = requests.takeSent(sequence) else {
            let isLate = requests.hasGivenOut(sequence)
            if isLate { totals.lateAnswers += 1 }
            return isLate
        }
        registry.wheel.cancel(record.deadline)
        timeoutsInARow = 0
        totals.requestsAnswered += 1
        record.completion(.answered(Packet(head: packet.head, data: packet.data)))
        return true
    }

    /// A request's time is over; so is the connection's, after as many in a row as the options say.
    func requestTimedOut(_ sequence: Int32) {
        guard let record = requests.take(sequence) else { return }
        totals.requestsTimedOut += 1
        if record.isSent, let session = dialer.session, let limit = options.timeoutsBeforeReconnect
        {
            timeoutsInARow += 1
            // First, so that what the completion asks for waits for the next connection.
            if timeoutsInARow >= limit { session.abort(.unanswered(requests: timeoutsInARow)) }
        }
        record.completion(.failed(.timedOut))
    }

    private func endFailed(_ sequence: Int32, _ error: RequestError) {
        guard let record = requests.take(sequence) else { return }
        registry.wheel.cancel(record.deadline)
        totals.requestsFailed += 1
        record.completion(.failed(error))
    }

    /// Ends a request for its task's sake.
    func cancel(_ sequence: Int32) { endFailed(sequence, .cancelled) }

    /// What the lost connection carried fails, or waits for the next one if it may be repeated.
    func failLost(_ reason: CloseReason) {
        for sequence in requests.connectionLost() { endFailed(sequence, .connectionLost(reason)) }
    }

    func failAll(_ error: RequestError) {
        for sequence in requests.sequences() { endFailed(sequence, error) }
    }
}
