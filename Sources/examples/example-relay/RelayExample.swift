// A relay: many peers ask one backend, over one connection that is made anew when it is lost.
import Glibc
import Tron

@main struct RelayExample {
    private static let help = """
        Gives the requests of many peers to one backend, and its answers back.

        usage: example-relay serve --port N --backend ADDRESS [--timeout MILLISECONDS]

          --port N           where to listen on 127.0.0.1; 0: the kernel chooses
          --backend ADDRESS  127.0.0.1:9000, [::1]:9000 or /run/backend.sock
          --timeout N        how long the backend has for an answer; default 3000

        A request is a packet of any category but 255, with a sequence that is not negative and at
        most 64 KiB of data; what is none ends its connection. The backend gets it under another
        sequence; its answer comes back under the peer's own, with the category and the data that
        the backend gave it. The backend gets the requests of a peer in their order, and a peer its
        answers in the order in which the backend gave them.

        A request without an answer is told: category 255, and a byte of data. 1 the connection to
        the backend was lost, 2 no answer came in time: it may have been carried out. 3 it was
        not carried out. 4 the backend's answer has the category 255. A request that is not sent
        yet when the connection is lost goes to the next one.

        Each peer may have 16 requests on their way; further ones are not read meanwhile. Peers
        take turns when the backend is slow; one that does not read its answers waits alone.
        At most 128 peers. SIGTERM ends the relay once all is answered or told; a second one at
        once.
        """

    static func main() throws {
        var port: UInt16?
        var backend: SocketAddress?
        var timeout: Int? = 3000
        var words = CommandLine.arguments.dropFirst()
        if words.contains("--help") { return print(help) }
        if words.popFirst() != "serve" { misused() }
        while let name = words.popFirst() {
            switch name {
            case "--port": port = words.popFirst().flatMap { UInt16($0) }
            case "--backend": backend = words.popFirst().flatMap { try? SocketAddress($0) }
            case "--timeout": timeout = words.popFirst().flatMap { Int($0) }
            default: misused()
            }
        }
        guard let port, let backend, let timeout, (1...60_000).contains(timeout) else { misused() }
        try serve(port: port, backend: backend, timeout: .milliseconds(timeout))
    }

    private static func misused() -> Never {
        print(help)
        exit(64)
    }

    private static func serve(port: UInt16, backend: SocketAddress, timeout: Duration) throws {
        let reactor = try Reactor()
        try setUp(reactor, port: port, backend: backend, timeout: timeout)
        try reactor.run()
    }

    /// All of the relay but its process: so a test can have it on a simulated network.
    static func setUp(
        _ reactor: Reactor, port: UInt16, backend: SocketAddress, timeout: Duration
    ) throws {
        let relay = Relay(to: backend, on: reactor, timeout: timeout)
        let server = try reactor.listen(on: .loopback(port: port), options: peers) { session in
            session.onPacket { session, packet in relay.take(packet, of: session) }
        }
        var isEnding = false
        try reactor.onSignal(.terminate, .interrupt) { _ in
            if isEnding { return reactor.stop() }
            isEnding = true
            // What waits its turn may wait for as long as what is before it, and then its own time.
            reactor.drain(within: timeout * 2 + .seconds(2)) { report in
                say("\(report); \(relay.answered) answered, \(relay.failed) not")
            }
        }
        say("listening on \(server.address)")
        say("all buffers together take at most \(reactor.memoryBound >> 20) MiB")
    }

    /// A peer's session does not read while it owes 16 replies, each of which has room, nor while
    /// more than 512 KiB wait to be sent to it.
    private static var peers: ServerOptions {
        var options = ServerOptions()
        options.limits.maximumSessions = 128
        options.session.limits.maximumDataLength = Relay.maximumDataLength
        options.session.limits.maximumOwedReplies = 16
        options.session.limits.reservedReplyLength = Relay.maximumDataLength
        options.session.limits.maximumQueuedBytes = 512 << 10
        return options
    }
}

func say(_ line: String) {
    print(line)
    fflush(nil)
}
