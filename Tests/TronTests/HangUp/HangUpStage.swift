// Brings one session to where the table of hang-ups wants it, on a clock that stands meanwhile.
import Glibc
import Testing

@testable import Tron

/// One session and its peer, and what the session told.
final class HangUpStage {
    static let highMark = 64 << 10
    static let lowMark = 8 << 10
    static let closeTimeout = 4.0
    static let halfCloseTimeout = 20.0

    let cell: HangUpCell
    let bench: Bench
    let peer: Peer
    let kernel: FaultyKernel
    private let descriptor: Int32
    /// Those of the reactor and the server.
    private let openBefore: Int
    private(set) var start: Int64 = 0

    var session: Session { bench.sessions[0] }

    init(_ cell: HangUpCell) throws {
        self.cell = cell
        kernel = FaultyKernel()
        kernel.sendBuffer = 4608
        bench = try Bench(
            cell.transport, session: Self.options(for: cell.standing), kernel: kernel
        ) { session, log in
            session.onPeerFinished { _ in log.notes.append("peer finished") }
        }
        openBefore = kernel.openDescriptors.count
        peer = try bench.connect(receiveBuffer: cell.transport == .unix ? nil : 4096)
        descriptor = try #require(kernel.accepted.first)
        kernel.isFrozen = true
        try bringAbout()
    }

    private static func options(for standing: Standing) -> SessionOptions {
        var options = SessionOptions()
        options.limits.maximumDataLength = 4096
        options.limits.maximumQueuedBytes = 256 << 10
        options.limits.outputHighWatermark = highMark
        options.limits.outputLowWatermark = lowMark
        options.limits.closeTimeout = .seconds(closeTimeout)
        options.limits.halfCloseTimeout = .seconds(halfCloseTimeout)
        options.pausesReadingAboveHighWatermark = standing == .pausedByWatermark
        options.allowsHalfClose = standing == .halfClosedByPeer
        return options
    }

    // MARK: - Before the peer ends

    private func bringAbout() throws {
        // Unread, so that a peer that closes does so without having read everything.
        session.send(category: 1, data: "greeting")
        try bench.reactor.turn(times: 2)
        switch cell.output {
        case .nothing: break
        case .some where cell.standing == .pausedByWatermark:
            try fill(to: Self.highMark + 16_384)
            try drainBelowHighMark()
        case .some: try fill(to: 16_384)
        case .aboveHighMark: try fill(to: Self.highMark + 16_384)
        }
        switch cell.standing {
        case .open, .pausedByWatermark: break
        case .pausedByUser: session.pauseReading()
        case .closing: session.close()
        case .halfClosedByPeer:
            peer.finish()
            try bench.reactor.turn(until: { bench.log.notes == ["peer finished"] })
        case .halfClosedByUs: session.closeWriting()
        }
        try bench.reactor.turn(times: 2)
        try requireStanding()
    }

    /// Queues until the kernel takes no more and at least so much waits.
    private func fill(to size: Int) throws {
        let data = [UInt8](repeating: 0x61, count: 1000)
        for _ in 0..<2000 {
            if session.queuedBytes >= size {
                try bench.reactor.turn(times: 4)
                if session.queuedBytes >= size { return }
            }
            session.send(category: 1, data: data)
            if session.queuedBytes < 2000 { try bench.reactor.turn() }
        }
    }

    private func drainBelowHighMark() throws {
        try bench.reactor.turn(
            until: {
                peer.drain(atMost: 1000)
                return session.queuedBytes <= 3 * Self.highMark / 4
            }, atMost: 5000)
    }

    /// What the cell says holds, or nothing that follows would say anything.
    private func requireStanding() throws {
        try #require(bench.reasons == [])
        switch cell.output {
        case .nothing: try #require(session.queuedBytes == 0)
        case .some:
            try #require((Self.lowMark + 1...Self.highMark).contains(session.queuedBytes))
        case .aboveHighMark: try #require(session.queuedBytes > Self.highMark)
        }
        if cell.standing.isPaused && cell.output != .nothing || cell.standing == .pausedByUser {
            peer.send(wire("unread"))
            try bench.reactor.turn(times: 3)
            try #require(bench.texts == [])
        }
    }

    // MARK: - The peer's end

    /// The peer says its last words and ends, and the kernel knows of it: nothing that happens
    /// later happens because of a slow machine.
    func end() throws {
        if cell.event != .error && cell.standing != .halfClosedByPeer {
            peer.send(wire("last words"))
        }
        start = kernel.clock
        switch cell.event {
        case .fin: peer.finish()
        case .hangUp: peer.hangUp()
        case .error: peer.reset()
        }
        try awaitSigns()
    }

    /// Waits until the kernel knows of the session's descriptor what the cell says. The end of the
    /// peer's stream may be known from before: it says nothing of a hang-up or an error after it.
    private func awaitSigns() throws {
        let isImpossible = if case .cannotBe = cell.outcome { true } else { false }
        if cell.event == .fin || isImpossible {
            _ = try signs(awaiting: Self.peerFinished)
        } else {
            // Both are told unasked.
            let signs = try signs(awaiting: 0) & (POLLHUP | POLLERR)
            try #require(cell.event == .hangUp ? signs == POLLHUP : signs & POLLERR != 0)
        }
    }

    /// POLLRDHUP.
    static let peerFinished: Int32 = 0x2000

    /// What the kernel says of the session's descriptor once there is anything of these to say, a
    /// hang-up, or an error.
    func signs(awaiting awaited: Int32) throws -> Int32 {
        var request = pollfd(fd: descriptor, events: Int16(awaited), revents: 0)
        try #require(poll(&request, 1, 2000) == 1)
        return Int32(request.revents)
    }

    /// Seconds of the fake clock since the peer's end.
    var seconds: Double { Double(kernel.clock - start) / 1e9 }

    /// Takes turns until the session has told its end or a minute is over. Nothing but a deadline
    /// is worth waiting for, so a loop that does not spin takes few turns and makes few calls.
    func turnUntilTold(sourceLocation: SourceLocation = #_sourceLocation) throws {
        kernel.isFrozen = false
        var isOver = false
        bench.reactor.schedule(after: .seconds(60)) { isOver = true }
        let (waits, calls) = (kernel.waits, kernel.allCalls)
        for _ in 0..<60 where bench.reasons.isEmpty && !isOver { try bench.reactor.turn() }
        let count = (turns: kernel.waits - waits, calls: kernel.allCalls - calls)
        let spent: Comment = "\(count.turns) turns, \(count.calls) calls, \(seconds) seconds"
        try #require(!bench.reasons.isEmpty, spent, sourceLocation: sourceLocation)
        #expect(count.turns <= 20 && count.calls <= 80, spent, sourceLocation: sourceLocation)
    }

    /// Nothing is left of the session, and nothing more is told.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        weak let held = bench.sessions[0]
        bench.log.sessions = []
        let told = bench.reasons
        try bench.reactor.turn(times: 3)
        #expect(bench.reasons == told && told.count == 1, sourceLocation: sourceLocation)
        #expect(bench.server.sessionCount == 0, sourceLocation: sourceLocation)
        #expect(kernel.openDescriptors.count == openBefore, sourceLocation: sourceLocation)
        #expect(held == nil, "the session's memory", sourceLocation: sourceLocation)
    }
}
