// How requests end: answered, timed out, lost, or sent again on the next connection.

extension Client {
    /// Takes a request out of all that it is in.
    func endWaiting(_ sequence: Int32) -> RequestWaiter? {
        guard let waiter = requests.take(sequence) else { return nil }
        forget(sequence, waiter)
        if !waiter.isSent { unsentCount -= 1 }
        return waiter
    }

    @inline(__always)
    private func forget(_ sequence: Int32, _ waiter: RequestWaiter) {
        registry.wheel.cancel(waiter.deadline)
        if waiter.hasCopy { copies[sequence] = nil }
    }

    /// Whether the packet is an answer, of a request that waits or of one that has ended.
    func takesAnswer(_ packet: borrowing Packet) -> Bool {
        isProven = true
        attempt = 0
        let sequence = packet.sequence
        guard requests.hasGivenOut(sequence) else { return false }
        guard let waiter = requests.take(sequence, if: { $0.isSent }) else {
            totals.lateAnswers += 1
            return true
        }
        forget(sequence, waiter)
        timeoutsInARow = 0
        totals.requestsAnswered += 1
        waiter.completion(.answered(Packet(head: packet.head, data: packet.data)))
        return true
    }

    func requestTimedOut(_ sequence: Int32) {
        guard let waiter = endWaiting(sequence) else { return }
        totals.requestsTimedOut += 1
        if waiter.isSent, let session, let limit = options.timeoutsBeforeReconnect {
            timeoutsInARow += 1
            // First, so that what the completion asks for waits for the next connection.
            if timeoutsInARow >= limit { session.abort() }
        }
        waiter.completion(.failed(.timedOut))
    }

    private func endFailed(_ sequence: Int32, _ error: RequestError) {
        guard let waiter = endWaiting(sequence) else { return }
        totals.requestsFailed += 1
        waiter.completion(.failed(error))
    }

    /// Ends a request for its task's sake.
    func cancel(_ sequence: Int32) {
        endFailed(sequence, .cancelled)
    }

    /// What the lost connection carried fails, or waits for the next one if it may be repeated.
    func connectionEnded(_ reason: CloseReason) {
        let sent = requests.sequences().filter { requests.waiter(of: $0)?.isSent == true }
        unsent = sent.filter { waitsAgain($0) } + unsent
        for sequence in sent where requests.waiter(of: sequence)?.isSent == true {
            endFailed(sequence, .connectionLost(reason))
        }
    }

    /// Whether a request that was sent now waits to be sent again.
    private func waitsAgain(_ sequence: Int32) -> Bool {
        guard var waiter = requests.waiter(of: sequence), waiter.isRepeatable else { return false }
        // It has had a copy since it was admitted, and no more have one than may wait.
        assert(unsentCount < options.maximumCopiedRequests)
        waiter.isSent = false
        requests.replace(sequence, with: waiter)
        unsentCount += 1
        return true
    }

    /// Sends what waited for the connection, oldest first, as long as it takes packets, and not
    /// more than the high watermark at a time: the queue may be longer than a session's output.
    func sendUnsent() {
        let waiting = unsent
        unsent = []
        for (index, sequence) in waiting.enumerated() {
            guard var waiter = requests.waiter(of: sequence), !waiter.isSent,
                let packet = copies[sequence]
            else { continue }
            guard let session = usableSession, hasRoom(session, for: packet) else {
                unsent = waiting[index...] + unsent
                usableSession?.rare.whenSent = { self.sendUnsent() }
                return
            }
            waiter.isSent = true
            requests.replace(sequence, with: waiter)
            unsentCount -= 1
            _ = unsafe send(sequence, packet.category, packet.data.span.bytes, on: session)
        }
    }

    /// An empty queue has room for any packet.
    private func hasRoom(_ session: Session, for packet: OwnedPacket) -> Bool {
        let length = packet.data.count + PacketFormat.overhead
        return session.queuedBytes == 0
            || session.queuedBytes + length <= settings.highWatermark
    }

    func failAll(_ error: RequestError) {
        for sequence in requests.sequences() {
            endFailed(sequence, error)
        }
        unsent = []
    }
}
