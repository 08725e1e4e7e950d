// What frames cost: bytes looked at, calls of the framing, bytes moved, room for what is to come.
import Testing

@testable import Tron

/// What a framing was given to look at.
private final class Work {
    var calls = 0
    var bytes = 0
}

/// Lines, each byte of which is counted when it is looked at.
private struct CountedLines: Framing {
    let maximumFrameLength = 1 << 20
    let work: Work
    private var scanned = 0

    init(_ work: Work) { self.work = work }

    mutating func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        work.calls += 1
        while scanned < bytes.byteCount {
            work.bytes += 1
            scanned += 1
            guard bytes.byte(at: scanned - 1) == 10 else { continue }
            defer { scanned = 0 }
            return .frame(0..<scanned - 1, length: scanned)
        }
        return .needs(atLeast: scanned + 1)
    }
}

@Suite struct FramesWorkTests {
    /// Has a session receive `count` times the same line in pieces, and says what that took.
    private func work(
        lines count: Int, of length: Int, pieces: Int
    ) throws -> (work: Work, movedBytes: Int, frames: Int) {
        let work = Work()
        let bench = try Bench { session, log in
            session.onFrames(of: CountedLines(work)) { _, line in
                log.notes.append("\(line.content.byteCount)")
            }
        }
        let peer = try bench.connect()
        bench.kernel.isFrozen = true
        let line = [UInt8](repeating: 65, count: length) + [10]
        let stream = Array(repeating: line, count: count).flatMap(\.self)
        var place: UnsafeRawPointer?
        var movedBytes = 0
        for start in stride(from: 0, to: stream.count, by: pieces) {
            peer.send(stream[start..<min(start + pieces, stream.count)])
            try bench.reactor.turn()
            let kept = bench.sessions[0].inbound.keptBytes
            if kept.baseAddress != place { movedBytes += kept.count }
            place = kept.baseAddress
        }
        try bench.reactor.turn(times: 3)
        #expect(bench.log.notes == Array(repeating: "\(length)", count: count))
        return (work, movedBytes, bench.log.notes.count)
    }

    @Test(arguments: [1, 7, 100])
    func `a long line's bytes are looked at once and moved a few times, however it is cut`(
        pieces: Int
    ) throws {
        let length = pieces * 8000
        let (work, movedBytes, _) = try work(lines: 1, of: length, pieces: pieces)
        #expect(work.bytes == length + 1)
        // One for the byte that the line lacks at least, and one for those behind it.
        #expect(work.calls <= 2 * (length / pieces) + 2)
        #expect(movedBytes <= 2 * length)
    }

    @Test(arguments: [1000, 4096, 60_000])
    func `of many lines in one read only those that a read cuts are looked at apart`(
        pieces: Int
    ) throws {
        let (work, movedBytes, _) = try work(lines: 6000, of: 63, pieces: pieces)
        #expect(work.bytes == 6000 * 64)
        let reads = 6000 * 64 / pieces + 1
        // One call more for what a read leaves, and one for what is joined to it without an end.
        #expect(work.calls <= 6000 + 2 * reads)
        #expect(movedBytes <= reads * 64)
    }

    @Test func `the rest of a large frame is received straight behind its beginning`() throws {
        let kernel = FaultyKernel()
        let bench = try Bench(kernel: kernel) { session, log in
            session.onFrames(of: .lengthPrefixed(.four, maximumLength: 1 << 19)) { _, frame in
                log.notes.append("\(frame.content.byteCount)")
            }
        }
        let peer = try bench.connect()
        kernel.isFrozen = true
        // 100,000 bytes of content.
        let stream = [0, 1, 0x86, 0xa0] + [UInt8](repeating: 7, count: 100_000)
        for piece in [stream[..<10], stream[10..<20_010], stream[20_010..<80_010]] {
            peer.send(piece)
            try bench.reactor.turn(times: 2)
        }
        #expect(bench.log.notes == [] && bench.sessions[0].inbound.keptCount == 80_010)
        peer.send(stream[80_010...])
        try bench.reactor.turn(until: { bench.log.notes == ["100000"] }, atMost: 3)
        #expect(kernel.firstRooms == [8192, 20_010, 19_994])
    }

    @Test func `what a frame lacks is received behind it, in proportion to what has arrived`() {
        let pool = BufferPool(maximumIdleBytes: 1 << 24)
        for (arrived, lacking, room) in [
            (10, 5, 5), (10, 1 << 20, 8192), (20_000, 1 << 20, 20_000), (10, 0, 0),
            (1 << 19, 1 << 20, 1 << 18),
        ] {
            var inbound = Inbound(now: 1)
            [UInt8](repeating: 1, count: arrived).withUnsafeBytes { inbound.keep($0, nil, pool) }
            let found = inbound.roomBehindKept(lacking: lacking, 0, atMost: 1 << 18, pool)
            #expect(found.count == room, "\(arrived), lacking \(lacking)")
            inbound.release(to: pool)
        }
    }

    @Test func `a handler joins what it lacks, at least a piece that is worth a call`() {
        let handler = StreamHandler(takingFrames: { _, _ in .needs(0) })
        #expect(handler.lacks(beside: 3) == 0 && handler.joins(5000, to: 3) == 0)
        handler.note(.needs(4))
        #expect(handler.lacks(beside: 3) == 1 && handler.joins(5000, to: 3) == 1024)
        #expect(handler.joins(10, to: 3) == 10 && handler.joins(0, to: 3) == 0)
        #expect(handler.lacks(beside: 4) == 0 && handler.joins(10, to: 4) == 0)
        handler.note(.needs(3000))
        #expect(handler.lacks(beside: 1000) == 2000 && handler.joins(5000, to: 1000) == 2000)
        handler.note(.took(1))
        #expect(handler.joins(5000, to: 3) == 0)
        let bytes = StreamHandler(takingBytes: { _, _ in 0 })
        #expect(bytes.lacks(beside: 3) == .max && bytes.joins(5000, to: 3) == 5000)
    }
}
