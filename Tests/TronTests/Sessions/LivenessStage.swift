// What the tests of liveness stand on: a session that asks its peer, under a clock of their own.
@testable import Tron

/// A session that asks after a second and gives up after three, and its peer, on a fake clock.
final class LivenessStage {
    static let beat: UInt8 = 200
    static let question = OwnedPacket(category: beat, data: [0])
    static let answer = OwnedPacket(category: beat, data: [1]).wireBytes

    let bench: Bench
    let peer: Peer
    let start: Int64
    private var asked = 0

    var session: Session { bench.sessions[0] }
    var seconds: Double { Double(bench.kernel.clock - start) / 1e9 }
    var questions: Int { peer.packets.count { $0 == Self.question } }

    init(
        _ transport: Bench.Transport = .unix, _ change: (inout SessionOptions) -> Void = { _ in }
    ) throws {
        var options = SessionOptions()
        options.heartbeat = Heartbeat(category: Self.beat, interval: .seconds(1))
        options.deadAfter = .seconds(3)
        change(&options)
        bench = try Bench(transport, session: options)
        peer = try bench.connect()
        start = bench.kernel.clock
    }

    /// Lives on until so many seconds after the start, in steps of 200 ms; `step` is called after
    /// each.
    func live(until end: Double, _ step: () throws -> Void = {}) throws {
        while seconds < end && bench.reasons.isEmpty {
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 3)
            try step()
            bench.kernel.advance(.milliseconds(200))
            bench.kernel.isFrozen = false
        }
    }

    /// In the turns of the next step, what was sent is on its way if its arrival is still to come.
    func deliver(at arrival: Double) {
        let since = seconds + 0.2 - arrival
        var progress = SendProgress()
        progress.segmentsInFlight = since < 0 ? 1 : 0
        progress.millisecondsSinceAcknowledgement = since < 0 ? 60_000 : UInt32(since * 1000)
        bench.kernel.progress = progress
    }

    /// What a peer does that reads and answers.
    func answerQuestions() {
        peer.drain()
        while asked < questions {
            peer.send(Self.answer)
            asked += 1
        }
    }
}
