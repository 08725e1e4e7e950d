// A producer with back pressure: each peer is sent a long stream as fast as it reads.
import Glibc
import Tron

@main struct StreamExample {
    private static let help = """
        Sends each peer that connects a stream, as fast as that reads it.

        usage: example-stream serve --port N --bytes N

          --port N    where to listen on 127.0.0.1; 0: the kernel chooses
          --bytes N   the length of the stream, at most 2^43

        A packet of category 1 is 4096 bytes of the stream, the last one fewer; its sequence is how
        many came before it. Eight bytes at the position p, which eight divides, are the big-endian
        integer p / 8 * 0x9E3779B97F4A7C15, modulo 2^64. A packet of category 2 follows when all was
        sent, and the end of the connection; one of category 3 when the server ends before that. The
        data of both is the number of bytes that were sent: eight bytes, big-endian.

        What peers send is read and dropped, and what is no packet ends their stream. So does their
        own end, and to read nothing for an hour. SIGTERM ends the server once its peers have been
        told, in 8 s at most; a second one at once.
        """

    static func main() throws {
        var port: UInt16?
        var length: Int?
        var words = CommandLine.arguments.dropFirst()
        if words.contains("--help") { return print(help) }
        if words.popFirst() != "serve" { misused() }
        while let name = words.popFirst() {
            switch name {
            case "--port": port = words.popFirst().flatMap { UInt16($0) }
            case "--bytes": length = words.popFirst().flatMap { Int($0) }
            default: misused()
            }
        }
        guard let port, let length, (0...Stream.maximumLength).contains(length) else { misused() }
        try serve(port: port, length: length)
    }

    private static func misused() -> Never {
        print(help)
        exit(64)
    }

    private static func serve(port: UInt16, length: Int) throws {
        let reactor = try Reactor()
        let server = try reactor.listen(
            on: SocketAddress.loopback(port: port), options: Stream.serverOptions
        ) { session in
            Stream(ofLength: length).begin(on: session)
        }
        var isEnding = false
        try reactor.onSignal(.terminate, .interrupt) { _ in
            if isEnding { return reactor.stop() }
            isEnding = true
            reactor.drain(within: .seconds(8)) { report in say("\(report)") }
        }
        say("listening on \(server.address)")
        try reactor.run()
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
