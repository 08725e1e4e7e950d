// `echo-demo connect` as its users meet it: lines, states, restarts, and the end of patience.
import Glibc
import Testing
import Tron

@Suite struct EchoDemoConnectTests {
    /// Retries that a test has the time for.
    private static func retrying(_ attempts: Int, multiplier: Int = 1) -> [String] {
        [
            "--retry-initial", "0.05", "--retry-multiplier", "\(multiplier)",
            "--retry-attempts", "\(attempts)", "--jitter", "none",
        ]
    }

    /// A port where nobody listens, and the arguments that connect to it.
    private static func vacant() throws -> (address: SocketAddress, arguments: [String]) {
        let server = try EchoServer()
        _ = try server.end(with: SIGTERM)
        return (server.address, server.connect)
    }

    @Test(arguments: ["", "one\n", "one\ntwo\n\nlast without newline", "a\r\nb\r\n"])
    func `it prints the answer to each line, and its states`(input: String) throws {
        let server = try EchoServer()
        let outcome = try ProcessUnderTest.run(server.connect, input: input)
        #expect(outcome.status == 0)
        let isComplete = input.isEmpty || input.utf8.last == UInt8(ascii: "\n")
        #expect(outcome.output == (isComplete ? input : input + "\n"))
        #expect(outcome.errors == "connecting\nconnected\nclosed\n")
    }

    @Test func `it answers a line before the input has ended`() throws {
        let server = try EchoServer()
        let client = try ProcessUnderTest(server.connect)
        client.write("first\n")
        #expect(try client.readLine() == "first")
        client.write("second\n")
        #expect(try client.readLine() == "second")
        client.endInput()
        #expect(try client.awaitEnd().status == 0)
    }

    @Test func `it finds a host by name`() throws {
        let server = try EchoServer()
        let outcome = try ProcessUnderTest.run(
            server.connect + ["--host", "localhost"], input: "by name\n")
        #expect(outcome.status == 0)
        #expect(outcome.output == "by name\n")
    }

    @Test func `a line that is too long is refused with the reason`() throws {
        let server = try EchoServer()
        let line = String(repeating: "x", count: (1 << 20) + 1)
        let outcome = try ProcessUnderTest.run(server.connect, input: line + "\n")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasSuffix("not sent: more data than a packet may have\n"))
    }

    @Test func `it does not wait for ever for an answer`() throws {
        let listener = try SilentListener()
        let port = try #require(listener.address.port)
        let outcome = try ProcessUnderTest.run(
            ["connect", "--port", "\(port)", "--timeout", "0.1"], input: "anybody?\n")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors == """
                connecting
                connected
                echo-demo: \(listener.address): no answer for 0.1 seconds

                """)
    }
}

// MARK: - Coming back

extension EchoDemoConnectTests {
    @Test func `it gives up with the reason after the attempts that it may make`() throws {
        let vacant = try Self.vacant()
        let outcome = try ProcessUnderTest.run(
            vacant.arguments + Self.retrying(2, multiplier: 2), input: "lost\n")
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        #expect(
            outcome.errors == """
                connecting
                waiting 0.05 s before attempt 1
                connecting
                waiting 0.1 s before attempt 2
                connecting
                echo-demo: gave up: \(vacant.address): connect: Connection refused

                """)
    }

    @Test func `it gives up when the server does not come back`() throws {
        let server = try EchoServer()
        let client = try ProcessUnderTest(server.connect + Self.retrying(1))
        client.write("first\n")
        #expect(try client.readLine() == "first")
        server.process.signal(SIGTERM)
        let outcome = try client.awaitEnd()
        #expect(outcome.status == 1)
        #expect(
            outcome.errors == """
                connecting
                connected
                waiting 0.05 s before attempt 1
                connecting
                echo-demo: gave up: \(server.address): connect: Connection refused

                """)
    }

    @Test func `it waits for a server that is started later`() throws {
        let vacant = try Self.vacant()
        let client = try ProcessUnderTest(vacant.arguments + Self.retrying(1000))
        client.write("early\n")
        client.endInput()
        try client.awaitErrors("waiting 0.05 s before attempt 2")
        let server = try EchoServer(Array(vacant.arguments.dropFirst()))
        #expect(server.address == vacant.address)
        let outcome = try client.awaitEnd()
        #expect(outcome.status == 0)
        #expect(outcome.output == "early\n")
        #expect(outcome.errors.hasPrefix("connecting\nwaiting 0.05 s before attempt 1\n"))
        #expect(outcome.errors.hasSuffix("connecting\nconnected\nclosed\n"))
    }

    /// Killed, the server resets the connection; told to end, it finishes the stream first.
    @Test(arguments: [SIGKILL, SIGTERM])
    func `no line is lost or out of place when the server restarts`(signal: Int32) throws {
        var server = try EchoServer()
        let arguments = Array(server.connect.dropFirst())
        let client = try ProcessUnderTest(server.connect + Self.retrying(1000))
        // Few enough that the client can write all answers while nobody reads them.
        let (rounds, linesPerRound) = (4, 150)
        for round in 1...rounds {
            let lines = (0..<linesPerRound).map { "\(round).\($0)" }
            client.write(lines.prefix(50).joined(separator: "\n") + "\n")
            var answers = [try client.readLine()]
            // While it stands still it answers nothing: what is sent now is on its way at the end.
            server.process.signal(SIGSTOP)
            client.write(lines.dropFirst(50).joined(separator: "\n") + "\n")
            usleep(50_000)
            server.process.signal(signal)
            server.process.signal(SIGCONT)
            _ = try server.process.awaitEnd()
            server = try EchoServer(arguments)
            while answers.count < linesPerRound { answers.append(try client.readLine()) }
            #expect(answers == lines)
        }
        client.endInput()
        let outcome = try client.awaitEnd()
        #expect(outcome.status == 0)
        #expect(outcome.output == "")
        let connections = outcome.errors.split(separator: "\n").filter { $0 == "connected" }
        // A server that is told to end may answer all before it does; then there is no need to
        // connect again after the last round.
        #expect(connections.count >= rounds)
    }
}
