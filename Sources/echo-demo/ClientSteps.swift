// The steps about the client: requests, their failures, the backoff, and the way back.
import Tron

extension ClientStage {
    var scenes: [Scene] {
        [
            Scene(
                title: "A request and its answer",
                lesson: "The answer has the request's sequence, which pairs them.",
                play: playRequest),
            Scene(
                title: "A request that times out",
                lesson: "It fails at its deadline; the answer that comes late finds nobody.",
                play: playTimeout),
            Scene(
                title: "The server goes away",
                lesson: "A request on its way fails; one that may be repeated waits.",
                play: playLoss),
            Scene(
                title: "Nobody listens",
                lesson: "The client tries again after 0.1 s, 0.2 s, 0.4 s, and so on.",
                play: playBackoff),
            Scene(
                title: "The server is back",
                lesson: "The client connects by itself, and sends what waited.",
                play: playReturn),
            Scene(
                title: "Giving up",
                lesson: "Another client, with two attempts: then it fails what it is asked.",
                play: playGivingUp),
        ]
    }

    private static func packet(_ sequence: Int32, _ text: String) -> OwnedPacket {
        OwnedPacket(sequence: sequence, category: 1, data: [UInt8](text.utf8))
    }
}

// MARK: - Requests

extension ClientStage {
    private func playRequest(_ completion: @escaping Verdict) {
        ask("ping") { result, _ in
            let isRight = result == .success(Self.packet(0, "ping"))
            completion(isRight ? nil : "not the answer of sequence 0: \(result)")
        }
    }

    private func playTimeout(_ completion: @escaping Verdict) {
        let patience = Duration.milliseconds(50)
        behaviour.answer = { session, packet in self.answerLater(session.id, packet.copy()) }
        ask("slow", timeout: patience) { result, time in
            guard result == .failure(.timedOut) else { return completion("no timeout: \(result)") }
            guard time >= patience else { return completion("timed out too early: \(time)") }
            self.awaitLateAnswer(completion)
        }
    }

    /// An answer needs no more than the session's name and the request's sequence.
    private func answerLater(_ session: SessionID, _ packet: OwnedPacket) {
        reactor.schedule(after: .milliseconds(100)) {
            show("server answers", packet.summary)
            self.reactor.session(session)?.send(
                sequence: packet.sequence, category: packet.category, data: packet.data)
        }
    }

    private func awaitLateAnswer(_ completion: @escaping Verdict) {
        reactor.schedule(after: .milliseconds(5)) {
            let counters = self.client.counters
            if counters.lateAnswers == 0 { return self.awaitLateAnswer(completion) }
            show("client counts", "\(counters.lateAnswers) late answer")
            let isAlone = counters.connections == 1 && counters.requestsAnswered == 1
            completion(isAlone ? nil : "the timeout did more than fail its request: \(counters)")
        }
    }
}

// MARK: - The connection lost, and made again

extension ClientStage {
    private func playLoss(_ completion: @escaping Verdict) {
        var held = 0
        behaviour.answer = { _, _ in
            held += 1
            guard held == 2 else { return }
            show("server stops", "with \(held) requests, and no answers")
            self.server.stop(sessions: .abort)
        }
        ask("once") { result, _ in
            guard case .failure(.connectionLost(.system)) = result else {
                return completion("the connection was not lost: \(result)")
            }
            let pending = self.client.pendingRequestCount
            completion(pending == 1 ? nil : "\(pending) requests wait, not 1")
        }
        ask("twice if need be", isRepeatable: true) { result, _ in
            self.repeated = result
            self.log.check()
        }
    }

    private func playBackoff(_ completion: @escaping Verdict) {
        log.wait(until: self.log.announced.count == 3) {
            let delays = [100, 200, 400].map { Duration.milliseconds($0) }
            guard self.log.announced == delays else {
                return completion("the delays were \(self.log.announced)")
            }
            completion(self.log.keptEveryDelay ? nil : "too early: \(self.log.measured)")
        }
    }

    private func playReturn(_ completion: @escaping Verdict) {
        behaviour.answer = Behaviour.echo
        do {
            try restartServer()
        } catch {
            return completion("\(error)")
        }
        show("server", "listens again on \(server.address)")
        log.wait(until: self.repeated != nil) {
            guard self.repeated == .success(Self.packet(3, "twice if need be")) else {
                return completion("not the answer of sequence 3")
            }
            guard self.client.counters.connections == 2, self.log.keptEveryDelay else {
                return completion("\(self.client.counters), after \(self.log.measured)")
            }
            self.close(completion)
        }
    }

    private func close(_ completion: @escaping Verdict) {
        client.close()
        log.wait(until: self.client.state == .closed && self.server.sessionCount == 0) {
            completion(nil)
        }
    }
}

// MARK: - The end of patience

extension ClientStage {
    private func playGivingUp(_ completion: @escaping Verdict) {
        let backoff = Backoff(initial: .milliseconds(50), multiplier: 2, attempts: 2)
        let client = reactor.makeClient(to: [vacantAddress], reconnecting: backoff)
        let log = StateLog()
        log.follow(client)
        var failure: RequestError?
        client.request(category: 1, data: "anybody?") { outcome in
            guard case .failed(let error) = outcome else { return }
            show("request failed", "\(error)")
            failure = error
        }
        log.wait(until: client.state.isFinal) {
            guard failure == .notConnected else { return completion("the request did not fail") }
            guard case .gaveUp(.unreachable(.refused)) = client.state, log.keptEveryDelay else {
                return completion("it ended \(client.state), after \(log.measured)")
            }
            let delays = [50, 100].map { Duration.milliseconds($0) }
            completion(log.announced == delays ? nil : "the delays were \(log.announced)")
        }
    }
}
