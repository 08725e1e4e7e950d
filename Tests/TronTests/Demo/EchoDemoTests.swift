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

// MARK: - The command line

extension EchoDemoTests {
    private static let options = [
        "--port", "--host", "--unix", "--idle", "--max-data", "--reactors", "--metrics",
        "--timeout",
        "--retry-initial", "--retry-multiplier", "--retry-cap", "--retry-attempts", "--jitter",
    ]

    @Test func `help and version`() throws {
        let version = try ProcessUnderTest.run(["--version"])
        #expect(version.status == 0)
        #expect(version.output == "echo-demo 0.1.0\n")
        for arguments in [["--help"], ["serve", "--help"]] {
            let help = try ProcessUnderTest.run(arguments)
            #expect(help.status == 0)
            for option in Self.options { #expect(help.output.contains(option)) }
            #expect(help.errors == "")
        }
    }

    @Test(arguments: [
        "shout": "unknown command shout", "--loud": "unknown option --loud",
        "serve": "serve needs --port or --unix, or listeners handed over by a supervisor",
        "connect": "connect needs --port or --unix",
        "serve --port": "--port needs a value, N",
        "serve --port --host": "--port needs a value, N",
        "serve --port nine": "--port: nine is not a number",
        "serve --port -1": "--port: -1 is not a number",
        "serve --port 65536": "--port: 65536 is not within 0 to 65535",
        "serve --port 1 --port 2": "--port is given twice",
        "serve --port 1 --loud 2": "unknown option --loud of serve",
        "serve --port 1 --timeout 2": "unknown option --timeout of serve",
        "serve --unix /a --host ::1": "--host and --unix exclude each other",
        "serve --unix /a --port 1": "--port and --unix exclude each other",
        "serve --port 1 --idle 0": "--idle: 0 s is not more than 0 and at most a billion",
        "serve --port 1 --idle 1e3": "--idle: 1e3 is not a number of seconds",
        "serve --port 1 --max-sessions 0": "--max-sessions: 0 is not within 1 to 1000000000",
        "serve --port 1 --reactors 0": "--reactors: 0 is not within 1 to 1024",
        "serve --port 1 --reactors 2 --metrics 9":
            "--metrics shows one reactor: --reactors 1",
        "serve --reactors 2 --watch --port 1": "--watch shows one reactor: --reactors 1",
        "serve --reactors 2":
            "serve needs --port or --unix, or listeners handed over by a supervisor",
        "serve --port 1 --metrics 65536": "--metrics: 65536 is not within 0 to 65535",
        "serve --port 1 --metrics a:1":
            #"--metrics: "a:1" is not a socket address: "#
            + "the host is a name, which has to be resolved to an address first",
        "serve --port 1 --host localhost":
            #""localhost:1" is not a socket address: "#
            + "the host is a name, which has to be resolved to an address first",
        "serve --port 1 --jitter full": "unknown option --jitter of serve",
        "connect --port 0": "--port: nobody can connect to port 0",
        "connect --port 1 --host 1.2.3":
            #""1.2.3:1" is not a socket address: "#
            + "the host is neither an IPv4 address nor an IPv6 address in brackets",
        "connect --port 1 --jitter": "--jitter needs a value, none|full|equal",
        "connect --port 1 --jitter some": "--jitter: some is not none, full or equal",
        "connect --port 1 --retry-initial 0":
            "--retry-initial: 0 s is not more than 0 and at most a billion",
        "connect --port 1 --retry-multiplier 0.5":
            "--retry-multiplier: 0.5 is not within 1 to 1000",
        "connect --port 1 --retry-multiplier inf": "--retry-multiplier: inf is not a number",
        "connect --port 1 --retry-cap 1": "--retry-cap is less than --retry-initial",
        "connect --port 1 --retry-attempts 0": "--retry-attempts: 0 is not within 1 to 1000000000",
    ])
    func `misuse exits 64 with the reason and the usage`(line: String, reason: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        let outcome = try ProcessUnderTest.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == "echo-demo: \(reason)")
        #expect(lines.last?.hasPrefix("usage: echo-demo ") == true)
    }
}
