// The program: a group of services, ended by SIGTERM or control-C.
import Glibc
import KeyValueService
import Logging
import Metrics
import MetricsTestKit
import ServiceLifecycle
import Tron
import UnixSignals

@main struct Main {
    private static let usage = """
        usage: key-value-server [--port N] [--delay MILLISECONDS] [--deadline SECONDS]

          --port N       where to listen on 127.0.0.1; default 0: the kernel chooses
          --delay N      answers sets so much later; default 0
          --deadline N   the longest that ending takes; default 8

        SIGTERM or SIGINT ends it once it has answered; a second one at once.
        """

    static func main() async {
        let logger = Logger(label: "key-value-server")
        // A server that is in use has a backend here that exports.
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        var server = KeyValueServer(on: .loopback(port: 0), logger: logger)
        configure(&server)
        do {
            try await run(server.service, logger)
        } catch {
            logger.critical("\(error)")
            exit(1)
        }
        for counter in metrics.counters.sorted(by: { $0.label < $1.label }) {
            logger.info("\(counter.label) \(counter.totalValue)")
        }
    }

    private static func run(_ reactor: ReactorService, _ logger: Logger) async throws {
        let signals: [UnixSignal] = [.sigterm, .sigint]
        let group = ServiceGroup(
            services: [SecondSignal(signals, stops: reactor), GracefulReactor(reactor)],
            gracefulShutdownSignals: signals, logger: logger)
        try await group.run()
    }

    private static func configure(_ server: inout KeyValueServer) {
        var words = CommandLine.arguments.dropFirst()
        while let name = words.popFirst() {
            guard let number = words.popFirst().flatMap({ UInt16($0) }) else { misused() }
            switch name {
            case "--port": server.address = .loopback(port: number)
            case "--delay": server.delay = .milliseconds(Int(number))
            case "--deadline": server.deadline = .seconds(Int(number))
            default: misused()
            }
        }
    }

    private static func misused() -> Never {
        print(usage)
        exit(64)
    }
}
