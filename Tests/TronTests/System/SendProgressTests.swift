// What a kernel knows of sent bytes decides over a peer that is not heard.
import Testing

@testable import Tron

@Suite struct SendProgressTests {
    /// The session asks after a second and gives up after three; its peer reads, and says nothing.
    private func live(
        for seconds: Int, each second: (inout SendProgress) -> Void
    ) throws -> (reasons: [CloseReason], seconds: Int) {
        var options = SessionOptions()
        options.heartbeat = Heartbeat(category: 200, interval: .seconds(1))
        options.deadAfter = .seconds(3)
        let kernel = FaultyKernel()
        var progress = SendProgress()
        let bench = try Bench(session: options, kernel: kernel)
        let peer = try bench.connect()
        var passed = 0
        while passed < seconds && bench.reasons.isEmpty {
            kernel.isFrozen = true
            second(&progress)
            kernel.progress = progress
            try bench.reactor.turn(times: 3)
            peer.drain()
            kernel.advance(.seconds(1))
            passed += 1
        }
        #expect(kernel.looksAtProgress > 0)
        return (bench.reasons, passed)
    }

    @Test func `a closed window behind which the question waits is no silence`() throws {
        let end = try live(for: 20) { progress in
            progress.unsentBytes = 12
            progress.millisecondsSinceAcknowledgement += 1000
        }
        #expect(end.reasons == [])
    }

    @Test func `bytes that are acknowledged are a sign of life`() throws {
        let end = try live(for: 20) { progress in
            progress.segmentsInFlight = 1
            progress.acknowledged += 1
            progress.millisecondsSinceAcknowledgement = 5000
        }
        #expect(end.reasons == [])
    }

    @Test func `segments that nobody acknowledges end the session at the second look`() throws {
        let end = try live(for: 20) { progress in
            progress.segmentsInFlight = 1
            progress.millisecondsSinceAcknowledgement += 1000
        }
        #expect(end.reasons == [.dead] && (6...8).contains(end.seconds), "after \(end.seconds) s")
    }

    @Test func `two probes of a closed window without an answer end the session, one does not`()
        throws
    {
        for (probes, reasons) in [(1, []), (2, [CloseReason.dead])] as [(UInt32, [CloseReason])] {
            let end = try live(for: 20) { progress in
                progress.unsentBytes = 12
                progress.unansweredProbes = probes
                progress.millisecondsSinceAcknowledgement += 1000
            }
            #expect(end.reasons == reasons, "\(probes) probes")
        }
    }

    @Test func `when all has arrived, a question without an answer is silence`() throws {
        let end = try live(for: 20) { _ in }
        #expect(end.reasons == [.dead] && (3...5).contains(end.seconds), "after \(end.seconds) s")
    }
}
