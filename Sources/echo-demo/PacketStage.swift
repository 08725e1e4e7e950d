// The stage of the first steps: a server, and for each step a client of plain packets.
import Tron

/// Plays the steps about packets, each on a connection of its own.
final class PacketStage {
    private let reactor: Reactor
    private var server: Server?
    private var current: StepRun?

    init(_ reactor: Reactor) throws {
        self.reactor = reactor
        var options = ServerOptions()
        options.session.idle.either = PacketStep.idleTime
        server = try reactor.listen(on: .loopback(port: 0), options: options) { session in
            self.current?.serve(session)
        }
    }

    var scenes: [Scene] {
        PacketStep.all.map { step in
            Scene(title: step.title, lesson: step.lesson) { self.play(step, $0) }
        }
    }

    private func play(_ step: PacketStep, _ completion: @escaping Verdict) {
        guard let server else { return }
        let run = StepRun(step, reactor) { failure in
            // What a run holds leads back here: kept, neither would ever go.
            self.current = nil
            completion(failure)
        }
        current = run
        reactor.connectOnce(to: server.address) { result in
            switch result {
            case .success(let session): run.begin(session)
            case .failure(let error): completion("\(error)")
            }
        }
    }
}

// MARK: - One step

/// One step on its way: both ends of its connection, and what became of them.
private final class StepRun {
    private let step: PacketStep
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
    init(_ step: PacketStep, _ reactor: Reactor, completion: @escaping (String?) -> Void) {
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
            show("server ended", "\(reason)")
            self.finish()
        }
    }

    /// The client's end.
    func begin(_ session: Session) {
        client = session
        session.onPacket { session, packet in self.receive(packet.copy(), session) }
        session.onClose { _, reason in
            self.clientEnd = reason
            show("client ended", "\(reason)")
            self.finish()
        }
        writeNext()
    }

    private func writeNext() {
        guard let piece = pieces.popFirst() else { return }
        for (index, line) in hexDump(piece).enumerated() {
            show(index == 0 ? "client writes" : "", line)
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
            show(
                "server has",
                "\(counters.bytesReceived) bytes, \(counters.packetsReceived) whole packets")
            self.writeNext()
        }
    }

    private func receive(_ packet: OwnedPacket, _ session: Session) {
        show("client receives", packet.summary)
        answers.append(packet)
        if answers.count == step.answers.count && step.serverEnd == .peerClosed { session.close() }
    }
}

// MARK: - Its verdict

extension StepRun {
    private func finish() {
        guard let clientEnd, let serverEnd else { return }
        let silence = ContinuousClock.now - lastWrite
        if serverEnd == .idle(.either) {
            show("silence", "\(milliseconds(silence)) ms")
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
        if serverEnd == .idle(.either) && silence < PacketStep.idleTime {
            return "the session ended after \(milliseconds(silence)) ms of silence, too early"
        }
        return nil
    }
}
