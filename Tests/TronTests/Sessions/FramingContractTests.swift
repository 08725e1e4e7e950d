// What a session promises to a framing: which bytes it is called with, and when no more.
import Testing

@testable import Tron

/// Frames of as many bytes as their first one says, which notes every call.
private struct NotingFraming: Framing {
    final class Calls {
        /// Where in the stream the next frame begins, and how many bytes were asked for.
        var start = 0
        var needed = 1
        var seen = 0
        var hasFailed = false
        var breaches: [String] = []
    }

    static let stop: UInt8 = 0
    let stream: [UInt8]
    let calls: Calls
    var maximumFrameLength: Int { 300 }

    mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        calls.seen += 1
        let given = bytes.copy()
        if calls.hasFailed { calls.breaches.append("called after a fault") }
        if given.isEmpty { calls.breaches.append("called with nothing") }
        if given.count < calls.needed {
            calls.breaches.append("\(given.count) bytes, \(calls.needed) were asked for")
        }
        if !stream[calls.start...].starts(with: given) {
            calls.breaches.append("other bytes than those behind the last frame")
        }
        let length = Int(given[0])
        if given[0] == Self.stop {
            calls.hasFailed = true
            return .fault(.malformedFrame(code: 1))
        }
        guard given.count >= length else {
            calls.needed = length
            return .needs(atLeast: length)
        }
        calls.start += length
        calls.needed = 1
        return .frame(0..<length, length: length)
    }
}

@Suite struct FramingContractTests {
    @Test func `a framing is called with the bytes behind its last frame, as many as it asked for`()
        throws
    {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<20 {
            var stream: [UInt8] = []
            for _ in 0..<100 {
                let length = UInt8.random(in: 1...255, using: &generator)
                stream += [length] + [UInt8](repeating: 9, count: Int(length) - 1)
            }
            stream += [NotingFraming.stop, 5, 5, 5]
            let calls = NotingFraming.Calls()
            let bench = try Bench { [stream] session, log in
                session.onFrames(of: NotingFraming(stream: stream, calls: calls)) { session, _ in
                    log.notes.append("frame")
                    if log.notes.count % 7 == 0 { session.pauseReading() }
                }
            }
            let peer = try bench.connect()
            bench.kernel.isFrozen = true
            var left = stream[...]
            while !left.isEmpty {
                let piece = left.prefix(Int.random(in: 1...700, using: &generator))
                left = left.dropFirst(max(0, peer.send(piece)))
                try bench.reactor.turn()
                bench.sessions[0].resumeReading()
            }
            try bench.reactor.turn(until: {
                bench.sessions[0].resumeReading()
                return calls.hasFailed
            })
            peer.finish()
            try bench.turnUntilClosed()
            let isClean = calls.breaches.isEmpty && bench.log.notes.count == 100
            #expect(isClean, "\(calls.breaches.prefix(3)), TRON_SEED=\(RandomRun.seed)")
            #expect(bench.reasons == [.protocolFault(.malformedFrame(code: 1))])
        }
    }
}
