// What a run's buffers take, beside what the reactor says that they take at most.
import TronTestKit

@testable import Tron

extension World {
    func watchMemory(_ nanoseconds: Int64) {
        guard let reactor else { return }
        var bytes = reactor.registry.buffers.idleBytes + 2 * limits.maximumBytesReadPerTurn
        for record in records where !record.isClosed {
            let kept = record.session.inbound.keptCount
            run.expect(
                kept <= record.mostKept,
                "session \(record.id) keeps \(kept) of \(record.mostKept) bytes")
            bytes += record.session.outbound.capacity + kept
            let most = record.mostWaiting
            run.expect(
                record.session.queuedBytes <= most,
                "session \(record.id) has queued \(record.session.queuedBytes) of \(most) bytes")
        }
        let bound = reactor.memoryBound
        run.expect(bytes <= bound, "the buffers take \(bytes) bytes, more than \(bound)")
        // What is asleep has released all that has ended.
        guard nanoseconds != 0 else { return }
        let most = shares
        run.expect(bound <= most, "\(bound) bytes are said to be the most, and it is \(most)")
    }

    /// What each part may hold by itself, added up: nothing of it counts twice.
    private var shares: Int {
        let read = limits.maximumBytesReadPerTurn
        var bytes = limits.maximumIdleBufferBytes + 2 * BufferPool.capacity(for: read)
        for record in servers { bytes += record.server.memoryBound }
        for record in records where !record.isClosed { bytes += record.session.memoryBound }
        for limits in attempts.values { bytes += limits.memoryBound(maximumBytesReadPerTurn: read) }
        for record in clients {
            let limits = record.options.session.limits
            bytes += record.options.maximumCopiedRequests * limits.maximumDataLength
            guard record.client.session == nil, !record.client.state.isFinal else { continue }
            bytes += limits.memoryBound(maximumBytesReadPerTurn: read)
        }
        return bytes
    }
}
