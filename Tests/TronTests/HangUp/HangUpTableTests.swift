// The table of hang-ups, cell by cell: who is told what and when, and that nothing spins or stays.
import Glibc
import Testing

@testable import Tron

@Suite struct HangUpTableTests {
    @Test func `the table has every combination once`() {
        let count =
            2 * PeerEnd.allCases.count * Standing.allCases.count * WaitingOutput.allCases.count
        #expect(HangUpTable.cells.count == count)
        #expect(Set(HangUpTable.cells.map(\.description)).count == count)
    }

    /// Compares without the call that met a system error: which one it is, is luck.
    private func expect(
        _ reason: CloseReason?, _ code: Int32, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard case .system(let error) = reason else {
            Issue.record(
                "\(reason.map { "\($0)" } ?? "nothing") in place of error \(code)",
                sourceLocation: sourceLocation)
            return
        }
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    }

    @Test(arguments: HangUpTable.possible)
    func `left alone after its peer's end, a session is told in time and leaves nothing`(
        cell: HangUpCell
    ) throws {
        let stage = try HangUpStage(cell)
        try stage.end()
        try stage.turnUntilTold()
        let seconds = stage.seconds
        let reason = stage.bench.reasons.first
        switch cell.outcome {
        case .ends(let expected):
            #expect(reason == expected && seconds < 0.1)
            #expect(stage.bench.texts == (cell.standing.isReading ? ["last words"] : []))
        case .fails(let code):
            expect(reason, code)
            #expect(seconds < 0.1)
        case .sends:
            #expect(reason == .deadlineExceeded(.close))
            #expect((HangUpStage.closeTimeout...HangUpStage.closeTimeout + 0.1).contains(seconds))
            #expect(stage.bench.texts == (cell.standing.isReading ? ["last words"] : []))
        case .stays:
            let limit = HangUpStage.halfCloseTimeout
            #expect(reason == .deadlineExceeded(.halfClose))
            #expect((limit...limit + 0.1).contains(seconds), "\(seconds) s")
            #expect(stage.bench.texts == [])
        case .cannotBe: Issue.record("among the possible")
        }
        try stage.expectNothingLeft()
    }

    @Test(arguments: HangUpTable.lasting)
    func `once its peer reads and reading goes on, a session ends as its peer did`(
        cell: HangUpCell
    ) throws {
        let stage = try HangUpStage(cell)
        try stage.end()
        try stage.bench.reactor.turn(times: 5)
        #expect(stage.bench.reasons == [])
        if cell.standing == .pausedByUser { stage.session.resumeReading() }
        let expected = stage.session.counters.bytesSent + stage.session.queuedBytes
        try stage.bench.reactor.turn(
            until: {
                stage.peer.drain()
                return !stage.bench.reasons.isEmpty
            }, atMost: 5000)
        stage.peer.drainToEnd()
        if case .sends(let reason) = cell.outcome {
            #expect(stage.bench.reasons == [reason])
        } else {
            #expect(stage.bench.reasons == [.peerClosed])
        }
        #expect(stage.peer.isAtEnd && stage.peer.received.count == expected)
        let isClosing = cell.standing == .closing
        let kept = cell.standing.isPaused ? ["unread", "last words"] : ["last words"]
        #expect(stage.bench.texts == (isClosing ? [] : kept))
        try stage.expectNothingLeft()
    }

    @Test(arguments: HangUpTable.impossible(.ourStreamIsOpen))
    func `TCP reports no hang-up without an error while this end's stream is open`(
        cell: HangUpCell
    ) throws {
        let stage = try HangUpStage(cell)
        try stage.end()
        for _ in 0..<5 where stage.bench.reasons.isEmpty {
            let signs = try stage.signs(awaiting: HangUpStage.peerFinished)
            #expect(signs & POLLHUP == 0 || signs & POLLERR != 0)
            try stage.bench.reactor.turn()
        }
    }

    @Test(arguments: HangUpTable.impossible(.secondFIN))
    func `a stream that has ended does not end again`(cell: HangUpCell) throws {
        let stage = try HangUpStage(cell)
        try stage.end()
        let kernel = stage.kernel
        let (waits, empty) = (kernel.waits, kernel.emptyWaits)
        try stage.bench.reactor.turn(times: 10)
        #expect(kernel.waits - waits == kernel.emptyWaits - empty)
        #expect(stage.bench.log.notes == ["peer finished"] && stage.bench.reasons == [])
        // What was told once has its limit.
        try stage.turnUntilTold()
        #expect(stage.bench.reasons == [.deadlineExceeded(.halfClose)])
        try stage.expectNothingLeft()
    }

    @Test(arguments: HangUpTable.impossible(.nothingPauses))
    func `with nothing waiting the high watermark pauses nobody`(cell: HangUpCell) throws {
        let stage = try HangUpStage(cell)
        let data = [UInt8](repeating: 0x62, count: 4000)
        for _ in 0..<32 { stage.session.send(category: 1, data: data) }
        try stage.bench.reactor.turn(
            until: {
                stage.peer.drain()
                return stage.session.queuedBytes == 0
            }, atMost: 5000)
        stage.peer.send(wire("heard"))
        try stage.bench.reactor.turn(until: { stage.bench.texts == ["heard"] })
    }
}
