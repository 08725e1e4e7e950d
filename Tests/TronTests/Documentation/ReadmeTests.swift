// What the README claims in code: its snippets stand here too, compiled and run.
import Foundation
import Testing
import TronMetrics
import TronTestKit

@testable import Tron

private let here = URL(filePath: #filePath)

/// The Swift blocks of a page, without their indentation.
private func blocks(of page: String) throws -> [String] {
    let root = (1...4).reduce(here) { path, _ in path.deletingLastPathComponent() }
    let text = try String(contentsOf: root.appending(path: page), encoding: .utf8)
    return text.components(separatedBy: "```swift\n").dropFirst()
        .map { $0.components(separatedBy: "```")[0] }
        .map { $0.replacingOccurrences(of: "import Tron\n\n", with: "") }
        .map { $0.replacingOccurrences(of: "import TronMetrics\n\n", with: "") }
        .map { $0.replacingOccurrences(of: "import TronTestKit\n\n", with: "") }
}

/// The lines of this file between `// snippet: NAME` and `// end`, moved to the left margin.
private func snippet(_ name: String) throws -> String {
    let lines = try String(contentsOf: here, encoding: .utf8).components(separatedBy: "\n")
    let start = try #require(lines.firstIndex { $0.hasSuffix("// snippet: \(name)") })
    let body = lines[(start + 1)...].prefix { !$0.hasSuffix("// end") }
    let indent = lines[start].prefix { $0 == " " }.count
    return body.map { String($0.dropFirst(indent)) }.joined(separator: "\n") + "\n"
}

/// The README shows a whole program with fixed addresses; the tests need free ones.
private func asInReadme(_ code: String) -> String {
    code.replacingOccurrences(of: "on: address", with: "on: \"127.0.0.1:9000\"")
        .replacingOccurrences(of: "to: address", with: "to: \"127.0.0.1:9000\"")
        .replacingOccurrences(of: "port: 0", with: "port: 9100")
        .replacingOccurrences(of: "on: other", with: "on: \"127.0.0.1:9001\"")
        .replacingOccurrences(of: "log(", with: "print(")
        .replacingOccurrences(of: "unsafe ", with: "")
}

@Suite struct ReadmeTests {
    @Test(arguments: [
        "server", "client", "request", "await", "ending", "farewell", "service", "group",
        "every core", "supervisor", "lines", "bytes", "room", "task", "proxied", "watching",
        "simulated",
    ])
    func `the README shows just the code that is run here`(_ name: String) throws {
        let code = try asInReadme(snippet(name))
        let endings = [
            "", "try reactor.run()\n", "try await service.run()\n",
            "let report = try await group.run()\n", "try await group.run()\n",
        ]
        let pages = try ["README.md", "Sources/cluster-demo/README.md"].flatMap(blocks)
        #expect(pages.contains { block in endings.contains { block == code + $0 } })
    }

    @Test func `the server, the client and the awaiting task do what the README says`() throws {
        let notes = Notes()
        let log: @Sendable (Any...) -> Void = { items in
            notes.add(items.map { "\($0)" }.joined(separator: " "))
        }
        let address = "unix:@tron-readme-\(UInt64.random(in: 0 ... .max))"
        // snippet: server
        let reactor = try Reactor()
        let server = try reactor.listen(on: address) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            session.onClose { session, reason in log(session.id, reason) }
        }
        // end
        try runClient(reactor, address, log, notes)
        #expect(server.counters.accepted == 1)
        #expect(notes.all.filter { $0 == "ping" }.count == 2)
        #expect(notes.all.starts(with: ["connecting", "connected"]))
        #expect(notes.all.last?.hasSuffix(" the reactor stopped") == true)
    }

    private func runClient(
        _ reactor: Reactor, _ address: String, _ log: @escaping @Sendable (Any...) -> Void,
        _ notes: Notes
    ) throws {
        // snippet: client
        let client = reactor.makeClient(
            to: address,
            reconnecting: Backoff(initial: .seconds(3), multiplier: 2, attempts: 8)
        ) { session in
            session.onPacket { _, packet in log("unasked for:", packet.text) }
        }
        client.onStateChange { _, state in log(state) }
        // end
        // snippet: request
        client.request(category: 1, data: "ping", timeout: .seconds(3)) { outcome in
            switch outcome {
            case .answered(let packet): log(packet.text)
            case .failed(let error): log(error)
            }
        }
        // end
        // snippet: await
        Task(executorPreference: reactor.executor) {
            let answer = try await client.request(category: 1, data: "ping", timeout: .seconds(3))
            log(answer.text)
        }
        // end
        reactor.schedule(after: .milliseconds(1), repeating: .milliseconds(1)) {
            if notes.all.filter({ $0 == "ping" }).count == 2 { reactor.stop() }
        }
        reactor.schedule(after: .seconds(10)) { reactor.stop() }
        try reactor.run()
    }

    static func serveLines(_ reactor: Reactor, on other: String) throws {
        // snippet: lines
        try reactor.listen(on: other) { session in
            session.onFrames(of: .lines()) { session, line in
                session.send(bytesCapacity: line.content.byteCount + 16) { output in
                    output.write("you said ")
                    output.write(line.content)
                    output.write("\n")
                }
            }
        }
        // end
    }

    static func servePrices(_ session: Session) {
        // snippet: bytes
        session.onPacket { session, packet in
            var input = ByteReader(packet.data)
            do throws(ByteReaderError) {
                let price = try input.readInteger(as: UInt32.self)
                let name = try input.readText(input.readInteger(as: UInt8.self))
                session.reply(to: packet, capacity: name.utf8.count + 20) { output in
                    output.write(name)
                    output.write(" costs ")
                    output.writeDecimal(price)
                }
            } catch {
                session.close()
            }
        }
        // end
    }

    @Test func `the server of prices reads integers and text and writes them`() throws {
        let bench = try Bench { session, _ in Self.servePrices(session) }
        let peer = try bench.connect()
        peer.send(
            OwnedPacket(category: 1, data: [0, 0, 1, 2, 3] + Array("tea".utf8)).wireBytes)
        try bench.reactor.turn(until: { peer.drained.texts == ["tea costs 258"] })
        peer.send(OwnedPacket(category: 1, data: [0, 0, 1, 2, 3] + Array("te".utf8)).wireBytes)
        try bench.reactor.turn(until: { !bench.sessions[0].isOpen })
    }

    @Test func `the server of prices survives random bytes`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let bench = try Bench { session, _ in Self.servePrices(session) }
            var random = SplitMix64(seed: 43)
            for _ in 0..<200 {
                let peer = try bench.connect()
                let data = (0..<random.next() % 12).map { _ in
                    UInt8(truncatingIfNeeded: random.next() % 4 == 0 ? random.next() : 0)
                }
                peer.send(OwnedPacket(category: 1, data: data).wireBytes)
                let session = try #require(bench.sessions.last)
                try bench.reactor.turn(until: { !session.isOpen || !peer.drained.texts.isEmpty })
            }
            exit(7)
        }
    }

    @Test func `the server of lines answers each line`() throws {
        let other = "unix:@tron-readme-\(UInt64.random(in: 0 ... .max))"
        let reactor = try Reactor()
        var received: [UInt8] = []
        try Self.serveLines(reactor, on: other)
        reactor.connectOnce(to: try SocketAddress(other)) { result in
            guard let session = try? result.get() else { return reactor.stop() }
            session.onBytes { _, bytes in
                received += bytes.copy()
                if received.count == 26 { reactor.stop() }
                return bytes.byteCount
            }
            session.send(bytes: "one\ntwo\nthr")
        }
        reactor.schedule(after: .seconds(10)) { reactor.stop() }
        try reactor.run()
        #expect(String(decoding: received, as: UTF8.self) == "you said one\nyou said two\n")
    }
}

extension ReadmeTests {
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

extension ReadmeTests {
    /// In a process of its own, which a trap would end. Says whether the server goes on and has
    /// answered as many lines as came.
    private static func survives(_ bytes: [UInt8]) throws -> Bool {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        let address = Bench.unixName()
        try serveLines(reactor, on: address)
        let peer = try Peer(to: SocketAddress(address))
        let stream = bytes + Array("\nlast\n".utf8)
        for piece in [stream.prefix(bytes.count), stream.dropFirst(bytes.count)] {
            peer.send(piece)
            try reactor.turn(times: 3)
        }
        peer.drain()
        let answer = Array("you said last\n".utf8)
        let lines = (peer.received.count { $0 == 10 }, stream.count { $0 == 10 })
        return peer.received.suffix(answer.count).elementsEqual(answer) && lines.0 == lines.1
            && !peer.isAtEnd && peer.error == 0
    }

    @Test func `the server of lines survives what is no text`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let lines: [[UInt8]] = [
                [0xff, 10], [10], [0xff], [0xc3, 10, 0xa4], [0xf0, 0x9f, 10], [0x80, 0x80, 10],
                [13, 10], [0, 10], [0xe2, 0x80, 0xa8, 10],
            ]
            exit(try lines.allSatisfy { try ReadmeTests.survives($0) } ? 7 : 1)
        }
    }

    @Test func `the server of lines survives random bytes`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            var random = SplitMix64(seed: 41)
            let texts = (0..<200).map { _ in
                (0..<random.next() % 300).map { _ in
                    random.next() % 8 == 0 ? 10 : UInt8(truncatingIfNeeded: random.next())
                }
            }
            exit(try texts.allSatisfy { try ReadmeTests.survives($0) } ? 7 : 1)
        }
    }
}

extension ReadmeTests {
    /// In a process of its own, which the signal would end.
    @Test func `a signal drains the reactor, and its run returns`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let reactor = try Reactor()
            try reactor.listen(on: Bench.unixName()) { _ in }
            var reports: [DrainReport] = []
            let log: (DrainReport) -> Void = { reports.append($0) }
            // snippet: ending
            var isEnding = false
            try reactor.onSignal(.interrupt, .terminate) { _ in
                if isEnding { return reactor.stop() }
                isEnding = true
                reactor.drain(within: .seconds(8)) { report in log(report) }
            }
            // end
            kill(getpid(), SIGTERM)
            try reactor.run()
            exit(reports == [DrainReport()] ? 7 : 1)
        }
    }

    @Test func `the broker hears the last word of a reactor that drains`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        let broker = try Bench { session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                session.reply(to: packet, data: "")
            }
        }
        let client = reactor.makeClient(to: broker.server.address.description)
        func turn() throws -> Bool {
            try broker.reactor.turn()
            return try reactor.step()
        }
        while try client.session == nil && turn() {}
        // snippet: farewell
        reactor.onDrained { report, finish in
            client.request(category: 1, data: "leaving", timeout: .milliseconds(500)) { _ in
                finish()
            }
        }
        // end
        reactor.drain(within: .seconds(8))
        while try turn() {}
        #expect(broker.texts == ["leaving"])
    }

    @Test func `a program that is to be handed its listener says when it is not`() throws {
        func serve() throws {
            let reactor = try Reactor()
            // snippet: supervisor
            let inherited = try InheritedListeners.take()
            try reactor.listen(on: inherited.claim("echo")) { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
            if let supervisor = try Supervisor.ofThisProcess() { reactor.report(to: supervisor) }
            // end
        }
        #expect(throws: SupervisorError.noListener(named: "echo")) { try serve() }
    }

    @Test func `the service serves until it is shut down`() async throws {
        let address = Bench.unixName()
        // snippet: service
        let service = ReactorService(drainingWithin: .seconds(8)) { reactor in
            try reactor.listen(on: address) { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
        }
        // end
        let run = Task { try await service.run() }
        var peer: Peer?
        for _ in 0..<10_000 where peer == nil {
            peer = try? Peer(to: SocketAddress(address))
            try await Task.sleep(for: .milliseconds(1))
        }
        peer?.send(wire("ping"))
        for _ in 0..<10_000 where peer?.drained.texts.isEmpty == true {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(peer?.texts == ["ping"])
        service.shutDown()
        peer?.finish()
        try await run.value
    }

    @Test func `a group has a room on every core`() async throws {
        let address = Bench.unixName()
        // snippet: every core
        let rooms = ReactorLocal<SessionGroup>()
        let group = ReactorGroup(count: .cores) { reactor, _ in
            rooms[reactor] = reactor.makeGroup()
        }
        try group.listen(on: address) { session in
            rooms[session]?.add(session)
            session.onPacket { _, packet in
                let text = packet.text
                group.submitToAll { reactor in rooms[reactor]?.send(category: 1, data: text) }
            }
        }
        // end
        let run = Task { try await group.run() }
        try await RunningGroup.wait { group.isReady }
        let peer = try Peer(to: SocketAddress(address))
        peer.send(wire("all"))
        #expect(peer.read(1) == ["all"])
        run.cancel()
        peer.finish()
        _ = try await run.value
    }

    @Test func `the group sends what one session says to those of all reactors`() async throws {
        let address = Bench.unixName()
        // snippet: group
        let rooms = ReactorLocal<SessionGroup>()
        let group = ReactorGroup(count: .cores, drainingWithin: .seconds(8)) { reactor, _ in
            rooms[reactor] = reactor.makeGroup()
        }
        try group.listen(on: address) { session in
            rooms[session]?.add(session)
            session.onPacket { session, packet in
                let text = packet.text
                group.submitToAll { reactor in rooms[reactor]?.send(category: 1, data: text) }
            }
        }
        // end
        let run = Task { try await group.run() }
        let peers = try (0..<4).map { _ in try Peer(to: SocketAddress(address)) }
        try await RunningGroup.wait { group.isReady }
        // Each is in a room once it has an answer.
        for (index, peer) in peers.enumerated() {
            peer.send(wire("\(index)"))
            #expect(peer.read(1).isEmpty == false)
        }
        peers[3].send(wire("last"))
        for peer in peers {
            var known = 0
            while !peer.texts.contains("last") && peer.read(known + 1).count > known {
                known = peer.texts.count
            }
            #expect(peer.texts.contains("last"))
        }
        run.cancel()
        for peer in peers { peer.finish() }
        let report = try await run.value
        #expect(report == .closing(4))
    }
}

/// What was logged, by whichever thread.
private final class Notes: Sendable {
    private let notes = Locked<[String]>([])

    var all: [String] { notes.withLock { $0 } }

    func add(_ note: String) { notes.withLock { $0.append(note) } }
}

extension ReadmeTests {
    @Test func `the simulated server answers, is cut off, crashes and comes back`() throws {
        var starts = 0
        let serve = { (reactor: Reactor) throws in
            starts += 1
            try reactor.listen(on: "127.0.0.1:9000") { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
        }
        // snippet: simulated
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server") { reactor in try serve(reactor) }

        let peer = try network.connect(to: "127.0.0.1:9000", named: "mobile")
        peer.send(category: 1, data: "ping")
        try network.run(until: { peer.packets.map(\.text) == ["ping"] })

        network.partition("mobile", from: "server")
        network.advance(by: .seconds(3600))
        server.crash()
        try server.restart()
        network.heal()
        try network.finish()
        // end
        #expect(starts == 2 && network.now > .seconds(3600))
    }
}
