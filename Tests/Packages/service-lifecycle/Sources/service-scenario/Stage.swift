// A server in a group of services of this process, with clients, and what is judged of its end.
import InMemoryLogging
import KeyValueService
import Logging
import MetricsTestKit
import ServiceLifecycle
import Tron

/// What is not as it has to be.
struct Disagreement: Error, CustomStringConvertible {
    let description: String

    static func unless(_ isRight: Bool, _ description: String) throws {
        if !isRight { throw Disagreement(description: description) }
    }
}

/// A group that runs the server and a neighbour, which ends when it is told to.
final class Stage: Sendable {
    typealias Behavior = ServiceGroupConfiguration.ServiceConfiguration.TerminationBehavior

    private let metrics: TestMetrics
    private let log = InMemoryLogHandler()
    private let neighbour = AsyncStream.makeStream(of: Void.self)
    let group: ServiceGroup
    let run: Task<Void, any Error>

    /// What is counted by `metrics` begins anew. `behavior` is what the group does when the
    /// neighbour ends.
    init(
        _ metrics: TestMetrics, delay: Duration = .milliseconds(20), neighbour behavior: Behavior
    ) {
        metrics.reset()
        self.metrics = metrics
        let (log, neighbour) = (log, neighbour)
        let logger = Logger(label: "scenario") { _ in log }
        var server = KeyValueServer(on: .loopback(port: 0), logger: logger)
        server.delay = delay
        server.deadline = .seconds(600)
        let idler = ClosureService {
            for await _ in neighbour.stream.cancelOnGracefulShutdown() {}
        }
        let services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: idler, successTerminationBehavior: behavior),
            .init(service: GracefulReactor(server.service)),
        ]
        let group = ServiceGroup(configuration: .init(services: services, logger: logger))
        self.group = group
        run = Task { try await group.run() }
    }

    @Sendable func shutDownGracefully() { Task { await group.triggerGracefulShutdown() } }

    @Sendable func endNeighbour() { neighbour.continuation.finish() }

    /// Where the server listens; it says so in the log.
    private func address() async throws -> SocketAddress {
        while true {
            for entry in log.entries {
                guard let found = Self.words(of: entry, after: "listening on ") else { continue }
                return try SocketAddress(found)
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Loads the server as `Load.run` does.
    func load(
        _ question: Question, _ onWork: @escaping @Sendable () -> Void,
        onDeafness: (@Sendable () -> Void)? = nil
    ) async throws -> Outcome {
        try await Load.run(question, to: address(), onWork: onWork, onDeafness: onDeafness)
    }

    /// What the server's drain came to, as the log tells it.
    func report() throws -> String {
        let reports = log.entries.compactMap { Self.words(of: $0, after: "drained ") }
        try Disagreement.unless(reports.count == 1, "\(reports.count) drains")
        return String(reports[0].drop { $0 != " " }.dropFirst())
    }

    private static func words(of entry: InMemoryLogHandler.Entry, after start: String) -> String? {
        let line = "\(entry.message)"
        return line.hasPrefix(start) ? String(line.dropFirst(start.count)) : nil
    }

    /// Every request that was given to the handler is answered; of each client the last ones are
    /// not; and the log and the metrics say the same.
    func requireAnswers(_ outcome: Outcome) throws {
        try outcome.requireAnswers()
        let report = try report()
        let closed = "\(Load.clients) closed, 0 aborted, 0 replies not given"
        try Disagreement.unless(report == closed, "a drain of \(report)")
        for name in ["tron_packets_received_total", "tron_packets_sent_total"] {
            let total = metrics.counterTotal(label: name)
            try Disagreement.unless(
                total == outcome.answered, "\(name) \(total), but answered \(outcome.answered)")
        }
    }
}

extension Outcome {
    /// Whether it is what a drain leaves: of each client the last requests alone unanswered.
    func requireAnswers() throws {
        let isRight =
            problem == nil && answered >= Load.enoughAnswers && gaps == 0 && broken == 0
            && unanswered == Load.clients
        try Disagreement.unless(isRight, "\(self)")
    }

    /// Whether it is what a stop at once leaves: `sets` of each client unanswered, the gets not.
    func requireGetsAlone(_ sets: Int) throws {
        let isRight =
            problem == nil && answered == Load.clients && asked == (sets + 1) * Load.clients
        try Disagreement.unless(isRight, "\(self)")
    }
}
