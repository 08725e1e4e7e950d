// How each end of a group of services reaches the reactor: in this process, without signals.
import Glibc
import InMemoryLogging
import KeyValueService
import Logging
import MetricsTestKit
import ServiceLifecycle
import Tron

/// The scenarios; each throws where something is not as it has to be.
struct GroupScenarios {
    let metrics: TestMetrics

    private static let question = Question.sets(atOnce: 50)

    func run() async throws {
        try await gracefulShutdown()
        print("graceful shutdown: every request that was handled is answered")
        try await cancellation()
        print("cancellation: every request that was handled is answered")
        try await cancellationDuringShutdown()
        print("cancellation during a graceful shutdown: stops at once")
        try await neighbourShutsDown()
        print("a neighbour that ends and shuts the group down: the reactor is drained")
        try await neighbourCancels()
        print("a neighbour that ends and cancels the group: the reactor is drained")
        try await portInUse()
        print("a port in use: an EndpointError of the group")
    }

    private func gracefulShutdown() async throws {
        let stage = Stage(metrics, neighbour: .cancelGroup)
        let outcome = try await stage.load(Self.question, stage.shutDownGracefully)
        try await stage.run.value
        try stage.requireAnswers(outcome)
    }

    private func cancellation() async throws {
        let stage = Stage(metrics, neighbour: .cancelGroup)
        let outcome = try await stage.load(Self.question, stage.run.cancel)
        try await stage.run.value
        try stage.requireAnswers(outcome)
    }

    private func cancellationDuringShutdown() async throws {
        let sets = 5
        let stage = Stage(metrics, delay: .seconds(600), neighbour: .cancelGroup)
        let outcome = try await stage.load(
            .setsThenGet(sets), stage.shutDownGracefully, onDeafness: stage.run.cancel)
        try await stage.run.value
        try outcome.requireGetsAlone(sets)
        let report = try stage.report()
        try Disagreement.unless(
            report.hasSuffix(" \(sets * Load.clients) replies not given"), "a drain of \(report)")
    }

    private func neighbourShutsDown() async throws {
        let stage = Stage(metrics, neighbour: .gracefullyShutdownGroup)
        let outcome = try await stage.load(Self.question, stage.endNeighbour)
        try await stage.run.value
        try stage.requireAnswers(outcome)
    }

    private func neighbourCancels() async throws {
        let stage = Stage(metrics, neighbour: .cancelGroup)
        let outcome = try await stage.load(Self.question, stage.endNeighbour)
        do {
            try await stage.run.value
            throw Disagreement(description: "no error of the group")
        } catch is ServiceGroupError {
            try stage.requireAnswers(outcome)
        }
    }

    private func portInUse() async throws {
        let reactor = try Reactor()
        let taken = try reactor.listen(on: .loopback(port: 0)) { _ in }
        let logger = Logger(label: "scenario") { _ in InMemoryLogHandler() }
        let server = KeyValueServer(on: taken.address, logger: logger)
        let group = ServiceGroup(services: [GracefulReactor(server.service)], logger: logger)
        do {
            try await group.run()
            throw Disagreement(description: "no error of the group")
        } catch let error as EndpointError {
            let isRight =
                error.address == taken.address
                && error.cause == SystemError(.bind, code: EADDRINUSE)
            try Disagreement.unless(isRight, "\(error)")
        }
    }
}
