// The graceful end of a reactor: a notice, the drain of its servers, a farewell, its stop.

/// The times of a reactor's drain: see `Reactor.drain(within:spread:notice:completion:)`.
struct DrainTimes: Sendable, Equatable {
    let deadline: Duration
    let spread: Duration
    let notice: Duration
}

extension Reactor {
    /// Drains all servers (`Server.drain(within:spread:completion:)`) and then stops the reactor:
    /// its graceful end. From the call on `isReady` is false. `completion` is called on the loop,
    /// once, with the sum of their reports, before `run()` returns. On the loop's thread.
    ///
    /// Between the two comes the farewell, of at most `ReactorLimits.farewellTimeout`: after
    /// `completion` that of the program (`onDrained`), then clients are closed and all sessions
    /// that are left end as in a drain: with the last reply that they owe, and once what is queued
    /// has left. No report counts them. `stop()` ends any of it at once. Whatever begins to listen,
    /// or to connect, meanwhile ends with the reactor. Drains may overlap: there is one farewell,
    /// after the first that ends.
    ///
    /// `notice` is how long the servers still accept and serve as before, so that a balancer which
    /// asks for readiness now and then sends nothing any more when they stop listening: its
    /// interval, or none, the default. The deadline counts from the notice's end.
    public func drain(
        within deadline: Duration, spread: Duration = .zero, notice: Duration = .zero,
        completion: @escaping (DrainReport) -> Void = { _ in }
    ) {
        registry.requireLoop("Reactor.drain(within:)")
        let farewell = registry.limits.farewellTimeout
        beginDrain(DrainTimes(deadline: deadline, spread: spread, notice: notice)) {
            [registry, remote] report in
            completion(report)
            registry.sayFarewell(report, within: farewell, remote)
        }
    }

    /// A drain after which the reactor runs on, for work and for its clients, until whoever has
    /// begun it calls `farewell`, on any thread, or the drain's deadline is over.
    func drain(
        _ drain: DrainTimes,
        completion: @escaping (DrainReport, _ farewell: @escaping @Sendable () -> Void) -> Void
    ) {
        let farewell = registry.limits.farewellTimeout
        let latest = registry.kernel.now() + (drain.notice + drain.deadline).clampedNanoseconds
        beginDrain(drain) { [registry, timers, remote] report in
            completion(report) {
                _ = remote.submitAlways { reactor in
                    reactor.registry.sayFarewell(report, within: farewell, reactor.remote)
                }
            }
            _ = timers.schedule(at: latest, every: nil) {
                registry.sayFarewell(report, within: farewell, remote)
            }
        }
    }

    /// What is kept here does not hold the reactor, since the reactor holds it until the drain's
    /// end.
    private func beginDrain(_ drain: DrainTimes, _ completion: @escaping (DrainReport) -> Void) {
        let farewell = registry.limits.farewellTimeout
        let calls = registry.endpoints.readiness.drains(
            within: drain.notice + drain.deadline + farewell)
        for call in calls { call() }
        let begin = { [registry] in
            registry.drainServers(
                within: drain.deadline, spread: drain.spread, completion: completion)
        }
        guard drain.notice > .zero else { return begin() }
        DrainNotice(registry, begin).begin(lasting: drain.notice)
    }

    /// Calls `handler` when a drain of the reactor has ended its servers' sessions, while clients
    /// still stand: for a last word to a broker, say, and its answer. The reactor goes on with its
    /// end once `finish` is called, on whichever thread, or `ReactorLimits.farewellTimeout` is
    /// over. What drains a reactor for its user (`ReactorService`, `ReactorGroup`) waits for it,
    /// too; in a group it is called when all reactors have drained. Replaces a former handler; nil:
    /// none. On the loop's thread, or before it runs.
    public func onDrained(
        _ handler: ((_ report: DrainReport, _ finish: @escaping @Sendable () -> Void) -> Void)?
    ) {
        registry.requireLoop("Reactor.onDrained")
        registry.endpoints.drainedHandler = handler
    }
}

extension Registry {
    /// Once; not where the reactor is being stopped already.
    fileprivate func sayFarewell(
        _ report: DrainReport, within time: Duration, _ remote: RemoteReactor
    ) {
        if remote.isEnding { return remote.stop() }
        if endpoints.saysFarewell { return }
        endpoints.saysFarewell = true
        Farewell(self, remote).begin(report, within: time)
    }

    /// Drains all servers there are; `completion` is called once, with the sum of their reports.
    fileprivate func drainServers(
        within deadline: Duration, spread: Duration, completion: @escaping (DrainReport) -> Void
    ) {
        let all = endpoints.allServers
        guard !all.isEmpty else { return callLater { completion(DrainReport()) } }
        for server in all { server.stopAccepting() }
        var sum = DrainReport()
        var left = all.count
        for server in all {
            server.drain(within: deadline, spread: spread) { report in
                sum.add(report)
                left -= 1
                if left == 0 { completion(sum) }
            }
        }
    }
}

/// The time between the word that a reactor drains and the drain. The reactor's stop ends it, too.
private final class DrainNotice: EventSource {
    let registry: Registry
    var key = SlabKey.none
    private var drain: (() -> Void)?
    private var timer = TimerKey.none

    init(_ registry: Registry, _ drain: @escaping () -> Void) {
        self.registry = registry
        self.drain = drain
    }

    func begin(lasting notice: Duration) {
        key = registry.sources.insert(self)
        timer = registry.arm(key, at: registry.kernel.now() + notice.clampedNanoseconds)
    }

    func ready(_ readiness: Readiness) {}

    func expired(_ timer: TimerKey, payload: UInt32) { reactorStops() }

    func reactorStops() {
        guard let drain = drain.take() else { return }
        registry.releaseLater(self)
        drain()
    }

    func release() { registry.wheel.cancel(timer) }
}

extension Endpoints {
    /// Those of now: ending one may have its user make another.
    fileprivate var allClients: [Client] {
        var all: [Client] = []
        clients.forEach { _, client in all.append(client) }
        return all
    }
}

/// The time between the end of the servers' sessions and the reactor's stop. The stop ends it, too.
/// Other threads do no more than hand it to its loop.
private final class Farewell: EventSource, @unchecked Sendable {
    /// How often it looks whether the last session has ended. Nanoseconds.
    private static let step: Int64 = 10_000_000

    private enum Phase {
        /// The program has its last word.
        case speaking
        /// What is queued leaves.
        case closing
        case over
    }

    let registry: Registry
    var key = SlabKey.none
    private let remote: RemoteReactor
    private var phase = Phase.speaking
    private var stepTimer = TimerKey.none
    private var endTimer = TimerKey.none

    init(_ registry: Registry, _ remote: RemoteReactor) {
        self.registry = registry
        self.remote = remote
    }

    func begin(_ report: DrainReport, within time: Duration) {
        key = registry.sources.insert(self)
        endTimer = registry.arm(key, at: registry.kernel.now() + time.clampedNanoseconds)
        guard let handler = registry.endpoints.drainedHandler else { return closeAll() }
        handler(report) { [weak self, remote] in
            _ = remote.submitAlways { [weak self] _ in self?.closeAll() }
        }
    }

    func ready(_ readiness: Readiness) {}

    func expired(_ timer: TimerKey, payload: UInt32) {
        if timer == endTimer { end() } else { look() }
    }

    private func closeAll() {
        guard phase == .speaking else { return }
        phase = .closing
        look()
    }

    /// Ends what there is: at each look, since what is told of an end may begin something.
    private func look() {
        guard phase == .closing else { return }
        let endpoints = registry.endpoints
        for server in endpoints.allServers { server.stopListening() }
        registry.sessions.forEachSession { $0.drain() }
        // A session that still owes a reply would lose it with its client.
        for client in endpoints.allClients where client.dialer.session?.owes != true {
            client.close()
        }
        if registry.sessions.isEmpty { return end() }
        stepTimer = registry.arm(key, at: registry.now + Self.step)
    }

    private func end() {
        guard phase != .over else { return }
        phase = .over
        registry.releaseLater(self)
        remote.stop()
    }

    func reactorStops() { end() }

    func release() {
        registry.wheel.cancel(stepTimer)
        registry.wheel.cancel(endTimer)
    }
}
