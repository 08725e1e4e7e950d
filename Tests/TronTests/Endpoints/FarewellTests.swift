// The end of a reactor's drain: its program's last word, and what is queued for clients' peers.
import Glibc
import Testing

@testable import Tron

/// A reactor that serves and asks: a raw listener is the backend of its client.
private final class FarewellBench {
    let bench: Bench
    let backend: Server
    let client: Client
    /// What the backend has read, and how its session ended.
    let heard = Log()
    private let remote: Reactor

    /// The backend's reactor is another, which has turns when this one has.
    init(limits: ReactorLimits = ReactorLimits()) throws {
        let kernel = FaultyKernel()
        remote = try Reactor(kernel: kernel)
        backend = try remote.listen(on: Bench.unixName()) { [heard] session in
            heard.sessions.append(session)
            session.onPacket { _, packet in heard.texts.append(packet.text) }
            session.onClose { _, reason in heard.reasons.append(reason) }
        }
        bench = try Bench(limits: limits)
        client = bench.reactor.makeClient(to: backend.address.description)
        let client = client
        try turn(until: { client.session != nil })
        // While one sleeps, the other goes on.
        kernel.isFrozen = true
        bench.kernel.isFrozen = true
    }

    var reactor: Reactor { bench.reactor }

    /// A turn of both, and a millisecond; false once the first has ended.
    func turn() throws -> Bool {
        try remote.turn()
        bench.kernel.advance(.milliseconds(1))
        if try reactor.step() { return true }
        reactor.finish()
        return false
    }

    func turn(until condition: () -> Bool) throws {
        for _ in 0..<5000 where !condition() { _ = try turn() }
        #expect(condition())
    }

    /// How many milliseconds it is to the reactor's end, five seconds at most.
    func end() throws -> Int {
        var milliseconds = 0
        while try milliseconds < 5000 && turn() { milliseconds += 1 }
        try remote.turn(times: 3)
        return milliseconds
    }
}

@Suite struct FarewellTests {
    @Test func `what a session's goodbye has sent on a client leaves before the reactor stops`()
        throws
    {
        let stage = try FarewellBench()
        let peer = try stage.bench.connect()
        let data = String(repeating: "x", count: 200_000)
        stage.bench.sessions[0].onClose { [client = stage.client] _, _ in
            for _ in 0..<4 { client.session?.send(category: 1, data: data) }
        }
        peer.finish()
        peer.close()
        stage.reactor.drain(within: .seconds(60))
        #expect(try stage.end() < 1000)
        #expect(stage.heard.texts.map(\.utf8.count) == Array(repeating: data.utf8.count, count: 4))
        #expect(stage.heard.reasons == [.peerClosed] && stage.client.state == .closed)
    }

    @Test func `the program's last word is waited for, and clients stand meanwhile`() throws {
        let stage = try FarewellBench()
        let peer = try stage.bench.connect()
        peer.close()
        var reports: [DrainReport] = []
        let client = stage.client
        stage.reactor.onDrained { report, finish in
            reports.append(report)
            #expect(client.session?.send(category: 1, data: "goodbye").isQueued == true)
            stage.heard.sessions[0].onPacket { session, packet in
                stage.heard.texts.append(packet.text)
                session.send(category: 2, data: "goodbye")
            }
            client.session?.onPacket { _, _ in finish() }
        }
        stage.reactor.drain(within: .seconds(60))
        #expect(try stage.end() < 1000)
        #expect(reports.map(\.closed) == [1] && stage.heard.texts == ["goodbye"])
        #expect(stage.heard.reasons == [.peerClosed])
    }

    @Test(arguments: [0, 300, 1000]) func `it has its time and no more`(_ time: Int) throws {
        var limits = ReactorLimits()
        limits.farewellTimeout = .milliseconds(time)
        let stage = try FarewellBench(limits: limits)
        var finishes: [@Sendable () -> Void] = []
        stage.reactor.onDrained { _, finish in finishes.append(finish) }
        stage.reactor.drain(within: .seconds(60))
        let milliseconds = try stage.end()
        #expect((time...time + 10).contains(milliseconds))
        #expect(finishes.count == 1 && stage.heard.reasons == [.peerClosed])
        // In vain, and harmless.
        finishes[0]()
    }

    @Test func `a peer that never ends its stream is waited for no longer than that`() throws {
        let stage = try FarewellBench()
        let other = try Peer(to: stage.bench.server.address)
        let listener = try Peer(listeningWithoutRoom: ())
        var session: Session?
        stage.reactor.connectOnce(to: listener.localAddress) { session = try? $0.get() }
        try stage.turn(until: { session != nil })
        stage.reactor.drain(within: .milliseconds(50))
        let milliseconds = try stage.end()
        #expect((1000...1100).contains(milliseconds))
        withExtendedLifetime((other, listener)) {}
    }

    @Test func `a stop needs no last word`() throws {
        let stage = try FarewellBench()
        let peer = try stage.bench.connect()
        var words = 0
        stage.reactor.onDrained { _, _ in words += 1 }
        stage.reactor.drain(within: .seconds(60), notice: .seconds(1))
        stage.reactor.stop()
        #expect(try stage.end() < 10 && words == 0)
        withExtendedLifetime(peer) {}
    }

    @Test func `a stop ends the last word at once`() throws {
        let stage = try FarewellBench()
        var words = 0
        stage.reactor.onDrained { _, _ in words += 1 }
        stage.reactor.drain(within: .seconds(60))
        try stage.turn(until: { words == 1 })
        stage.reactor.stop()
        #expect(try stage.end() < 10)
        #expect(stage.heard.reasons == [.peerClosed])
    }

    @Test func `a reply that a client's session owes is given, and then it closes`() throws {
        let stage = try FarewellBench()
        var owed: ReplyAddress?
        stage.client.session?.onPacket { session, packet in
            owed = session.replyAddress(of: packet)
        }
        stage.heard.sessions[0].send(sequence: 7, category: 3, data: "a job")
        try stage.turn(until: { owed != nil })
        stage.reactor.drain(within: .seconds(60))
        let reactor = stage.reactor
        reactor.schedule(after: .milliseconds(300)) {
            #expect(reactor.reply(to: owed!, data: "done").isQueued)
        }
        #expect((300...400).contains(try stage.end()))
        #expect(stage.heard.texts == ["done"] && stage.heard.reasons == [.peerClosed])
    }

    @Test func `overlapping drains have one farewell, and one from within has none`() throws {
        let stage = try FarewellBench()
        let peer = try stage.bench.connect()
        peer.close()
        var words = 0
        var reports: [DrainReport] = []
        stage.reactor.onDrained { [reactor = stage.reactor] _, finish in
            words += 1
            reactor.drain(within: .seconds(1)) { reports.append($0) }
            reactor.schedule(after: .milliseconds(100), finish)
        }
        for _ in 0..<2 { stage.reactor.drain(within: .seconds(60)) { reports.append($0) } }
        #expect(try stage.end() < 300)
        #expect(words == 1 && reports.count == 3)
    }

    @Test func `what begins while the rest ends is ended, too`() throws {
        let stage = try FarewellBench()
        var late: [CloseReason] = []
        let address = stage.backend.address
        stage.client.onStateChange { [reactor = stage.reactor] _, state in
            guard state == .closed else { return }
            reactor.makeClient(to: address.description) { session in
                session.onClose { _, reason in late.append(reason) }
            }
            reactor.connectOnce(to: address) { result in
                try? result.get().onClose { _, reason in late.append(reason) }
            }
        }
        stage.reactor.drain(within: .seconds(60))
        #expect(try stage.end() < 300)
        #expect(late.allSatisfy { $0 == .requested }, "\(late)")
    }

    @Test func `a program that always begins anew holds the end no longer than its time`() throws {
        let stage = try FarewellBench()
        let address = stage.backend.address.description
        func ask(_ client: Client) {
            client.request(category: 1, data: "x", timeout: .seconds(60)) { [stage] _ in
                ask(stage.reactor.makeClient(to: address))
            }
        }
        ask(stage.client)
        stage.reactor.drain(within: .seconds(60))
        #expect((1000...1100).contains(try stage.end()))
    }

    @Test func `a server that begins to listen meanwhile ends with it`() throws {
        let stage = try FarewellBench()
        var late: Server?
        stage.reactor.onDrained { [reactor = stage.reactor] _, finish in
            late = try? reactor.listen(on: Bench.unixName()) { _ in }
            finish()
        }
        stage.reactor.drain(within: .seconds(60))
        #expect(try stage.end() < 1000)
        #expect(late?.accepting.isListening == false)
    }

    @Test func `the handler lets go of what it holds with the reactor`() throws {
        var reactor: Reactor? = try Reactor(kernel: FaultyKernel())
        weak let kept = reactor
        reactor?.onDrained { [reactor] _, finish in
            withExtendedLifetime(reactor) { finish() }
        }
        reactor?.drain(within: .seconds(1))
        try reactor?.run()
        reactor = nil
        #expect(kept == nil)
    }
}
