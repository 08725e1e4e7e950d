// The last events of a reactor come before its end: whoever is told may still start anything.
import Glibc
import Testing

@testable import Tron

@Suite struct LastEventTests {
    /// What the handler does when it is told.
    enum Deed: String, CaseIterable, Codable, Sendable {
        case connectOnce, makeClient, listen, onSignal, onEvent, schedule, submit, stop, snapshot
    }

    /// What the deeds led to.
    private final class Notes {
        /// The last events, oldest first.
        var events: [String] = []
        /// What was started, and what was told of its end.
        var started = 0
        var ended = 0
    }

    /// Dials go to `address`.
    private static func perform(
        _ deed: Deed, _ reactor: Reactor, _ notes: Notes, address: String
    ) throws {
        notes.started += 1
        switch deed {
        case .connectOnce:
            reactor.connectOnce(to: try SocketAddress(address)) { outcome in
                if case .failure = outcome { notes.ended += 1 }
            }
        case .makeClient:
            let client = reactor.makeClient(to: address)
            client.onStateChange { _, state in if state.isFinal { notes.ended += 1 } }
        case .listen:
            let server = try reactor.listen(on: Bench.unixName()) { _ in }
            server.drain(within: .seconds(1)) { _ in notes.ended += 1 }
        case .onSignal: try reactor.onSignal(.user1) { _ in }
        case .onEvent: reactor.onEvent { notes.events.append("\($0)") }
        case .schedule: reactor.schedule(after: .seconds(1)) {}
        case .submit: _ = reactor.submit { _ in }
        case .stop: reactor.stop()
        case .snapshot: _ = reactor.snapshot()
        }
    }

    /// A reactor that suppresses all events but one a second, with three peers, comes to its end.
    private static func run(_ deed: Deed) throws -> Notes {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        let notes = Notes()
        reactor.onEvent(atMost: 1) { [unowned reactor] event in
            notes.events.append("\(event)")
            guard case .suppressed = event, notes.started == 0 else { return }
            try? perform(deed, reactor, notes, address: Bench.unixName())
        }
        let server = try reactor.listen(on: Bench.unixName()) { _ in }
        let peers = try (0..<3).map { _ in try Peer(to: server.address) }
        try reactor.turn(until: { server.sessionCount == 3 })
        reactor.stop()
        try reactor.run()
        withExtendedLifetime(peers) {}
        return notes
    }

    // In processes of their own, which a trap would end.

    @Test(arguments: Deed.allCases)
    func `who is told of the last suppressed events may still start anything`(deed: Deed) async {
        await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) { [deed] in
            let notes = try Self.run(deed)
            #expect(notes.started == 1, "\(notes.events)")
            let isTold = [.connectOnce, .makeClient, .listen].contains(deed)
            #expect(notes.ended == (isTold ? 1 : 0), "\(notes.events)")
        }
    }

    @Test(arguments: [Deed.connectOnce, .makeClient])
    func `who dials anew at every event, the last ones included, does not trap`(
        deed: Deed
    ) async {
        await #expect(processExitsWith: .success) { [deed] in
            let kernel = FaultyKernel()
            // Not a second passes: all but the first two events are suppressed to the end.
            kernel.isFrozen = true
            let reactor = try Reactor(kernel: kernel)
            let notes = Notes()
            let address = Bench.unixName()
            reactor.onEvent(atMost: 2) { [unowned reactor] event in
                notes.events.append("\(event)")
                try? Self.perform(deed, reactor, notes, address: address)
            }
            try reactor.listen(on: address) { _ in }
            try reactor.turn(times: 20)
            let before = notes.started
            reactor.stop()
            try reactor.run()
            #expect(before > 0 && notes.started > before)
        }
    }

    @Test func `every suppressed event is counted by the end`() throws {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        var floodable = 0
        var suppressed = 0
        reactor.onEvent(atMost: 2, slowHandler: nil) { event in
            switch event {
            case .accepted, .closed: floodable += 1
            case .suppressed(let count): suppressed += count
            default: break
            }
        }
        let server = try reactor.listen(on: Bench.unixName()) { _ in }
        let peers = try (0..<10).map { _ in try Peer(to: server.address) }
        try reactor.turn(until: { server.sessionCount == 10 })
        reactor.stop()
        try reactor.run()
        #expect(floodable == 2 && suppressed == 18)
        withExtendedLifetime(peers) {}
    }
}
