// A session as its task sees it: packets to await, and sends that wait for room.

/// What `Session.task` gives to a task. Only that task can use it: the compiler keeps it there.
///
/// Received packets wait here only until `SessionLimits.maximumBytesBeforeTask` is reached, one
/// packet at least; then reading pauses until the task has taken all of them.
public final class AsyncSession {
    // Invariant: somebody waits for packets only while none are here and more can come.

    typealias Continuation = UnsafeContinuation<Void, Never>

    /// The bytes that a waiting packet takes beside its data.
    static let bytesPerPacket = 64

    @safe
    private enum Waiter {
        case packets(Continuation)
        /// For so many bytes to fit.
        case room(Int, Continuation)
    }

    /// Whether packets still come.
    private enum Source {
        case open
        /// The peer has ended its stream, and the session goes on.
        case finished
        case cancelled
        case ended(CloseReason)
    }

    /// The session itself, for all that need not be awaited. Once it has ended, and so its
    /// iteration, it only says that it is closed; after the reactor's stop it must not be called.
    public let session: Session
    private let waiting = Queue<OwnedPacket>()
    private var waitingBytes = 0
    private var source = Source.open
    private var waiter: Waiter?
    /// Whether the task has yet to ask for more than what has come, or, after the peer's end, to
    /// end: what it has taken may still be answered.
    private(set) var owes = false

    init(_ session: Session) {
        self.session = session
        if session.inbound.reading == .finished { source = .finished }
    }
}

// MARK: - What the session tells

extension AsyncSession {
    /// Reading pauses from the next packet on once enough waits.
    func received(_ packet: borrowing Packet) {
        waiting.append(packet.copy())
        waitingBytes += packet.data.byteCount + Self.bytesPerPacket
        owes = true
        if waitingBytes >= session.settings.options.limits.maximumBytesBeforeTask {
            session.pauseReading()
        }
        if case .packets = waiter { wake() }
    }

    func flushed() {
        if case .room(let length, _) = waiter, hasRoom(for: length) { wake() }
    }

    func peerFinished() { change(to: .finished) }

    func sessionEnded(_ reason: CloseReason) {
        if case .cancelled = source { return }
        change(to: .ended(reason))
    }

    /// Its task is cancelled: what waits for it is dropped, what it has queued still leaves.
    func cancel() {
        waiting.removeAll()
        owes = false
        change(to: .cancelled)
        session.close()
    }

    /// The task's body is over.
    func bodyEnded() {
        owes = false
        switch source {
        case .open, .finished:
            session.closeIfAnswered()
            session.close()
        case .cancelled, .ended: break
        }
    }

    private func change(to source: Source) {
        self.source = source
        wake()
    }

    private func wake() {
        guard let waiter else { return }
        self.waiter = nil
        switch waiter {
        case .packets(let continuation), .room(_, let continuation): unsafe continuation.resume()
        }
    }
}

// MARK: - Receiving

extension AsyncSession {
    /// The packets that the session receives, in order, each with data of its own.
    ///
    /// The sequence ends when the peer has ended its stream between two packets. When the session
    /// ends in another way, its reason is thrown, after the packets that came before: `.requested`
    /// also as soon as the task is cancelled, without those. All iterators share the one stream: a
    /// second loop goes on where the first one stopped.
    public var packets: Packets { Packets(session: self) }

    /// The packets of a session.
    public struct Packets: AsyncSequence {
        fileprivate let session: AsyncSession

        /// Takes the session's packets, whichever iterator asks.
        public struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let session: AsyncSession

            /// The next packet; nil when the peer has ended its stream.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(CloseReason) -> OwnedPacket? {
                while true {
                    if let outcome = session.takeNext() { return try outcome.get() }
                    await session.waitForPackets()
                }
            }

            /// The next packet; nil when the peer has ended its stream.
            public nonisolated(nonsending) mutating func next() async throws(CloseReason)
                -> OwnedPacket?
            {
                try await next(isolation: #isolation)
            }
        }

        /// An iterator; others take from the same stream.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(session: session) }
    }

    /// What iteration has now; nil when it has to wait.
    fileprivate func takeNext() -> Result<OwnedPacket?, CloseReason>? {
        if let packet = waiting.take() {
            waitingBytes -= packet.data.count + Self.bytesPerPacket
            return .success(packet)
        }
        switch source {
        case .open: return nil
        case .finished, .ended(.peerClosed): return .success(nil)
        case .cancelled: return .failure(.requested)
        case .ended(let reason): return .failure(reason)
        }
    }

    /// Something may have come between the look and the wait, which can be a turn apart.
    fileprivate func waitForPackets(isolation actor: isolated (any Actor)? = #isolation) async {
        await unsafe withUnsafeContinuation { (continuation: Continuation) in
            guard waiting.isEmpty, case .open = source else { return unsafe continuation.resume() }
            unsafe waiter = .packets(continuation)
            owes = false
            session.closeIfAnswered()
            session.resumeReading()
        }
    }
}

// MARK: - Sending

extension AsyncSession {
    /// Queues a packet, as soon as the session is writable and the packet fits: waits while the
    /// peer does not read. A packet that has been queued leaves also when the task is cancelled.
    ///
    /// `sequence` -1 belongs to no request.
    public nonisolated(nonsending) func send(
        sequence: Int32 = -1, category: UInt8, data: [UInt8]
    ) async throws(SendError) {
        try await waitForRoom(data.count + PacketFormat.overhead)
        try check(session.send(sequence: sequence, category: category, data: data))
    }

    /// The same for a text's UTF-8.
    public nonisolated(nonsending) func send(
        sequence: Int32 = -1, category: UInt8, data: String
    ) async throws(SendError) {
        try await waitForRoom(data.utf8.count + PacketFormat.overhead)
        try check(session.send(sequence: sequence, category: category, data: data))
    }

    /// Answers a packet: queues one with its sequence and category, as soon as that fits.
    public nonisolated(nonsending) func reply(
        to packet: OwnedPacket, data: [UInt8]
    ) async throws(SendError) {
        try await send(sequence: packet.sequence, category: packet.category, data: data)
    }

    private func check(_ outcome: SendOutcome) throws(SendError) {
        switch outcome {
        case .queued: break
        case .closed, .overflow, .interrupted: throw .closed
        case .tooLarge, .overCapacity: throw .tooLarge
        }
    }

    private nonisolated(nonsending) func waitForRoom(_ length: Int) async throws(SendError) {
        guard length <= session.settings.outboundCapacity else { throw .tooLarge }
        while true {
            switch source {
            case .cancelled: throw .cancelled
            case .ended: throw .closed
            case .open, .finished: break
            }
            guard session.isOpen else { throw .closed }
            if !isFull(for: length) { return }
            await unsafe withUnsafeContinuation { (continuation: Continuation) in
                guard session.isOpen, isFull(for: length) else {
                    return unsafe continuation.resume()
                }
                unsafe waiter = .room(length, continuation)
                if !session.outbound.isBlocked { session.flushLater() }
            }
        }
    }

    private func isFull(for length: Int) -> Bool {
        let hasRoom = session.outbound.hasRoom(
            session.settings.highWatermark, period: session.registry.outputPeriod)
        return !hasRoom || session.outbound.count + length > session.settings.outboundCapacity
    }

    /// Who waits goes on at the low watermark, as by `onWritabilityChange`; nobody waits on a
    /// session that takes nothing any more.
    private func hasRoom(for length: Int) -> Bool {
        let mark = min(
            session.settings.lowWatermark, session.settings.outboundCapacity - length)
        return !session.isOpen || session.outbound.count <= mark
    }
}
