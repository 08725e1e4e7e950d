// A key-value server: an actor answers, later, and a signal ends it once it has answered.
import Glibc
import Tron

@main struct KeyValueExample {
    private static let help = """
        Keeps values by keys, in memory.

        usage: example-key-value serve --port N [--delay MILLISECONDS]

          --port N     where to listen on 127.0.0.1; 0: the kernel chooses
          --delay N    answers so much later, as a disk would; default 0

        A request is a packet: category 1 gets, 2 sets, 3 removes. Its data is the key's length in
        a byte, the key, and for a set the value. The answer's data is a byte: 0 there was no such
        key, 1 there was, 2 the server is full; to a get the value follows. What is no request ends
        its connection. SIGTERM ends the server once it has answered; a second one at once.
        """

    static func main() async throws {
        var port: UInt16?
        var delay: Int? = 0
        var words = CommandLine.arguments.dropFirst()
        if words.contains("--help") { return print(help) }
        if words.popFirst() != "serve" { misused() }
        while let name = words.popFirst() {
            switch name {
            case "--port": port = words.popFirst().flatMap { UInt16($0) }
            case "--delay": delay = words.popFirst().flatMap { Int($0) }
            default: misused()
            }
        }
        guard let port, let delay, (0...60_000).contains(delay) else { misused() }
        try await serve(port: port, delay: .milliseconds(delay))
    }

    private static func misused() -> Never {
        print(help)
        exit(64)
    }

    private static func serve(port: UInt16, delay: Duration) async throws {
        let service = ReactorService { reactor in
            try setUp(reactor, port: port, delay: delay)
        }
        try await service.run()
    }

    /// All of the server but its process: so a test can have it on a simulated network.
    static func setUp(_ reactor: Reactor, port: UInt16, delay: Duration) throws {
        let (remote, executor) = (reactor.remote, reactor.executor)
        let store = Store(on: executor)
        var options = ServerOptions()
        options.session.limits.maximumDataLength = 64 << 10
        // So many answers of a session may be in the making, and each has room.
        options.session.limits.maximumOwedReplies = 64
        options.session.limits.reservedReplyLength = 64 << 10
        let address = SocketAddress.loopback(port: port)
        let server = try reactor.listen(on: address, options: options) { session in
            session.onPacket { session, packet in
                guard let request = Request(packet) else { return session.close() }
                // From here on an answer is owed: a drain waits for it.
                let address = session.replyAddress(of: packet)
                Task(executorPreference: executor) {
                    if delay > .zero { try? await remote.sleep(for: delay) }
                    remote.reply(to: address, data: await store.answer(request))
                }
            }
        }
        var isEnding = false
        try reactor.onSignal(.terminate, .interrupt) { _ in
            if isEnding { return reactor.stop() }
            isEnding = true
            reactor.drain(within: .seconds(8)) { report in say("\(report)") }
        }
        say("listening on \(server.address)")
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
