// All servers of a reactor at once: their list, and a packet to every session.

extension Reactor {
    /// The servers that listen, or have stopped listening and still have sessions. On the loop's
    /// thread, or before it runs.
    public var servers: [Server] {
        registry.requireLoop("Reactor.servers")
        return registry.endpoints.allServers
    }

    /// Queues a packet for every session of packets of every server: see `Server.broadcast`. On the
    /// loop's thread.
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
