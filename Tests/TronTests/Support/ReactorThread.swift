// A reactor that runs on a thread of its own, for tests that come from other threads.
import Glibc
import Synchronization
import Testing

@testable import Tron

/// An echo server and a client of it on a reactor's own thread. Category 0 is never answered.
final class ReactorThread: Sendable {
    /// What is handed out of the thread: the client, whose `request` any task may call.
    let client: Client
    let remote: RemoteReactor
    let executor: ReactorExecutor
    /// The reactor's thread; set when it runs.
    let thread = Locked<ThreadIdentity?>(nil)
    private let hasEnded = Atomic(false)

    /// `setup` runs on the calling thread, before the reactor does.
    init(
        options: ClientOptions = ClientOptions(), limits: ReactorLimits = ReactorLimits(),
        setup: (Reactor) throws -> Void = { _ in }
    ) throws {
        let reactor = try Reactor(limits: limits)
        let name = Bench.unixName()
        _ = try reactor.listen(on: name) { session in
            session.onPacket { session, packet in
                guard packet.category != 0 else { return }
                session.reply(to: packet, data: "re:" + packet.text)
            }
        }
        client = reactor.makeClient(to: name, options: options)
        remote = reactor.remote
        executor = reactor.executor
        try setup(reactor)
        let box = Unmanaged.passRetained(reactor)
        nonisolated(unsafe) let pointer = box
        try startThread { [self] in
            let reactor = pointer.takeRetainedValue()
            thread.withLock { $0 = .current }
            try? reactor.run()
            hasEnded.store(true, ordering: .releasing)
        }
    }

    /// Waits until so many of the client's requests have been asked for and not ended.
    func awaitPending(_ count: Int) async {
        var pending = -1
        while pending < count {
            pending = await withCheckedContinuation { continuation in
                let outcome = remote.submit { [client] _ in
                    continuation.resume(returning: client.pendingRequestCount)
                }
                if !outcome.isAccepted { continuation.resume(returning: .max) }
            }
        }
    }

    var isOnThread: Bool { thread.withLock { $0 == .current } }

    /// Stops the reactor and waits for its end, ten seconds at most.
    func stop() async {
        remote.stop()
        await awaitEnd()
    }

    /// Waits for the reactor's end, ten seconds at most.
    func awaitEnd() async {
        for _ in 0..<10_000 where !hasEnded.load(ordering: .acquiring) {
            try? await Task.sleep(for: .milliseconds(1))
        }
        let isStopped = hasEnded.load(ordering: .acquiring)
        #expect(isStopped, "the reactor does not stop")
    }
}
