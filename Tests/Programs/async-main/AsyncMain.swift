// An echo server under an async main, which owns the main thread. The argument says where the
// reactor runs.
import Glibc
import Tron

@main struct AsyncMain {
    static func main() async {
        switch CommandLine.arguments.last {
        case "thread":
            await withCheckedContinuation { continuation in
                startThread {
                    serve()
                    continuation.resume()
                }
            }
        case "task": await Task.detached { serve() }.value
        default: serve()
        }
        say("main ends")
    }

    private static func serve() {
        do {
            let reactor = try Reactor()
            let server = try reactor.listen(on: "127.0.0.1:0") { session in
                session.onPacket { session, packet in
                    session.reply(to: packet, data: packet.data)
                }
            }
            try reactor.onSignal(.terminate) { _ in
                server.drain(within: .seconds(20)) { report in
                    say("closed \(report.closed), aborted \(report.aborted)")
                    reactor.stop()
                }
            }
            say("listening on \(server.address)")
            try reactor.run()
        } catch {
            say("\(error)")
        }
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private final class Body {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private static func startThread(_ body: @escaping () -> Void) {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        pthread_detach(thread)
    }
}
