// All servers of a reactor at once: their list, a packet to every session, and their drain.

extension Reactor {
    /// The servers that listen, or have stopped listening and still have sessions. On the loop's
    /// thread, or before it runs.
    public var servers: [Server] {
        registry.requireLoop("Reactor.servers")
        return registry.endpoints.allServers
    }

    /// Drains all servers (`Server.drain(within:spread:completion:)`) and then stops the reactor:
    /// its graceful end. `completion` is called on the loop, once, with the sum of their reports,
    /// before `run()` returns. A server that begins to listen meanwhile ends with the reactor. On
    /// the loop's thread.
    public func drain(
        within deadline: Duration, spread: Duration = .zero,
        completion: @escaping (DrainReport) -> Void = { _ in }
    ) {
        registry.requireLoop("Reactor.drain(within:)")
        let all = servers
        // Nothing here holds the reactor, which holds this until it ends.
        let end = { [remote] (report: DrainReport) in
            completion(report)
            remote.stop()
        }
        guard !all.isEmpty else { return registry.callLater { end(DrainReport()) } }
        for server in all { server.stopListening() }
        var sum = DrainReport()
        var left = all.count
        for server in all {
            server.drain(within: deadline, spread: spread) { report in
                sum.add(report)
                left -= 1
                if left == 0 { end(sum) }
            }
        }
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

extension Server {
    /// Queues a packet for every session, but for those of bytes or frames (`Session.onBytes`,
    /// `onFrames`), whose peers expect none. On the loop's thread.
    /// - Returns: how many sessions took it. Those that did not are closing, or were dealt with by
    ///   their `SessionOptions.overflow`.
    @discardableResult
    public func broadcast(category: UInt8, data: [UInt8]) -> Int {
        registry.requireLoop("Server.broadcast")
        var count = 0
        forEachSession { session in
            guard session.rareState?.streamHandler == nil else { return }
            if session.send(category: category, data: data).isQueued { count += 1 }
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
