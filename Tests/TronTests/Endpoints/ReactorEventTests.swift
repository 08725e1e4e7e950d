// Events: in order, after what caused them, bounded, and nothing lost without a number.
import Glibc
import Testing

@testable import Tron

@Suite struct ReactorEventTests {
    @Test func `a session's way shows from listening to its close`() throws {
        let bench = try Bench()
        var events: [String] = []
        bench.reactor.onEvent { events.append("\($0)") }
        let peer = try bench.connect()
        peer.send(wire("one"))
        peer.finish()
        try bench.turnUntilClosed()
        bench.server.stop()
        try bench.reactor.turn(times: 3)
        let name = bench.sessions[0].id
        let end = "closed by the peer; received 1 packets, sent 0"
        #expect(events.count == 4)
        #expect(events[0] == "listening on \(bench.server.address)")
        #expect(events[1].hasPrefix("session \(name): accepted "))
        #expect(events[2].hasPrefix("session \(name): ") && events[2].hasSuffix(end))
        #expect(events[3] == "stopped listening on \(bench.server.address)")
    }

    @Test func `an event comes after what caused it, and its handler may do anything`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        var notes: [String] = []
        var server: Server?
        reactor.onEvent { event in
            switch event {
            case .listening: notes.append("listening")
            case .accepted(let id, _):
                notes.append("accepted")
                reactor.session(id)?.abort()
                server?.stop()
            case .closed(_, _, let reason, _): notes.append("\(reason)")
            case .stoppedListening:
                notes.append("stopped")
                reactor.onEvent(nil)
                _ = try? reactor.listen(on: Bench.unixName()) { _ in }
            default: notes.append("\(event)")
            }
        }
        server = try reactor.listen(on: Bench.unixName()) { _ in notes.append("setup") }
        try reactor.turn()
        let peer = try Peer(to: #require(server).address)
        try reactor.turn(until: { notes.contains("stopped") })
        try reactor.turn(times: 3)
        #expect(notes == ["listening", "setup", "accepted", "stopped"])
        _ = peer
    }

    @Test func `refusals, faults, failed accepts and exhaustion are told with their cause`() throws
    {
        var options = ServerOptions()
        options.limits.maximumSessions = 1
        let bench = try Bench(options: options)
        var events: [ReactorEvent] = []
        bench.reactor.onEvent { events.append($0) }
        let peer = try bench.connect()
        let refused = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { bench.server.counters.refusedByLimit == 1 })
        peer.send([UInt8](repeating: 0xFF, count: 20))
        try bench.turnUntilClosed()
        var codes = [EMFILE, ECONNABORTED]
        bench.kernel.fault = { call, _, _ in
            call == .accept ? codes.popLast().map { .error($0) } : nil
        }
        let later = try Peer(to: bench.server.address)
        try bench.reactor.turn(until: { bench.sessions.count == 2 })
        try bench.reactor.turn(times: 2)
        let told = events.filter(\.isProblem).map { "\($0)" }
        #expect(told.count == 4)
        #expect(told[0].hasSuffix("too many sessions"))
        #expect(told[1].contains("protocol fault"))
        #expect(told[2].contains("accept4"))
        #expect(told[3].contains("accepting rests"))
        _ = (refused, later)
    }

    @Test func `a client's connections, losses and giving up are told`() throws {
        let bench = try ClientBench(
            backoff: Backoff(initial: .seconds(1), multiplier: 1, attempts: 1))
        var events: [ReactorEvent] = []
        bench.reactor.onEvent { events.append($0) }
        try bench.stopServing()
        try bench.reactor.turn(until: { bench.client.state.isFinal })
        try bench.reactor.turn(times: 3)
        let words = events.map { "\($0)" }.filter { !$0.contains("listening") }
        #expect(words.contains { $0.contains("attempt 1 in 1.0 seconds") })
        #expect(words.last?.hasPrefix("\(bench.address): gave up: ") == true)
        #expect(events.contains { if case .closed = $0 { true } else { false } })
    }

    @Test func `a flood is cut off at so many a second, and the rest is told as a number`() throws {
        let bench = try Bench()
        var accepted = 0
        var suppressed: [Int] = []
        bench.reactor.onEvent(atMost: 10, slowHandler: nil) { event in
            switch event {
            case .accepted: accepted += 1
            case .suppressed(let count): suppressed.append(count)
            default: break
            }
        }
        bench.kernel.isFrozen = true
        let peers = try (0..<50).map { _ in try bench.connect() }
        try bench.reactor.turn(times: 2)
        #expect(accepted == 10 && suppressed.isEmpty)
        bench.kernel.advance(.seconds(1))
        try bench.reactor.turn(times: 3)
        #expect(accepted == 10 && suppressed == [40])
        let next = try bench.connect()
        try bench.reactor.turn(times: 2)
        #expect(accepted == 11)
        bench.kernel.isFrozen = false
        _ = (peers, next)
    }

    @Test func `while nobody listens no event is built`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        var built = 0
        func event() -> ReactorEvent {
            built += 1
            return .suppressed(1)
        }
        reactor.registry.endpoints.report(event())
        #expect(built == 0)
        reactor.onEvent { _ in }
        reactor.registry.endpoints.report(event())
        #expect(built == 1)
    }

    @Test func `a thousand a second are told, unless another number is asked for`() throws {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        var told = 0
        var suppressed: [Int] = []
        reactor.onEvent { event in
            if case .suppressed(let count) = event { suppressed.append(count) } else { told += 1 }
        }
        for _ in 0..<1500 { reactor.registry.endpoints.report(.refused(peer: nil, .sessions)) }
        try reactor.turn(times: 3)
        #expect(told == 1000 && suppressed.isEmpty)
        kernel.advance(.seconds(1))
        try reactor.turn(times: 3)
        #expect(told == 1000 && suppressed == [500])
    }

    @Test func `what was suppressed is told at the latest when the reactor ends`() throws {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        var events: [String] = []
        var reactor: Reactor? = try Reactor(kernel: kernel)
        reactor?.onEvent(atMost: 1) { events.append("\($0)") }
        let server = try #require(try reactor?.listen(on: Bench.unixName()) { _ in })
        let peers = try (0..<3).map { _ in try Peer(to: server.address) }
        try reactor?.turn(until: { server.sessionCount == 3 })
        try reactor?.turn(times: 2)
        #expect(events.count == 2)
        reactor = nil
        // Two more were accepted, three closed.
        #expect(events.last == "5 events left out")
        #expect(events.dropLast().last?.hasPrefix("stopped listening") == true)
        _ = peers
    }

    @Test func `a slow handler is told with its session, a slow timer without`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        let kernel = bench.kernel
        bench.sessions[0].onPacket { _, _ in kernel.advance(.milliseconds(30)) }
        var events: [String] = []
        bench.reactor.onEvent(slowHandler: .milliseconds(20)) { events.append("\($0)") }
        kernel.isFrozen = true
        peer.send(wire("slow"))
        try bench.reactor.turn(times: 3)
        bench.reactor.schedule(after: .zero) { kernel.advance(.milliseconds(25)) }
        kernel.advance(.milliseconds(2))
        try bench.reactor.turn(times: 3)
        kernel.isFrozen = false
        #expect(
            events == [
                "listening on \(bench.server.address)",
                "session \(bench.sessions[0].id): a handler took 0.03 seconds",
                "a handler took 0.025 seconds",
            ])
    }

    @Test func `a handler that comes after the servers is told that they listen, and no others`()
        throws
    {
        let bench = try Bench()
        let gone = try bench.reactor.listen(on: Bench.unixName()) { _ in }
        let peer = try Peer(to: gone.address)
        try bench.reactor.turn(until: { gone.sessionCount == 1 })
        gone.stopListening()
        try bench.reactor.turn(times: 2)
        var events: [String] = []
        bench.reactor.onEvent { events.append("\($0)") }
        #expect(events.isEmpty)
        try bench.reactor.turn()
        #expect(events == ["listening on \(bench.server.address)"])
        withExtendedLifetime(peer) {}
    }

    @Test func `a drain is told with its report, and is a problem when something was lost`() throws
    {
        let bench = try DebtBench()
        var events: [ReactorEvent] = []
        bench.reactor.onEvent { if case .drained = $0 { events.append($0) } }
        let peer = try bench.connect(asking: 2)
        bench.bench.server.drain(within: .seconds(1)) { _ in }
        bench.bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { events.count == 1 })
        bench.bench.server.drain(within: .seconds(1)) { _ in }
        try bench.reactor.turn(until: { events.count == 2 })
        let address = bench.bench.server.address
        #expect(
            events.map { "\($0)" } == [
                "drained \(address): 0 closed, 1 aborted, 2 replies not given",
                "drained \(address): 0 closed, 0 aborted, 0 replies not given",
            ])
        #expect(events.map(\.isProblem) == [true, false])
        var late = DrainReport()
        late.closed = 1
        late.unanswered = 1
        #expect(ReactorEvent.drained(address, late).isProblem)
        #expect(!ReactorEvent.suppressed(7).isProblem)
        withExtendedLifetime(peer) {}
    }
}
