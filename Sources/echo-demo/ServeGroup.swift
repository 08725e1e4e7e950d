// `echo-demo serve --reactors N`: the same server on several threads.
import Synchronization
import Tron
import TronMetrics

/// Serves with a group of reactors; from outside it is like one.
func serve(_ settings: ServeSettings, at places: ListeningPlaces, reactors: Int) throws -> Int32 {
    let told = Announcement()
    let group = ReactorGroup(count: .exactly(reactors), drainingWithin: .seconds(5)) {
        reactor, index in
        guard index == 0 else { return }
        let metrics = try settings.metrics.map { try reactor.serveMetrics(on: $0) }
        let group = reactor.group
        try reactor.onSignal(.interrupt, .terminate) { _ in group?.shutDown() }
        // Only now: whoever reads this may connect, and may send a signal.
        for address in told.addresses { Terminal.say("listening on \(address)") }
        if let metrics { Terminal.say("metrics on \(metrics.address)") }
    }
    told.addresses = try places.listen(
        at: { try group.listen(on: $0, options: settings.options, setup: echo).address },
        on: { try group.listen(on: $0, options: settings.options, setup: echo).address })
    if let supervisor = try Supervisor.ofThisProcess() { group.report(to: supervisor) }
    let run = BlockingTask { try await group.run() }
    try run.wait()
    return ExitStatus.success
}

/// What is said once the reactors run.
private final class Announcement: Sendable {
    private let state = Mutex<[SocketAddress]>([])

    var addresses: [SocketAddress] {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// A task for which a thread waits that is none of the tasks'.
private final class BlockingTask: Sendable {
    private let end = Semaphore()
    private let failure = Mutex<(any Error)?>(nil)

    init(_ body: @escaping @Sendable () async throws -> Void) {
        Task.detached { [self] in
            do {
                try await body()
            } catch {
                failure.withLock { $0 = error }
            }
            end.signal()
        }
    }

    func wait() throws {
        end.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
