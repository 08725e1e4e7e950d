// A server that writes down each request before it answers it: see .ci/restart.
import Glibc
import Tron
import TronMetrics

/// `restart-witness PORT METRICS-PORT PROXIES JOURNAL`, where PROXIES is the network of the proxies
/// and JOURNAL a file. A session is greeted; a request is written down, and answered 20 ms later
/// with its own data. SIGTERM drains the server, and it prints the sums.
@main struct RestartWitness {
    private static let greeting: UInt8 = 9
    /// So that a drain always finds requests that it owes an answer.
    private static let delay = Duration.milliseconds(20)
    /// So many of the balancer's probes, which come every 100 ms, fit that it has seen one fail
    /// before the server stops listening.
    private static let notice = Duration.seconds(2)
    /// The peers do not all come back in the same moment.
    private static let spread = Duration.seconds(1)
    private static let deadline = Duration.seconds(20)

    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 4, let port = UInt16(words[1]), let metricsPort = UInt16(words[2])
        else { exit(64) }
        var options = ServerOptions()
        options.proxyProtocol = try .required(from: [Network(words[3])])
        let journal = Journal(at: words[4])
        let reactor = try Reactor()
        let server = try reactor.listen(on: .loopback(port: port), options: options) { session in
            session.send(category: greeting, data: "welcome")
            session.onPacket { session, packet in
                let data = packet.data.copy()
                journal.write(data)
                let address = session.replyAddress(of: packet)
                reactor.schedule(after: delay) { reactor.reply(to: address, data: data) }
            }
        }
        try reactor.serveMetrics(port: metricsPort)
        try reactor.onSignal(.terminate) { _ in
            reactor.drain(within: deadline, spread: spread, notice: notice)
        }
        reactor.onEvent(atMost: 1, slowHandler: nil) { event in
            guard case .drained(server.address, let report) = event else { return }
            say(
                "accepted \(server.counters.accepted), handled \(journal.count), "
                    + "closed \(report.closed), aborted \(report.aborted), "
                    + "unanswered \(report.unanswered)")
        }
        say("listening on \(server.address)")
        try reactor.run()
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}

/// A file that outlives the process.
final class Journal {
    private let descriptor: Int32
    private(set) var count = 0

    init(at path: String) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "\(path) cannot be opened")
    }

    func write(_ record: [UInt8]) {
        let written = record.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        precondition(written == record.count, "the journal cannot be written")
        count += 1
    }
}
