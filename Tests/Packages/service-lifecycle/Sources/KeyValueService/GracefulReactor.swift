// A reactor among the services of a ServiceGroup: graceful shutdown drains it, and so does
// cancellation.
import ServiceLifecycle
import Tron
import UnixSignals

/// Runs a `ReactorService` in a `ServiceGroup`. When the group shuts down gracefully, or is
/// cancelled, it drains; what comes second of the two stops it at once.
///
/// `ReactorService.run()` alone would have the shape of a `Service`, but would never learn of a
/// graceful shutdown.
public struct GracefulReactor: Service {
    let reactor: ReactorService

    /// Runs it where the group runs this.
    public init(_ reactor: ReactorService) { self.reactor = reactor }

    /// Returns when the reactor has stopped; throws what `ReactorService.run()` does.
    public func run() async throws {
        try await withGracefulShutdownHandler {
            try await reactor.run()
        } onGracefulShutdown: {
            reactor.shutDown()
        }
    }
}

/// Stops a reactor at once at the second signal. A `ServiceGroup` looks at the first one alone,
/// which it is to be told of as well; it is to list this before the reactor, because it ends its
/// services from the last to the first, one after the other.
public struct SecondSignal: Service {
    private let reactor: ReactorService
    private let signals: [UnixSignal]

    /// The signals are those that the group shuts down for.
    public init(_ signals: [UnixSignal], stops reactor: ReactorService) {
        self.reactor = reactor
        self.signals = signals
    }

    /// Returns when the group ends it.
    public func run() async {
        var count = 0
        let arrivals = await UnixSignalsSequence(trapping: signals)
        for await _ in arrivals.cancelOnGracefulShutdown() {
            count += 1
            if count == 2 { reactor.shutDown() }
        }
    }
}
