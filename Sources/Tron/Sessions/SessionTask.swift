// A task for a session, in place of handlers: on the reactor's thread, from here to the end.

extension Session {
    /// Starts a task on the reactor's thread that receives and sends by `await`.
    ///
    ///     session.task { session in
    ///         for try await packet in session.packets {
    ///             try await session.reply(to: packet, data: packet.data)
    ///         }
    ///     }
    ///
    /// The packets are the task's: it installs a handler by `onPacket`, and pauses and resumes
    /// reading, so that a peer has to wait while nobody takes its packets. Neither is to be used
    /// beside it, nor `onBytes`: packets that another handler takes do not reach the task. All
    /// other handlers are free.
    ///
    /// A packet costs more than with a handler: an allocation and some 2,000 instructions when
    /// packets come in batches, three allocations and 5,000 instructions when they come singly.
    ///
    /// A drain, and the session at its peer's end of stream, wait while the task is at a packet: it
    /// may be answered until the task asks for the next and there is none, or ends. A task that is
    /// at none is not waited for: the session closes, and sends throw `SendError.closed`. A task
    /// that outlives its session is its application's, as any other.
    ///
    /// However `body` ends, the session is closed then, as by `close()`. Cancelling the task, from
    /// any thread, does the same at once; iteration and a send that waits then throw. What `body`
    /// throws is the task's result. Once the session has ended, iteration ends or throws, so that a
    /// `body` which iterates ends as well, also with the reactor's stop.
    ///
    /// On the loop's thread, once for a session: it traps the second time.
    /// - Returns: the task; nil when the session is closing or has ended, and `body` is not called.
    @discardableResult
    public func task(
        _ body: nonisolated(nonsending) @escaping (AsyncSession) async throws -> Void
    ) -> Task<Void, any Error>? {
        registry.requireLoop("Session.task")
        demand(rareState?.face == nil, "Session.task was called twice")
        guard !isClosing else { return nil }
        let face = AsyncSession(self)
        rare.face = face
        pauseReading()
        onPacket { _, packet in face.received(packet) }
        let ticket = SessionTaskTicket(face, body)
        return Task(executorPreference: registry.executor) { try await ticket.run() }
    }
}

/// Carries a session's task to the reactor's executor, where all of it runs: that is what makes it
/// safe to send, and only the session's name is read elsewhere.
private final class SessionTaskTicket: @unchecked Sendable {
    private let face: AsyncSession
    private let body: nonisolated(nonsending) (AsyncSession) async throws -> Void
    private let id: SessionID
    private let remote: RemoteReactor

    init(
        _ face: AsyncSession,
        _ body: nonisolated(nonsending) @escaping (AsyncSession) async throws -> Void
    ) {
        self.face = face
        self.body = body
        id = face.session.id
        remote = face.session.registry.executor.remote
    }

    nonisolated(nonsending) func run() async throws {
        defer { face.bodyEnded() }
        try await withTaskCancellationHandler {
            try await body(face)
        } onCancel: {
            cancel()
        }
    }

    /// On whatever thread cancels. A reactor that has stopped has ended the session.
    private func cancel() {
        _ = remote.submitAlways { [id] reactor in reactor.session(id)?.rareState?.face?.cancel() }
    }
}
