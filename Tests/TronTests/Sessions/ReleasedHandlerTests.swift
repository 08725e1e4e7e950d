// What a handler holds is released with it, and may call back into what releases it.
import Testing

@testable import Tron

/// Held by a handler: does something when it is released.
private final class Guest {
    private let leave: () -> Void

    init(_ leave: @escaping () -> Void) { self.leave = leave }

    deinit { leave() }
}

@Suite struct ReleasedHandlerTests {
    /// A way to install a handler, which holds what it is given.
    struct Place<Owner>: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let install: @Sendable (Owner, AnyObject?) -> Void

        init(_ name: String, _ install: @escaping @Sendable (Owner, AnyObject?) -> Void) {
            testDescription = name
            self.install = install
        }
    }

    private static let ofSessions: [Place<Session>] = [
        Place("onPacket") { session, guest in session.onPacket { _, _ in _ = guest } },
        Place("onBytes") { session, guest in
            session.onBytes { _, bytes in
                _ = guest
                return bytes.byteCount
            }
        },
        Place("onFrames") { session, guest in
            session.onFrames(of: .lines(maximumLength: 100)) { _, _ in _ = guest }
        },
        Place("onClose") { session, guest in session.onClose { _, _ in _ = guest } },
        Place("onWritabilityChange") { session, guest in
            session.onWritabilityChange { _, _ in _ = guest }
        },
        Place("onPeerFinished") { session, guest in session.onPeerFinished { _ in _ = guest } },
        Place("onDrain") { session, guest in session.onDrain { _ in _ = guest } },
    ]

    /// Whatever a session can be asked for.
    private static func callEverything(_ session: Session, _ end: (Session) -> Void) {
        for place in ofSessions { place.install(session, nil) }
        session.send(category: 1, data: "left")
        session.send(category: 1, capacity: 4) { $0.write("left") }
        _ = session.isWritable
        session.pauseReading()
        session.resumeReading()
        end(session)
    }

    @Test(arguments: ofSessions)
    private func `a replaced handler of a session may call it`(_ place: Place<Session>) throws {
        for (end, reason) in [
            ({ $0.close() }, CloseReason.requested), ({ $0.abort() }, .aborted),
        ] as [((Session) -> Void, CloseReason)] {
            var left = 0
            let bench = try Bench()
            let peer = try bench.connect()
            let session = bench.sessions[0]
            let log = bench.log
            place.install(
                session,
                Guest { [unowned session] in
                    left += 1
                    Self.callEverything(session) { session in
                        session.onClose { log.reasons.append($1) }
                        end(session)
                    }
                })
            #expect(left == 0)
            place.install(session, nil)
            #expect(left == 1 && session.isClosing)
            peer.finish()
            try bench.turnUntilClosed()
            #expect(bench.reasons == [reason])
        }
    }

    /// By its own call, while the library holds it for the batch.
    @Test(arguments: ofSessions.prefix(3))
    private func `a handler that replaces itself may call the session when it goes`(
        _ place: Place<Session>
    ) throws {
        var left = 0
        let bench = try Bench { session, log in
            let guest = Guest { [unowned session] in
                left += 1
                Self.callEverything(session) { session in
                    session.onClose { log.reasons.append($1) }
                    session.close()
                }
            }
            session.onPacket { session, _ in
                _ = guest
                place.install(session, nil)
            }
        }
        let peer = try bench.connect()
        peer.send(wire("one") + wire("two"))
        peer.finish()
        try bench.turnUntilClosed()
        #expect(left == 1 && bench.reasons == [.requested])
    }

    @Test(arguments: ofSessions)
    private func `a handler that goes with its session may call it`(_ place: Place<Session>) throws
    {
        var left = 0
        var reasons = 0
        let bench = try Bench()
        let peer = try bench.connect()
        let session = bench.sessions[0]
        let (reactor, server) = (bench.reactor, bench.server)
        session.onClose { _, _ in reasons += 1 }
        place.install(
            session,
            Guest { [unowned session, unowned reactor, unowned server] in
                left += 1
                Self.callEverything(session) { $0.close() }
                reactor.schedule(after: .zero) { left += 10 }
                server.stop()
                _ = reactor.snapshot()
            })
        session.abort()
        try reactor.turn(until: { left == 11 })
        #expect(reasons == (place.testDescription == "onClose" ? 0 : 1))
        #expect(server.sessionCount == 0)
        withExtendedLifetime(peer) {}
    }

    private static let ofReactors: [Place<Reactor>] = [
        Place("onEvent") { reactor, guest in reactor.onEvent { _ in _ = guest } },
        Place("onSignal") { reactor, guest in
            #expect(throws: Never.self) { try reactor.onSignal(.user2) { _ in _ = guest } }
        },
    ]

    @Test(arguments: ofReactors)
    private func `a replaced handler of a reactor may call it`(_ place: Place<Reactor>) throws {
        var left = 0
        let reactor = try Reactor(kernel: FaultyKernel())
        place.install(
            reactor,
            Guest { [unowned reactor] in
                left += 1
                for place in Self.ofReactors { place.install(reactor, nil) }
                reactor.callSoon { left += 10 }
            })
        place.install(reactor, nil)
        #expect(left == 1)
        try reactor.turn()
        #expect(left == 11)
    }

    /// The one that was installed last.
    @Test func `of event handlers one is told, also when one is installed while another goes`()
        throws
    {
        var told: Set<String> = []
        let kernel = FaultyKernel()
        let bench = try Bench(kernel: kernel) { session, _ in
            session.onPacket { _, _ in kernel.advance(.seconds(1)) }
        }
        let reactor = bench.reactor
        func install() {
            let guest = Guest { [unowned reactor] in
                reactor.onEvent { _ in told.insert("installed while another goes") }
            }
            reactor.onEvent { _ in _ = guest }
        }
        install()
        reactor.onEvent { _ in told.insert("in its place") }
        let peer = try bench.connect()
        told = []
        // Of a slow handler every observer of the loop is told.
        peer.send(wire("slow"))
        try reactor.turn(until: { !told.isEmpty })
        try reactor.turn(times: 2)
        #expect(told == ["installed while another goes"])
    }

    @Test func `what a timer's action holds may call the reactor when it goes`() throws {
        var left = 0
        let reactor = try Reactor(kernel: FaultyKernel())
        func schedule(_ leave: @escaping () -> Void) -> ScheduledTimer {
            let guest = Guest(leave)
            return reactor.schedule(after: .zero) { _ = guest }
        }
        var others: [ScheduledTimer] = []
        let leave = {
            left += 1
            for other in others { other.cancel() }
            others = []
            reactor.schedule(after: .zero) { left += 10 }
        }
        for _ in 0..<3 { others.append(schedule(leave)) }
        schedule(leave).cancel()
        #expect(left == 4)
        try reactor.turn(until: { left == 44 })
    }

    @Test func `what the handlers of endpoints hold may call them when it goes`() throws {
        var left = 0
        let bench = try ClientBench()
        let (reactor, client) = (bench.reactor, bench.client)
        func install(_ leave: @escaping () -> Void) {
            let guest = Guest(leave)
            client.onStateChange { _, _ in _ = guest }
        }
        install { [unowned client] in
            left += 1
            client.onStateChange { _, _ in }
            client.close()
        }
        client.onStateChange { _, _ in }
        #expect(left == 1)
        try reactor.turn(until: { client.state.isFinal })
    }

    @Test func `what the setups of endpoints hold may call them when it goes`() throws {
        var left = 0
        let reactor = try Reactor(kernel: FaultyKernel())
        func listen(_ leave: @escaping () -> Void) throws -> Server {
            let guest = Guest(leave)
            return try reactor.listen(on: Bench.unixName()) { _ in _ = guest }
        }
        func connect(to server: Server, _ leave: @escaping () -> Void) -> Client {
            let guest = Guest(leave)
            return reactor.makeClient(to: [server.address]) { _ in _ = guest }
        }
        let server = try listen { [unowned reactor] in
            left += 1
            for server in reactor.servers { server.stop() }
            _ = reactor.snapshot()
        }
        connect(to: server) { [unowned reactor] in
            left += 10
            _ = reactor.snapshot()
            for server in reactor.servers { server.stop() }
        }.close()
        try reactor.turn(until: { left == 11 })
    }
}
