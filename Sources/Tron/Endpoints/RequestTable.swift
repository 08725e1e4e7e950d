// The requests of a client that have not ended: one record each, wherever it is.

typealias RequestCompletion = (borrowing RequestOutcome) -> Void

/// One request that has not ended.
struct RequestRecord {
    /// Where the request is, and with it what is needed of it.
    enum Place {
        case sent
        /// Sent, and kept to be sent again should the connection be lost.
        case repeatable(RequestCopy)
        /// To be sent, behind those that were asked for before.
        case waiting(RequestCopy)
    }

    let completion: RequestCompletion
    /// Its own timer, if it has one: see `RequestDeadlines`.
    let deadline: TimerKey
    var place: Place

    var isSent: Bool {
        if case .waiting = place { false } else { true }
    }

    fileprivate var hasCopy: Bool {
        if case .sent = place { false } else { true }
    }
}

/// What is to be sent, or sent again.
final class RequestCopy {
    let category: UInt8
    let data: [UInt8]
    /// Whether it may be sent again when its connection is lost.
    let isRepeatable: Bool

    init(_ category: UInt8, _ data: RawSpan, isRepeatable: Bool) {
        self.category = category
        self.data = data.copy()
        self.isRepeatable = isRepeatable
    }
}

/// The records by sequence, and the order in which those leave that wait.
///
/// Invariant: `order` names each request that waits once, the oldest first, and perhaps some that
/// have ended; `waitingCount` of them wait. `copyCount` records hold a copy.
final class RequestTable {
    private let records: PendingRequests<RequestRecord>
    private let order = Queue<Int32>()
    private(set) var waitingCount = 0
    private var copyCount = 0
    private let maximumCopies: Int

    init(maximum: Int, copies: Int, firstSequence: Int32) {
        records = PendingRequests(maximum: maximum, firstSequence: firstSequence)
        maximumCopies = copies
    }

    /// Names in the order, those included that have ended.
    var orderCount: Int { order.count }

    /// Requests that have not ended.
    var count: Int { records.count }

    /// Whether one more may be added.
    func hasRoom(forCopy: Bool) -> Bool {
        records.count < records.maximum && (!forCopy || copyCount < maximumCopies)
    }

    /// Whether a request has not ended.
    func isPending(_ sequence: Int32) -> Bool { records.isWaiting(sequence) }

    /// Whether a sequence was ever given out, so that a packet with it is an answer.
    func hasGivenOut(_ sequence: Int32) -> Bool { records.hasGivenOut(sequence) }

    /// The sequence of the request that is added next. There is room for it.
    @inline(__always)
    func nextSequence() -> Int32 {
        guard let sequence = records.nextSequence() else {
            trap("a request was admitted beyond the limit")
        }
        return sequence
    }

    /// Adds a request under the sequence that `nextSequence` just named.
    @inline(__always)
    func add(_ record: consuming RequestRecord, as sequence: Int32) {
        let (hasCopy, isSent) = (record.hasCopy, record.isSent)
        records.add(record, as: sequence)
        if hasCopy { copyCount += 1 }
        if !isSent { wait(sequence) }
    }

    /// Names that ended while they waited are dropped once they are the most.
    private func wait(_ sequence: Int32) {
        if order.count >= 64 && order.count > 2 * waitingCount {
            order.removeAll { records.waiter(of: $0)?.isSent != false }
        }
        order.append(sequence)
        waitingCount += 1
    }

    /// The oldest request that waits, if `condition` holds for it: it counts as sent.
    func sendNext(if condition: (RequestCopy) -> Bool) -> (sequence: Int32, copy: RequestCopy)? {
        while let sequence = order.oldest {
            guard var record = records.waiter(of: sequence), case .waiting(let copy) = record.place
            else {
                _ = order.take()
                continue
            }
            guard condition(copy) else { return nil }
            _ = order.take()
            record.place = copy.isRepeatable ? .repeatable(copy) : .sent
            records.replace(sequence, with: record)
            waitingCount -= 1
            if !copy.isRepeatable { copyCount -= 1 }
            return (sequence, copy)
        }
        return nil
    }

    /// Ends a request.
    func take(_ sequence: Int32) -> RequestRecord? {
        guard let record = records.take(sequence) else { return nil }
        forget(record)
        return record
    }

    /// Ends a request that was sent, and so can be answered.
    @inline(__always)
    func takeSent(_ sequence: Int32) -> RequestRecord? {
        guard let record = records.take(sequence, if: { $0.isSent }) else { return nil }
        if record.hasCopy { forget(record) }
        return record
    }

    private func forget(_ record: RequestRecord) {
        if record.hasCopy { copyCount -= 1 }
        if !record.isSent { waitingCount -= 1 }
    }

    /// The connection is lost. What may be sent again waits, in its old place among the others; the
    /// rest is named, to be ended.
    func connectionLost() -> [Int32] {
        order.removeAll()
        waitingCount = 0
        var lost: [Int32] = []
        for sequence in records.sequences() {
            guard var record = records.waiter(of: sequence) else { continue }
            switch record.place {
            case .sent:
                lost.append(sequence)
                continue
            case .repeatable(let copy):
                record.place = .waiting(copy)
                records.replace(sequence, with: record)
            case .waiting: break
            }
            order.append(sequence)
            waitingCount += 1
        }
        return lost
    }

    /// The requests, oldest first.
    func sequences() -> [Int32] { records.sequences() }
}
