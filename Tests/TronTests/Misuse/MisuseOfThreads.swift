// The calls that belong to the reactor's thread, each made on another one.

@testable import Tron

extension Misuse {
    static let reactorCalls = [
        onReactor("Reactor.stop()") { $0.stop() },
        onReactor("Reactor.schedule(after:)") { $0.schedule(after: .seconds(1)) {} },
        onReactor("Reactor.session(_:)") {
            $0.session(SessionID(reactor: 0, key: SlabKey(rawValue: 0)))
        },
        onReactor("Reactor.snapshot()") { $0.snapshot() },
        onReactor("Reactor.makeMeter()") { $0.makeMeter() },
        onReactor("Reactor.onEvent") { $0.onEvent(nil) },
        onReactor("Reactor.onSignal") { try $0.onSignal(.user1) { _ in } },
        onReactor("Reactor.listen(on:)") { try $0.listen(on: Bench.unixName()) { _ in } },
        onReactor("Reactor.connectOnce(to:)") { $0.connectOnce(to: .loopback(port: 1)) { _ in } },
        onReactor("Reactor.makeClient(to:)") { $0.makeClient(to: "127.0.0.1:1") },
        onReactor("Reactor.makeGroup()") { $0.makeGroup() },
        onReactor("Reactor.memoryBound") { $0.memoryBound },
        onReactor("Reactor.servers") { $0.servers },
        onReactor("Reactor.drain(within:)") { $0.drain(within: .seconds(1)) },
        onReactor("Reactor.onDrained") { $0.onDrained(nil) },
        onReactor("Reactor.broadcast") { $0.broadcast(category: 1, data: "x") },
        onReactor("Reactor.callSoon") { $0.callSoon {} },
        onReactor("Reactor.uptime") { $0.uptime },
        onReactor("Reactor.isReady") { $0.isReady },
        onReactor("Reactor.isPreparing") { $0.isPreparing },
        onReactor("Reactor.report(to:)") { reactor in
            try Supervisor(process: 1, kernel: Kernel()) { $0 == "NOTIFY_SOCKET" ? "@" + $0 : nil }
                .map { reactor.report(to: $0) }
        },
        onReactor("Reactor.group") { $0.group },
        onReactor("Reactor.indexInGroup") { $0.indexInGroup },
        onReactor("ReactorLocal") { ReactorLocal<Int>()[$0] },
        onReactor("ReactorLocal", "ReactorLocal, set") { ReactorLocal<Int>()[$0] = 1 },
        onReactor("ReactorGroup.snapshot(on:within:completion:)") { reactor in
            ReactorGroup(count: 1).snapshot(on: reactor) { _ in }
        },
        onReactor("Reactor.maximumSimultaneousAttempts") { $0.maximumSimultaneousAttempts = 1 },
        Misuse("ScheduledTimer.cancel()", "ScheduledTimer.cancel()") {
            let timer = try Reactor().schedule(after: .seconds(1)) {}
            OtherThread.run { timer.cancel() }
        },
        Misuse("Meter.read()", "Meter.read()") {
            let reactor = try Reactor()
            let meter = reactor.makeMeter()
            OtherThread.run { _ = meter.read() }
        },
    ]

    static let sessionCalls = [
        onSession("Session.send") { $0.send(category: 1, data: "x") },
        onSession("Session.send", "Session.send of bytes") { $0.send(bytes: "x") },
        onSession("Session.send", "Session.send of a packet that a closure writes") {
            $0.send(category: 1, capacity: 1) { $0.writeByte(1) }
        },
        onSession("Session.send", "Session.send of bytes that a closure writes") {
            $0.send(bytesCapacity: 1) { $0.writeByte(1) }
        },
        onSession("Session.isWritable") { $0.isWritable },
        onSession("Session.close()") { $0.close() },
        onSession("Session.abort()") { $0.abort() },
        onSession("Session.closeWriting()") { $0.closeWriting() },
        onSession("Session.pauseReading()") { $0.pauseReading() },
        onSession("Session.resumeReading()") { $0.resumeReading() },
        onSession("Session.onPacket") { $0.onPacket { _, _ in } },
        onSession("Session.onBytes") { $0.onBytes { _, _ in 0 } },
        onSession("Session.onFrames") { $0.onFrames(of: .lines()) { _, _ in } },
        onSession("Session.onClose") { $0.onClose { _, _ in } },
        onSession("Session.onWritabilityChange") { $0.onWritabilityChange { _, _ in } },
        onSession("Session.onPeerFinished") { $0.onPeerFinished { _ in } },
        onSession("Session.task") { $0.task { _ in } },
        onSession("Session.onDrain") { $0.onDrain { _ in } },
        onSession("Session.onProtocolFault") { $0.onProtocolFault { _, _ in } },
        onSession("Session.replyAddress(of:)") { session in
            let data: [UInt8] = [1]
            return session.replyAddress(of: Packet(head: 0, data: data.span.bytes))
        },
    ]

    static let groupCalls = [
        onGroup("SessionGroup.add(_:)") { $0.add($1) },
        onGroup("SessionGroup.remove(_:)") { $0.remove($1) },
        onGroup("SessionGroup.contains(_:)") { $0.contains($1) },
        onGroup("SessionGroup.forEach") { group, _ in group.forEach { _ in } },
        onGroup("SessionGroup.send") { group, _ in group.send(category: 1, data: "x") },
    ]

    static let endpointCalls = [
        onServer("Server.stop()") { $0.stop() },
        onServer("Server.drain(within:)") { $0.drain(within: .seconds(1)) { _ in } },
        onServer("Server.stopListening()") { $0.stopListening() },
        onServer("Server.broadcast") { $0.broadcast(category: 1, data: "x") },
        onServer("Server.forEachSession") { $0.forEachSession { _ in } },
        onServer("Server.snapshot()") { $0.snapshot() },
        onClient("Client.close()") { $0.close() },
        onClient("Client.state") { $0.state },
        onClient("Client.session") { $0.session },
        onClient("Client.counters") { $0.counters },
        onClient("Client.pendingRequestCount") { $0.pendingRequestCount },
        onClient("Client.onStateChange") { $0.onStateChange { _, _ in } },
        onClient("Client.setAddresses(_:)") { $0.setAddresses([.loopback(port: 1)]) },
        onClient("Client.snapshot()") { $0.snapshot() },
        onClient("Client.request") { $0.request(category: 1, data: "x") { _ in } },
        Misuse("Client.confirm(_:)", "Client.confirm(_:)") {
            let bench = try Bench()
            _ = try bench.connect()
            let client = bench.reactor.makeClient(to: "127.0.0.1:1")
            let session = bench.sessions[0]
            OtherThread.run { client.confirm(session) }
        },
        Misuse("ConnectionAttempt.cancel()", "ConnectionAttempt.cancel()") {
            let reactor = try Reactor()
            let attempt = reactor.connectOnce(to: .loopback(port: 1)) { _ in }
            OtherThread.run { attempt.cancel() }
        },
    ]

    private static func onReactor(
        _ call: String, _ name: String? = nil,
        _ commit: @escaping @Sendable (Reactor) throws -> Any?
    ) -> Misuse {
        Misuse(name ?? call, call) {
            let reactor = try Reactor()
            OtherThread.run { _ = try? commit(reactor) }
        }
    }

    private static func onSession(
        _ call: String, _ name: String? = nil, _ commit: @escaping @Sendable (Session) -> Any?
    ) -> Misuse {
        Misuse(name ?? call, call) {
            let bench = try Bench()
            _ = try bench.connect()
            let session = bench.sessions[0]
            OtherThread.run { _ = commit(session) }
        }
    }

    private static func onGroup(
        _ call: String, _ commit: @escaping @Sendable (SessionGroup, Session) -> Any?
    ) -> Misuse {
        Misuse(call, call) {
            let bench = try Bench()
            _ = try bench.connect()
            let (group, session) = (bench.reactor.makeGroup(), bench.sessions[0])
            OtherThread.run { _ = commit(group, session) }
        }
    }

    private static func onServer(
        _ call: String, _ commit: @escaping @Sendable (Server) -> Any?
    ) -> Misuse {
        Misuse(call, call) {
            let reactor = try Reactor()
            let server = try reactor.listen(on: Bench.unixName()) { _ in }
            OtherThread.run { _ = commit(server) }
        }
    }

    private static func onClient(
        _ call: String, _ commit: @escaping @Sendable (Client) -> Any?
    ) -> Misuse {
        Misuse(call, call) {
            let reactor = try Reactor()
            let client = reactor.makeClient(to: "127.0.0.1:1")
            OtherThread.run { _ = commit(client) }
        }
    }
}
