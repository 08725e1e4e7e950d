// The Redis example's client: what it says of a right server, of wrong ones, and of none.
import Testing
import Tron

@testable import example_redis

@Suite struct RedisCheckTests {
    @Test func `the client finds the example's own server right, also a second time`() throws {
        let server = try RedisServer()
        for _ in 0..<2 {
            let outcome = try RedisServer.check(server.address).awaitEnd()
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(outcome.output.hasPrefix("2000 replies right, "))
        }
        server.process.signal(15)
        #expect(try server.process.awaitEnd().status == 0)
    }

    /// What becomes of the client's check of a server that answers right `count` times, and then
    /// in another way.
    private func checked(
        rightReplies count: Int, then lie: @escaping (Session) -> Void
    ) throws -> ProcessUnderTest.Outcome {
        let reactor = try Reactor()
        let database = Database()
        var answered = 0
        let server = try reactor.listen(on: "127.0.0.1:0") { session in
            session.onFrames(of: RequestFraming()) { session, frame in
                answered += 1
                if answered <= count { database.answer(frame, on: session) } else { lie(session) }
            }
            session.onClose { _, _ in reactor.stop() }
        }
        let process = try RedisServer.check(server.address)
        reactor.schedule(after: .seconds(30)) { reactor.stop() }
        try reactor.run()
        return try process.awaitEnd()
    }

    @Test(arguments: ["+OK\r\n", "-ERR no\r\n", "$5\r\nwrong\r\n", ":2\r\n:2\r\n", "$-1\r\n"])
    func `a wrong reply ends the check at once`(reply: String) throws {
        let outcome = try checked(rightReplies: 0) { $0.send(bytes: reply) }
        // One reply to the DEL that comes first is no proof of a wrong server.
        let number = reply.hasPrefix(":") ? 33 : 1
        #expect(outcome.status == 1 && outcome.output.hasPrefix("reply \(number) is wrong"))
    }

    @Test func `a wrong reply after right ones, bytes that are none, and an end are told`() throws {
        let wrong = try checked(rightReplies: 500) { $0.send(bytes: "-ERR no\r\n") }
        #expect(wrong.status == 1 && wrong.output == "reply 501 is wrong: ERR no\n")
        let none = try checked(rightReplies: 500) { $0.send(bytes: "OK\r\n") }
        #expect(none.status == 1 && none.output.contains("malformed frame"))
        let end = try checked(rightReplies: 500) { $0.close() }
        #expect(end.status == 1 && end.output == "after 500 replies: closed by the peer\n")
    }

    @Test func `where nobody listens, the check fails`() throws {
        let listener = try SilentListener()
        let address = listener.address
        withExtendedLifetime(listener) {}
        _ = consume listener
        let outcome = try RedisServer.check(address).awaitEnd()
        #expect(outcome.status == 1 && outcome.output.contains("connect"))
    }

    @Test func `help says what there is, and misuse is told`() throws {
        let help = try ProcessUnderTest(["--help"], of: "example-redis").awaitEnd()
        #expect(help.status == 0 && help.output.contains("check --port"))
        for words in [
            [], ["serve"], ["check"], ["serve", "--port"], ["serve", "--port", "65536"],
            ["serve", "--port", "0", "--requests", "1"], ["play", "--port", "1"],
            ["check", "--port", "1", "--requests", "0"],
        ] {
            let outcome = try ProcessUnderTest(words, of: "example-redis").awaitEnd()
            #expect(outcome.status == 64, "\(words)")
        }
    }
}
