// `echo-demo` alone: a server and its clients on one reactor, step by step, each step checked.
import Tron

/// Runs the steps and returns the exit status: 0 only if each went as it has to.
func demonstrate() throws -> Int32 {
    let reactor = try Reactor()
    let demonstration = Demonstration(reactor)
    try demonstration.begin()
    try reactor.run()
    return demonstration.conclude()
}

/// Runs one step after the other.
private final class Demonstration {
    private let reactor: Reactor
    private let start = ContinuousClock.now
    private var current: StepRun?
    private var passed = 0
    private var failure: String?

    private static let timeLimit = Duration.seconds(10)

    init(_ reactor: Reactor) { self.reactor = reactor }

    func begin() throws {
        var options = ServerOptions()
        options.session.idle.either = Step.idleTime
        let server = try reactor.listen(on: .loopback(port: 0), options: options) { session in
            self.current?.serve(session)
        }
        reactor.schedule(after: Self.timeLimit) { self.fail("not over after \(Self.timeLimit)") }
        Terminal.say("A server on \(server.address) and its clients, all on one reactor.")
        runNext(server.address)
    }

    private func runNext(_ address: SocketAddress) {
        guard passed < Step.all.count else { return reactor.stop() }
        let step = Step.all[passed]
        Terminal.say("\n\(passed + 1). \(step.title)\n   \(step.lesson)")
        let run = StepRun(step, reactor) { failure in
            if let failure { return self.fail(failure) }
            self.passed += 1
            self.runNext(address)
        }
        current = run
        reactor.dial(address) { result in
            switch result {
            case .success(let session): run.begin(session)
            case .failure(let error): self.fail("\(error)")
            }
        }
    }

    private func fail(_ reason: String) {
        failure = failure ?? reason
        reactor.stop()
    }

    func conclude() -> Int32 {
        current = nil
        guard failure == nil, passed == Step.all.count else {
            let title = passed < Step.all.count ? Step.all[passed].title : "the end"
            Terminal.complain("step \(passed + 1) (\(title)) failed: \(failure ?? "stopped")")
            return ExitStatus.failure
        }
        let time = milliseconds(ContinuousClock.now - start)
        Terminal.say("\nAll \(passed) steps went as they have to, in \(time) ms.")
        return ExitStatus.success
    }
}

private func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }

// MARK: - One step

/// One step on its way: both ends of its connection, and what became of them.
private final class StepRun {
    private let step: Step
    private let reactor: Reactor
    private let completion: (String?) -> Void
    private var client: Session?
    private var server: Session?
    private var pieces: ArraySlice<[UInt8]>
    private var bytesWritten = 0
    private var lastWrite = ContinuousClock.now
    private var deliveredEarly = 0
    private var answers: [OwnedPacket] = []
    private var clientEnd: CloseReason?
    private var serverEnd: CloseReason?

    /// `completion` is called once, when both ends are closed: with what went wrong, if anything.
    init(_ step: Step, _ reactor: Reactor, completion: @escaping (String?) -> Void) {
        self.step = step
        self.reactor = reactor
        self.completion = completion
        pieces = step.writes[...]
    }

    /// The server's end: echoes, as in every server of packets, and notes why it ended.
    func serve(_ session: Session) {
        server = session
        session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        session.onClose { _, reason in
            self.serverEnd = reason
            self.report("server ended", "\(reason)")
            self.finish()
        }
    }

    /// The client's end.
    func begin(_ session: Session) {
        client = session
        session.onPacket { session, packet in self.receive(packet.copy(), session) }
        session.onClose { _, reason in
            self.clientEnd = reason
            self.report("client ended", "\(reason)")
            self.finish()
        }
        writeNext()
    }

    private func writeNext() {
        guard let piece = pieces.popFirst() else { return }
        for (index, line) in hexDump(piece).enumerated() {
            report(index == 0 ? "client writes" : "", line)
        }
        unsafe client?.send(bytes: piece.span.bytes)
        bytesWritten += piece.count
        lastWrite = .now
        if !pieces.isEmpty { writeNextAfterArrival() }
    }

    /// Two writes could arrive as one; so the second waits until the server has the first.
    private func writeNextAfterArrival() {
        reactor.schedule(after: .milliseconds(1)) {
            guard let counters = self.server?.counters,
                counters.bytesReceived == self.bytesWritten
            else { return self.writeNextAfterArrival() }
            self.deliveredEarly = counters.packetsReceived
            self.report(
                "server has",
                "\(counters.bytesReceived) bytes, \(counters.packetsReceived) whole packets")
            self.writeNext()
        }
    }

    private func receive(_ packet: OwnedPacket, _ session: Session) {
        report("client receives", packet.summary)
        answers.append(packet)
        if answers.count == step.answers.count && step.serverEnd == .peerClosed { session.close() }
    }

    private func report(_ what: String, _ text: String) {
        let padding = String(repeating: " ", count: max(1, 17 - what.count))
        Terminal.say("   \(what)\(padding)\(text)")
    }
}

// MARK: - Its verdict

extension StepRun {
    private func finish() {
        guard let clientEnd, let serverEnd else { return }
        let silence = ContinuousClock.now - lastWrite
        if serverEnd == .idle(.either) {
            report("silence", "\(milliseconds(silence)) ms")
        }
        completion(failure(clientEnd, serverEnd, silence))
    }

    private func failure(
        _ clientEnd: CloseReason, _ serverEnd: CloseReason, _ silence: Duration
    ) -> String? {
        if answers != step.answers {
            return "answered were \(answers.map(\.summary)), not \(step.answers.map(\.summary))"
        }
        if deliveredEarly != 0 { return "a packet was delivered before it was whole" }
        if serverEnd != step.serverEnd {
            return "the server's session ended with \(serverEnd), not \(step.serverEnd)"
        }
        let expected = step.serverEnd == .peerClosed ? CloseReason.requested : .peerClosed
        if clientEnd != expected {
            return "the client's session ended with \(clientEnd), not \(expected)"
        }
        if serverEnd == .idle(.either) && silence < Step.idleTime {
            return "the session ended after \(milliseconds(silence)) ms of silence, too early"
        }
        return nil
    }
}
