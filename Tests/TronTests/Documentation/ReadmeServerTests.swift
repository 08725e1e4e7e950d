// The README's servers of many clients: a room, behind a proxy, with tasks, and watched.
import Testing
import TronMetrics

@testable import Tron

@Suite struct ReadmeServerTests {
    @Test func `the room gives each line to the others`() throws {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        let other = Bench.unixName()
        // snippet: room
        let room = reactor.makeGroup()
        try reactor.listen(on: other) { session in
            room.add(session)
            session.onFrames(of: .lines()) { session, line in
                room.send(bytes: "\(session.id): \(line.text)\n", except: session)
            }
        }
        // end
        let peers = try (0..<3).map { _ in try Peer(to: SocketAddress(other)) }
        try reactor.turn(until: { room.count == 3 })
        peers[0].send(Array("hello\nworld\n".utf8))
        try reactor.turn(times: 3)
        for peer in peers { peer.drain() }
        #expect(peers[0].received.isEmpty)
        for peer in peers.dropFirst() {
            let lines = String(decoding: peer.received, as: UTF8.self).split(separator: "\n")
            #expect(lines.count == 2 && lines[0].hasSuffix(": hello"))
            #expect(lines[1].hasSuffix(": world"))
        }
    }

    @Test func `the server behind a proxy prints its clients`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let address = "127.0.0.1:0"
        var notes: [String] = []
        func log(_ words: String...) { notes.append(words.joined(separator: " ")) }
        // snippet: proxied
        var options = ServerOptions()
        options.proxyProtocol = try .required(from: [Network("10.0.0.0/8"), Network("127.0.0.1")])
        try reactor.listen(on: address, options: options) { session in
            log(session.remoteAddress?.description ?? "unknown")
            if let tls = session.proxied?.tls, tls.isVerified, let name = tls.commonName {
                log("whose certificate names", String(decoding: name, as: UTF8.self))
            }
        }
        // end
        let peer = try Peer(to: reactor.servers[0].address)
        let name = ProxyHeaderText.value(0x22, Array("alice".utf8))
        peer.send(ProxyHeaderText.ipv4.with(0x20, [3, 0, 0, 0, 0] + name).bytes)
        try reactor.turn(until: { notes.count == 2 })
        #expect(notes == ["192.0.2.1:56324", "whose certificate names alice"])
    }

    @Test func `the session's task answers each packet`() throws {
        let reactor = try Reactor()
        let other = Bench.unixName()
        // snippet: task
        try reactor.listen(on: other) { session in
            session.task { session in
                for try await packet in session.packets {
                    try await session.reply(to: packet, data: packet.data)
                }
            }
        }
        // end
        var texts: [String] = []
        reactor.connectOnce(to: try SocketAddress(other)) { result in
            guard let session = try? result.get() else { return reactor.stop() }
            session.onPacket { _, packet in
                texts.append(packet.text)
                if texts.count == 3 { reactor.stop() }
            }
            for text in ["one", "two", "three"] { session.send(category: 1, data: text) }
        }
        reactor.schedule(after: .seconds(10)) { reactor.stop() }
        try reactor.run()
        #expect(texts == ["one", "two", "three"])
    }

    @Test func `metrics are served and events are told`() throws {
        let reactor = try Reactor()
        var events: [String] = []
        let log: (ReactorEvent) -> Void = { events.append("\($0)") }
        let rooms = ["a": reactor.makeGroup()]
        // snippet: watching
        let metrics = try reactor.serveMetrics(port: 0) { metrics in
            metrics.gauge("chat_rooms", "Rooms with a member.", rooms.count)
        }
        reactor.onEvent { event in log(event) }
        // end
        var answer = ""
        reactor.connectOnce(to: metrics.address) { result in
            guard let session = try? result.get() else { return reactor.stop() }
            session.onBytes { _, bytes in
                answer += bytes.text
                if answer.contains("tron_handler_seconds_count") { reactor.stop() }
                return bytes.byteCount
            }
            session.send(bytes: "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        }
        reactor.schedule(after: .seconds(10)) { reactor.stop() }
        try reactor.run()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(events.contains { $0.contains(": connected to 127.0.0.1:") })
        #expect(events.contains { $0.contains(": accepted 127.0.0.1:") })
    }
}
