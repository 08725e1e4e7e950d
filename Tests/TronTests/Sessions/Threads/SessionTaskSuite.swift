// What the suites of sessions with tasks share: their bench, and where a task waits.
@testable import Tron

/// Where a body waits until the test lets it go on.
final class Stop {
    private var continuation: CheckedContinuation<Void, Never>?
    private var isOpen = false

    nonisolated(nonsending) func pass() async {
        if isOpen { return }
        await withCheckedContinuation { continuation = $0 }
    }

    func open() {
        isOpen = true
        continuation?.resume()
        continuation = nil
    }
}

/// A suite of sessions that have a task in place of handlers.
protocol SessionTaskSuite {}

extension SessionTaskSuite {
    /// A bench whose sessions have tasks; how each ends is noted.
    func bench(
        _ options: SessionOptions = SessionOptions(), kernel: FaultyKernel = FaultyKernel(),
        _ body: nonisolated(nonsending) @escaping (AsyncSession, Log) async throws -> Void
    ) throws -> Bench {
        try Bench(session: options, kernel: kernel) { session, log in
            session.task { session in
                do {
                    try await body(session, log)
                    log.notes.append("done")
                } catch {
                    log.notes.append("\(error)")
                    throw error
                }
            }
        }
    }

    nonisolated(nonsending) static func note(
        _ session: AsyncSession, _ log: Log
    ) async throws {
        for try await packet in session.packets { log.texts.append(packet.text) }
    }
}
