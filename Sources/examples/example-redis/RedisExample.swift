// As much of Redis as redis-cli and redis-benchmark need, and a client that checks such a server.
import Glibc
import Tron

@main struct RedisExample {
    private static let help = """
        Speaks RESP, the protocol of Redis.

        usage: example-redis serve --port N
               example-redis check --port N [--requests N]

        serve: keeps values in memory, on 127.0.0.1; port 0: the kernel chooses. Knows PING, ECHO,
        SET, GET, DEL, EXISTS, INCR and QUIT, and what tools ask before they begin. SIGTERM ends it
        once what it has answered has left; a second one at once.

        check: sends a server on 127.0.0.1 random commands over one connection, many at a time, and
        compares the replies with a dictionary's; default 10000 requests. Its keys begin with
        "example-redis:". Status 0: every reply was right.
        """

    static func main() throws {
        var port: UInt16?
        var requests: Int? = 10_000
        var words = CommandLine.arguments.dropFirst()
        if words.contains("--help") { return print(help) }
        let command = words.popFirst()
        while let name = words.popFirst() {
            switch (command, name) {
            case (_, "--port"): port = words.popFirst().flatMap { UInt16($0) }
            case ("check", "--requests"): requests = words.popFirst().flatMap { Int($0) }
            default: misused()
            }
        }
        guard let port, let requests, requests > 0 else { misused() }
        switch command {
        case "serve": try serve(on: .loopback(port: port))
        case "check": try exit(Check(requests: requests).run(to: .loopback(port: port)) ? 0 : 1)
        default: misused()
        }
    }

    private static func misused() -> Never {
        print(help)
        exit(64)
    }

    private static func serve(on address: SocketAddress) throws {
        let reactor = try Reactor()
        let database = Database()
        var options = ServerOptions()
        // As many as Redis has by default.
        options.limits.maximumSessions = 10_000
        let server = try reactor.listen(on: address, options: options) { session in
            session.onFrames(of: RequestFraming()) { session, frame in
                database.answer(frame, on: session)
            }
        }
        var isEnding = false
        try reactor.onSignal(.terminate, .interrupt) { _ in
            if isEnding { return reactor.stop() }
            isEnding = true
            reactor.drain(within: .seconds(8)) { report in print(report) }
        }
        print("listening on \(server.address)")
        fflush(nil)
        try reactor.run()
    }
}
