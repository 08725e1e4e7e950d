// All servers of a reactor at once: their list, a packet to every session, and their drain.

extension Reactor {
    /// The servers that listen, or have stopped listening and still have sessions. On the loop's
    /// thread, or before it runs.
    public var servers: [Server] {
        registry.requireLoop("Reactor.servers")
        return registry.endpoints.allServers
    }

    /// Drains all servers (`Server.drain(within:spread:completion:)`) and then stops the reactor:
    /// its graceful end. From the call on `isReady` is false. `completion` is called on the loop,
    /// once, with the sum of their reports, before `run()` returns. A server that begins to listen
    /// meanwhile ends with the reactor. On the loop's thread.
    ///
    /// `notice` is how long the servers still accept and serve as before, so that a balancer which
    /// asks for readiness now and then sends nothing any more when they stop listening: its
    /// interval, or none, the default. The deadline counts from the notice's end.
    public func drain(
        within deadline: Duration, spread: Duration = .zero, notice: Duration = .zero,
        completion: @escaping (DrainReport) -> Void = { _ in }
    ) {
        registry.requireLoop("Reactor.drain(within:)")
        let calls = registry.endpoints.readiness.drains(within: notice + deadline)
        for call in calls { call() }
        // Nothing here holds the reactor, which holds this until it ends.
        let begin = { [registry, remote] in
            registry.drainServers(within: deadline, spread: spread) { report in
                completion(report)
                remote.stop()
            }
        }
        guard notice > .zero else { return begin() }
        DrainNotice(registry, begin).begin(lasting: notice)
    }

    /// Queues a packet for every session of every server: see `Server.broadcast`. On the loop's
    /// thread.
    /// - Returns: how many sessions took it.
    @discardableResult
    public func broadcast(category: UInt8, data: [UInt8]) -> Int {
        registry.requireLoop("Reactor.broadcast")
        return servers.reduce(0) { $0 + $1.broadcast(category: category, data: data) }
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func broadcast(category: UInt8, data: String) -> Int {
        broadcast(category: category, data: [UInt8](data.utf8))
    }
}

extension Registry {
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

extension Server {
    /// Queues a packet for every session, but for those of bytes or frames (`Session.onBytes`,
    /// `onFrames`), whose peers expect none. On the loop's thread.
    /// - Returns: how many sessions took it. Those that did not are closing, or were dealt with by
    ///   their `SessionOptions.overflow`.
    @discardableResult
    public func broadcast(category: UInt8, data: [UInt8]) -> Int {
        registry.requireLoop("Server.broadcast")
        let head = PacketFormat.head(sequence: -1, category: category)
        var count = 0
        forEachSession { session in
            guard session.rareState?.streamHandler == nil else { return }
            if unsafe session.enqueue(head: head, data.span.bytes).isQueued { count += 1 }
        }
        return count
    }

    /// The same with a text's UTF-8.
    @discardableResult
    public func broadcast(category: UInt8, data: String) -> Int {
        broadcast(category: category, data: [UInt8](data.utf8))
    }
}

extension Endpoints {
    var allServers: [Server] {
        var all: [Server] = []
        servers.forEach { _, server in all.append(server) }
        return all
    }
}
