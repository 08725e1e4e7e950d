// The demo as its users meet it: a process with arguments, streams, signals and an exit status.
import Glibc
import Testing
import Tron

@Suite struct EchoDemoTests {
    private static let ping: [UInt8] = [
        0xff, 0xff, 0xff, 0xff, 0x01, 0x00, 0x00, 0x00, 0x04, 0x70, 0x69, 0x6e, 0x67, 0x0d, 0x0a,
    ]

    @Test func `alone it shows every step and exits 0`() throws {
        let outcome = try ProcessUnderTest.run([])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        let inOrder = [
            "1. Two packets in one write", #"data "one""#, #"data "two""#,
            "2. One packet in two writes", "12 bytes, 0 whole packets", #"data "in two pieces""#,
            "3. CR LF inside the data", #"data "a\r\nb\r\n""#,
            "4. An idle session", #"data "then silence""#, "no bytes moved for too long",
            "5. A bad packet after a good one", #"data "good""#,
            "protocol fault: trailer 0x213f in place of CR LF",
            "6. A request and its answer", #"sequence 0, category 1, data "ping""#,
            "7. A request that times out", "no answer in time", "1 late answer",
            "8. The server goes away", "recv: Connection reset by peer",
            "9. Nobody listens", "waiting 0.1 s before attempt 1", "connecting, after ",
            "waiting 0.2 s before attempt 2", "connecting, after ",
            "waiting 0.4 s before attempt 3",
            "10. The server is back", "listens again", "connecting, after ", "connected",
            #"sequence 3, category 1, data "twice if need be""#, "closed",
            "11. Giving up", "waiting 0.05 s before attempt 1", "waiting 0.1 s before attempt 2",
            "not connected", "connect: Connection refused",
            "All 11 steps went as they have to",
        ]
        var rest = outcome.output[...]
        for text in inOrder {
            let found = try #require(rest.firstRange(of: text), "\(text) is not shown")
            rest = rest[found.upperBound...]
        }
    }

    @Test func `serve gives a captured packet back byte for byte`() throws {
        let server = try EchoServer()
        let client = try PlainClient(server.address)
        client.send(Self.ping)
        #expect(try client.receive(count: 15) == Self.ping)
        #expect(try server.end(with: SIGTERM, closing: client).status == 0)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends serve with 0 and no more output`(signal: Int32) throws {
        let outcome = try EchoServer().end(with: signal)
        #expect(outcome.status == 0)
        #expect(outcome.output == "")
        #expect(outcome.errors == "")
    }

    @Test func `a second signal during the drain ends serve at once`() throws {
        let server = try EchoServer()
        let client = try PlainClient(server.address)
        client.send(Self.ping)
        #expect(try client.receive(count: 15) == Self.ping)
        server.process.signal(SIGTERM)
        // The server has closed its end, and now waits up to five seconds for this one.
        #expect(try client.receive(count: 1) == [])
        let start = ContinuousClock.now
        #expect(try server.end(with: SIGINT).status == 0)
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    @Test func `serve listens on IPv6 and on a Unix path, and removes its file`() throws {
        #expect(try EchoServer(["--port", "0", "--host", "::1"]).address.host == "::1")
        let path = "/tmp/echo-demo-\(getpid())-\(UInt32.random(in: 0 ... .max)).socket"
        let server = try EchoServer(["--unix", path])
        #expect(server.address == (try SocketAddress(path)))
        let outcome = try ProcessUnderTest.run(["connect", "--unix", path], input: "by file\n")
        #expect(outcome.status == 0)
        #expect(outcome.output == "by file\n")
        #expect(access(path, F_OK) == 0)
        #expect(try server.end(with: SIGTERM).status == 0)
        #expect(access(path, F_OK) != 0)
    }

    @Test func `a taken port is one line with the address, the call and the reason`() throws {
        let server = try EchoServer()
        let port = try #require(server.address.port)
        let outcome = try ProcessUnderTest.run(["serve", "--port", "\(port)"])
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        #expect(
            outcome.errors == "echo-demo: 127.0.0.1:\(port): bind: Address already in use\n")
    }

    @Test func `max-sessions refuses what is over, until a session ends`() throws {
        let server = try EchoServer(["--port", "0", "--max-sessions", "1"])
        let first = try PlainClient(server.address)
        first.send(Self.ping)
        #expect(try first.receive(count: 15) == Self.ping)
        #expect(try PlainClient(server.address, from: "127.0.0.2").receive(count: 1) == [])
        first.finish()
        #expect(try first.receive(count: 1) == [])
        let next = try PlainClient(server.address)
        next.send(Self.ping)
        #expect(try next.receive(count: 15) == Self.ping)
    }

    @Test func `max-per-address refuses one address and not the others`() throws {
        let server = try EchoServer(["--port", "0", "--max-per-address", "1"])
        let clients = try ["127.0.0.1", "127.0.0.2"].map { host in
            let client = try PlainClient(server.address, from: host)
            client.send(Self.ping)
            #expect(try client.receive(count: 15) == Self.ping)
            return client
        }
        for host in ["127.0.0.1", "127.0.0.2"] {
            #expect(try PlainClient(server.address, from: host).receive(count: 1) == [])
        }
        clients.forEach { $0.finish() }
    }

    @Test func `idle closes a silent session`() throws {
        let server = try EchoServer(["--port", "0", "--idle", "0.05"])
        #expect(try PlainClient(server.address).receive(count: 1) == [])
    }

    @Test func `max-data refuses a longer packet, after its predecessors were answered`() throws {
        let server = try EchoServer(["--port", "0", "--max-data", "4"])
        let client = try PlainClient(server.address)
        client.send(Self.ping + OwnedPacket(category: 1, data: [1, 2, 3, 4, 5]).wireBytes)
        #expect(try client.receive(count: 16) == Self.ping)
    }

    @Test func `serve serves with several reactors, and ends them all`() throws {
        let server = try EchoServer(["--port", "0", "--reactors", "3"])
        let clients = try (0..<9).map { _ in try PlainClient(server.address) }
        for client in clients { client.send(Self.ping) }
        for client in clients { #expect(try client.receive(count: Self.ping.count) == Self.ping) }
        server.process.signal(SIGTERM)
        for client in clients {
            #expect(try client.receive(count: 1) == [])
            client.finish()
        }
        #expect(try server.process.awaitEnd().status == 0)
    }

    @Test func `the metrics of several reactors tell of each`() throws {
        let server = try EchoServer(["--port", "0", "--reactors", "3", "--metrics", "0"])
        let words = try server.process.readLine().split(separator: " ")
        #expect(words.dropLast() == ["metrics", "on"])
        let clients = try (0..<30).map { _ in try PlainClient(server.address) }
        for client in clients {
            client.send(Self.ping)
            #expect(try client.receive(count: 15) == Self.ping)
        }
        let observer = try PlainClient(SocketAddress(String(words[2])))
        observer.send([UInt8]("GET /metrics HTTP/1.0\r\n\r\n".utf8))
        let answer = String(decoding: try observer.receive(count: .max), as: UTF8.self)
        let counts = (0..<3).compactMap { index in
            answer.split(separator: "\n")
                .first { $0.hasPrefix("tron_sessions_open{reactor=\"\(index)\"} ") }?
                .split(separator: " ").last.flatMap { Int($0) }
        }
        // That of the observer is one.
        #expect(counts.count == 3 && counts.reduce(0, +) == 31)
        #expect(counts.max()! - counts.min()! <= 10)
        clients.forEach { $0.finish() }
        #expect(try server.end(with: SIGTERM).status == 0)
    }

    @Test func `serve serves its metrics too, where it says`() throws {
        let server = try EchoServer(["--port", "0", "--metrics", "0"])
        let words = try server.process.readLine().split(separator: " ")
        #expect(words.dropLast() == ["metrics", "on"])
        let client = try PlainClient(SocketAddress(String(words[2])))
        client.send([UInt8]("GET /metrics HTTP/1.0\r\n\r\n".utf8))
        let answer = String(decoding: try client.receive(count: .max), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("\ntron_sessions_open 1\n"))
        #expect(try server.end(with: SIGTERM).status == 0)
    }
}
