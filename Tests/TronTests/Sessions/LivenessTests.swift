// Who is alive: heard peers are, asked ones that stay silent are not, the others are not judged.
import Glibc
import Testing

@testable import Tron

private let beat = LivenessStage.beat
private let question = LivenessStage.question
private let answer = LivenessStage.answer

@Suite struct LivenessTests {
    @Test func `nobody is dead whose question still waits for its flush`() throws {
        var options = SessionOptions()
        options.heartbeat = Heartbeat(category: beat, interval: .milliseconds(999))
        options.deadAfter = .seconds(1)
        var limits = ReactorLimits()
        limits.maximumFlushesPerTurn = 1
        let bench = try Bench(session: options, limits: limits)
        bench.kernel.isFrozen = true
        let peers = try (0..<3).map { _ in try bench.connect() }
        // All are asked in one turn, and a turn's flush is for one of them.
        bench.kernel.advance(.milliseconds(1000))
        for _ in 0..<8 {
            try bench.reactor.turn(times: 1)
            bench.kernel.advance(.milliseconds(1))
            let asked = peers.count { $0.drained.packets == [question] }
            #expect(bench.reasons.count <= asked)
        }
        #expect(bench.reasons == [.dead, .dead, .dead])
    }

    @Test func `a peer that answers is alive, whatever this end sends meanwhile`() throws {
        let stage = try LivenessStage()
        try stage.live(until: 30) {
            stage.session.send(category: 1, data: "one way")
            stage.answerQuestions()
        }
        #expect(stage.bench.reasons == [] && stage.seconds >= 30, "after \(stage.seconds) s")
        #expect((25...30).contains(stage.questions), "\(stage.questions) questions")
    }

    @Test func `a silent peer is asked at its interval, although this end sends all the time`()
        throws
    {
        let stage = try LivenessStage { $0.deadAfter = nil }
        try stage.live(until: 10) {
            stage.session.send(category: 1, data: "one way")
            stage.peer.drain()
        }
        #expect((8...10).contains(stage.questions), "\(stage.questions) questions")
    }

    @Test func `a silent peer that was asked is dead, although this end sends all the time`()
        throws
    {
        let stage = try LivenessStage()
        try stage.live(until: 30) {
            stage.session.send(category: 1, data: "one way")
            stage.peer.drain()
        }
        #expect(stage.bench.reasons == [.dead])
        #expect((3...4.5).contains(stage.seconds), "after \(stage.seconds) s")
        #expect((2...3).contains(stage.questions), "\(stage.questions) questions")
    }

    @Test func `a question that arrives during a long turn leaves its peer the time to answer`()
        throws
    {
        let stage = try LivenessStage()
        var arrival: Double?
        var death: Double?
        try stage.live(until: 10) {
            stage.peer.drain()
            if !stage.bench.reasons.isEmpty { death = stage.seconds }
            if arrival == nil { stage.deliver(at: 60) }
            guard arrival == nil, stage.questions == 1 else { return }
            // In the turn that asks again: the kernel's answer is younger than the turn.
            arrival = stage.seconds + 1
            stage.bench.reactor.schedule(after: .milliseconds(900)) {
                var progress = SendProgress()
                progress.millisecondsSinceAcknowledgement = 1900
                stage.bench.kernel.progress = progress
                stage.bench.kernel.advance(.milliseconds(1900))
            }
        }
        let end = try #require(arrival) + 3 - 1
        #expect(stage.bench.reasons == [.dead])
        let time = try #require(death)
        #expect((end - 0.01...end + 0.5).contains(time), "after \(time) s")
    }

    /// Whether the next question follows before the time is over, or not.
    @Test(arguments: [1.0, 2.0])
    func `a question that arrives late leaves its peer the time to answer`(interval: Double) throws
    {
        let arrival = 2.8
        func makeStage() throws -> LivenessStage {
            try LivenessStage {
                $0.heartbeat = Heartbeat(category: beat, interval: .seconds(interval))
            }
        }
        let silent = try makeStage()
        try silent.live(until: 10) {
            silent.deliver(at: arrival)
            silent.peer.drain()
        }
        #expect(silent.bench.reasons == [.dead])
        let end = arrival + 3 - interval
        #expect((end - 0.1...end + 0.5).contains(silent.seconds), "after \(silent.seconds) s")

        let slow = try makeStage()
        try slow.live(until: end - 0.3) { slow.deliver(at: arrival) }
        slow.answerQuestions()
        try slow.live(until: end + 0.5) { slow.deliver(at: arrival) }
        #expect(slow.bench.reasons == [] && slow.seconds > end)
    }

    @Test func `a peer that is heard is not asked`() throws {
        let stage = try LivenessStage()
        try stage.live(until: 20) { stage.peer.send(wire("I speak")) }
        #expect(stage.bench.reasons == [] && stage.seconds >= 20)
        stage.peer.drain()
        #expect(stage.questions == 0)
    }

    /// The peer's program does not read, and its kernel is there.
    @Test func `a peer whose question waits behind output is not dead by silence`() throws {
        let stage = try LivenessStage { $0.pausesReadingAboveHighWatermark = false }
        stage.session.send(category: 1, data: [UInt8](repeating: 0, count: 1 << 20))
        try stage.live(until: 15)
        #expect(stage.bench.reasons == [] && stage.seconds >= 15, "after \(stage.seconds) s")
        #expect(stage.session.queuedBytes > 0)
        // It reads, answers, and is silent at last.
        try stage.live(until: 30) { stage.answerQuestions() }
        #expect(stage.bench.reasons == [] && stage.questions > 10, "\(stage.questions) questions")
        try stage.live(until: 45) { stage.peer.drain() }
        #expect(stage.bench.reasons == [.dead])
    }

    @Test func `a peer that takes output slowly is not dead while it does`() throws {
        let stage = try LivenessStage { $0.pausesReadingAboveHighWatermark = false }
        stage.session.send(category: 1, data: [UInt8](repeating: 0, count: 1 << 20))
        try stage.live(until: 20) { stage.peer.drain(atMost: 4096) }
        #expect(stage.bench.reasons == [] && stage.seconds >= 20, "after \(stage.seconds) s")
        #expect(stage.session.queuedBytes > 0)
    }

    @Test func `a peer that cannot be asked after closeWriting is not dead by silence`() throws {
        let stage = try LivenessStage()
        stage.session.closeWriting()
        try stage.live(until: 15) { stage.peer.drain() }
        #expect(stage.bench.reasons == [] && stage.seconds >= 15, "after \(stage.seconds) s")
        #expect(stage.peer.isAtEnd && stage.questions == 0)
        #expect(stage.session.counters.packetsRefused == 0)
        stage.peer.send(wire("still here"))
        try stage.live(until: 16)
        #expect(stage.bench.texts == ["still here"])
    }

    @Test func `no questions are queued behind output that does not leave`() throws {
        let stage = try LivenessStage { $0.pausesReadingAboveHighWatermark = false }
        stage.session.send(category: 1, data: [UInt8](repeating: 0, count: 1 << 20))
        try stage.live(until: 15)
        let waiting = stage.session.queuedBytes
        try stage.live(until: 25)
        #expect(stage.session.queuedBytes == waiting && waiting > 0)
        #expect(stage.bench.reasons == [])
    }

    @Test func `an answer that cannot be sent after closeWriting is no refused packet`() throws {
        let stage = try LivenessStage()
        stage.session.closeWriting()
        stage.peer.send(question.wireBytes + wire("asked"))
        try stage.live(until: 0.5)
        #expect(stage.bench.texts == ["asked"])
        #expect(stage.session.counters.packetsRefused == 0)
    }

    @Test func `a session that does not read does not call its peer dead`() throws {
        let stage = try LivenessStage()
        stage.session.pauseReading()
        try stage.live(until: 15) { stage.peer.drain() }
        #expect(stage.bench.reasons == [] && stage.seconds >= 15)
        stage.session.resumeReading()
        let resumed = stage.seconds
        try stage.live(until: 30) { stage.peer.drain() }
        #expect(stage.bench.reasons == [.dead])
        #expect((3...4.5).contains(stage.seconds - resumed), "after \(stage.seconds - resumed) s")
    }

    @Test func `heartbeats are no packets received, neither questions nor answers`() throws {
        let stage = try LivenessStage()
        stage.peer.send(question.wireBytes + answer + wire("one") + question.wireBytes)
        try stage.live(until: 0.5)
        #expect(stage.bench.texts == ["one"])
        let counters = stage.session.counters
        #expect(counters.packetsReceived == 1)
        #expect(counters.bytesReceived == 3 * answer.count + wire("one").count)
        #expect(stage.bench.reactor.snapshot().sessions.traffic.packetsReceived == 1)
    }

    /// Heartbeats are progress all the same: what follows one has a time of its own.
    @Test func `a packet behind a heartbeat that was cut has its own time`() throws {
        let stage = try LivenessStage {
            $0.deadAfter = nil
            $0.limits.packetTimeout = .seconds(5)
        }
        stage.peer.send(answer.prefix(5))
        try stage.live(until: 4)
        stage.peer.send(answer.dropFirst(5) + wire("cut").prefix(4))
        try stage.live(until: 20)
        #expect(stage.bench.reasons == [.deadlineExceeded(.packet)])
        #expect((9...9.5).contains(stage.seconds), "after \(stage.seconds) s")
    }
}
