// Framings that are wrong, and frames that are too long: the session pays for it, and nobody else.
import Testing

@testable import Tron

/// Does what it is told, once: then nothing is a frame.
private struct ToldFraming<Layout>: Framing {
    let maximumFrameLength: Int
    let tell: (Int) -> FramingStep<Layout>

    init(_ maximum: Int = 100, tell: @escaping (Int) -> FramingStep<Layout>) {
        maximumFrameLength = maximum
        self.tell = tell
    }

    func nextFrame(in bytes: RawSpan) -> FramingStep<Layout> { tell(bytes.byteCount) }
}

@Suite struct FramingFaultTests {
    /// What ends a session of this framing that receives so many bytes, and how many frames it had.
    private func end<F: Framing>(
        of framing: F, receiving count: Int = 10
    ) throws -> (reasons: [CloseReason], frames: Int) {
        let bench = try Bench { session, log in
            session.onFrames(of: framing) { session, _ in
                log.notes.append("frame")
                if log.notes.count > 1000 { session.abort() }
            }
        }
        let peer = try bench.connect()
        peer.send([UInt8](repeating: 65, count: count))
        try bench.reactor.turn(times: 3)
        peer.finish()
        try bench.turnUntilClosed()
        return (bench.reasons, bench.log.notes.count)
    }

    private func fault(
        of step: FramingStep<Range<Int>>, maximum: Int = 100
    ) throws -> ProtocolFault? {
        let (reasons, frames) = try end(of: ToldFraming(maximum) { _ in step })
        guard reasons.count == 1, case .protocolFault(let fault) = reasons[0], frames == 0 else {
            return nil
        }
        return fault
    }

    @Test func `a frame of no bytes ends its session`() throws {
        #expect(try fault(of: .frame(0..<0, length: 0)) == .framingMadeNoProgress(bytes: 10))
    }

    @Test(arguments: [Int.min, -1, 0, 9, 10])
    func `a framing that needs no more than it has ends its session`(needed: Int) throws {
        #expect(try fault(of: .needs(atLeast: needed)) == .framingMadeNoProgress(bytes: 10))
    }

    @Test(arguments: [Int.min, -1, 11, Int.max])
    func `a frame longer than what there is, or of less than nothing, ends its session`(
        length: Int
    ) throws {
        let fault = try fault(of: .frame(0..<1, length: length))
        #expect(fault == .consumedTooMuch(consumed: length, of: 10))
    }

    @Test(arguments: [
        (-1..<2, -1), (0..<5, 5), (4..<5, 5), (5..<5, 5), (Int.min..<Int.max, Int.min),
        (0..<Int.max, Int.max),
    ])
    func `a content that is not within its frame ends the session`(
        content: Range<Int>, place: Int
    ) throws {
        let fault = try fault(of: .frame(content, length: 4))
        #expect(fault == .consumedTooMuch(consumed: place, of: 4))
    }

    @Test(arguments: [101, Int.max])
    func `a framing that needs more than its longest frame ends its session`(needed: Int) throws {
        #expect(try fault(of: .needs(atLeast: needed)) == .frameTooLong(maximum: 100))
    }

    @Test func `a frame longer than the longest one ends its session, also when it is whole`()
        throws
    {
        #expect(
            try fault(of: .frame(0..<1, length: 10), maximum: 9) == .frameTooLong(maximum: 9))
    }

    @Test func `a fault that the framing finds is the reason`() throws {
        #expect(try fault(of: .fault(.malformedFrame(code: 42))) == .malformedFrame(code: 42))
    }

    @Test func `a layout of another kind is the handler's own, and its frames are checked as well`()
        throws
    {
        let framing = ToldFraming { count in
            count > 4 ? .frame([0..<1, 1..<2], length: 2) : FramingStep.frame([0..<9], length: 9)
        }
        let (reasons, frames) = try end(of: framing)
        #expect(reasons == [.protocolFault(.consumedTooMuch(consumed: 9, of: 4))] && frames == 3)
    }

    @Test func `a session is not asked for what a peer only announces`() throws {
        let bench = try Bench { session, log in
            session.onFrames(of: .lengthPrefixed(.four, maximumLength: 1000)) { _, _ in
                log.notes.append("frame")
            }
        }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        peer.send([0, 0, 0, 1, 9, 0xff, 0xff])
        try bench.reactor.turn(times: 2)
        #expect(bench.sessions[0].isOpen && bench.log.notes == ["frame"])
        // The last two bytes of the header, and nothing of what it announces.
        peer.send([0xff, 0xff])
        try bench.reactor.turn(until: { !bench.sessions[0].isOpen }, atMost: 3)
        peer.finish()
        try bench.turnUntilClosed()
        let announced = Int(UInt32.max)
        #expect(bench.reasons == [.protocolFault(.dataTooLong(announced: announced))])
    }

    @Test func `a line without an end keeps no more than the longest line`() throws {
        let bench = try Bench { session, _ in
            session.onFrames(of: .lines(maximumLength: 3000)) { _, _ in }
        }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        for _ in 0..<20 where bench.sessions[0].isOpen {
            peer.send([UInt8](repeating: 65, count: 500))
            try bench.reactor.turn(times: 2)
            #expect(bench.sessions[0].inbound.keptCount <= 3500)
        }
        peer.finish()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.protocolFault(.frameTooLong(maximum: 3000))])
    }
}
