// A chat server: one call sends to all members of a room; one that does not read delays nobody.
import Glibc
import Tron

@main struct ChatExample {
    private static let help = """
        Lets members talk in rooms.

        usage: example-chat serve --port N

          --port N   where to listen on 127.0.0.1; 0: the kernel chooses

        A member sends packets. A name and a room are a byte with their length, and 1 to 32 bytes of
        UTF-8; a text is the rest of the data, 1 to 1024 bytes of UTF-8.

          category 1   name               takes a name, which nobody else has; before all else
                   2   room               joins a room
                   3   room               leaves it
                   4   room, text         says something there

        Each is answered in a byte: 0 done, 1 no such message, 2 no name was taken yet, 3 the name
        is taken or was given before, 4 too many rooms, 5 not in that room. The members of a room
        are told, but for who did it:

          category 5   room, name, text   said something
                   6   room, name         joined, and
                   7   room, name         left; both only in rooms of at most 100 members
                   8                      the server ends

        A member is heard 200 times a second. One that does not read what it is sent is dropped.
        SIGTERM ends the server once its members have been told; a second one at once.
        """

    static func main() throws {
        if CommandLine.arguments.contains("--help") { return print(help) }
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 3, words.starts(with: ["serve", "--port"]),
            let port = words.last.flatMap({ UInt16($0) })
        else {
            print(help)
            exit(64)
        }
        try serve(port: port)
    }

    private static func serve(port: UInt16) throws {
        let reactor = try Reactor()
        let chat = Chat(on: reactor)
        let server = try reactor.listen(
            on: SocketAddress.loopback(port: port), options: Chat.serverOptions
        ) { session in
            chat.admit(session)
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
