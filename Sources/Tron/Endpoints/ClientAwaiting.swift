// Requests from tasks: await in place of a completion.

extension Client {
    /// Sends a request and returns its answer. From any task and any thread; a task that runs on
    /// the reactor's own executor does not leave its thread for it.
    ///
    /// Cancelling the task ends the request, with `.cancelled`.
    /// - Throws: why there is no answer.
    public nonisolated(nonsending) func request(
        category: UInt8, data: [UInt8], timeout: Duration = .seconds(3),
        isRepeatable: Bool = false
    ) async throws(RequestError) -> OwnedPacket {
        let ticket = RequestTicket(self)
        let result = await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { (continuation: RequestTicket.Continuation) in
                unsafe ticket.begin(
                    category, data, timeout, isRepeatable: isRepeatable, continuation)
            }
        } onCancel: {
            ticket.cancel()
        }
        return try result.get()
    }

    /// The same for a text's UTF-8.
    public nonisolated(nonsending) func request(
        category: UInt8, data: String, timeout: Duration = .seconds(3), isRepeatable: Bool = false
    ) async throws(RequestError) -> OwnedPacket {
        try await request(
            category: category, data: [UInt8](data.utf8), timeout: timeout,
            isRepeatable: isRepeatable)
    }
}

/// One awaited request, which its task and the loop both hold.
///
/// Its state is the loop's alone: begin and cancel go through the reactor's queue, in this order or
/// the other, unless they happen on the loop.
private final class RequestTicket: @unchecked Sendable {
    typealias Continuation = UnsafeContinuation<Result<OwnedPacket, RequestError>, Never>

    private let client: Client
    private var sequence: Int32?
    private var isCancelled = false

    init(_ client: Client) { self.client = client }

    func begin(
        _ category: UInt8, _ data: [UInt8], _ timeout: Duration, isRepeatable: Bool,
        _ continuation: Continuation
    ) {
        let start = { @Sendable in
            unsafe self.start(category, data, timeout, isRepeatable, continuation)
        }
        if client.remote.isInTurn { return start() }
        if !client.remote.submitAlways({ _ in start() }) {
            unsafe continuation.resume(returning: .failure(.closed))
        }
    }

    private func start(
        _ category: UInt8, _ data: [UInt8], _ timeout: Duration, _ isRepeatable: Bool,
        _ continuation: Continuation
    ) {
        if isCancelled { return unsafe continuation.resume(returning: .failure(.cancelled)) }
        sequence = unsafe client.begin(
            category, data.span.bytes, timeout, isRepeatable: isRepeatable
        ) { outcome in
            switch outcome {
            case .answered(let packet):
                unsafe continuation.resume(returning: .success(packet.copy()))
            case .failed(let error): unsafe continuation.resume(returning: .failure(error))
            }
        }
    }

    /// Called wherever the task is cancelled, at most once, also before the request began.
    func cancel() {
        _ = client.remote.submitAlways { _ in
            self.isCancelled = true
            if let sequence = self.sequence { self.client.cancel(sequence) }
        }
    }
}
