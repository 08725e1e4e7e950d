// What becomes of a session when its peer ends: one outcome for every combination.
import Glibc

@testable import Tron

/// What the peer does.
enum PeerEnd: String, CaseIterable {
    /// It ends its stream and goes on reading.
    case fin
    /// It neither reads nor writes any more, and no error tells of it.
    case hangUp
    /// It resets the connection; on Unix sockets, it closes without having read everything.
    case error
}

/// How the session stands then.
enum Standing: String, CaseIterable {
    case open
    case pausedByUser
    case pausedByWatermark
    /// `close()` was called.
    case closing
    /// The peer's end of stream was read, and `allowsHalfClose` kept the session.
    case halfClosedByPeer
    /// `closeWriting()` was called.
    case halfClosedByUs

    var isReading: Bool { self == .open || self == .halfClosedByUs }
    var isPaused: Bool { self == .pausedByUser || self == .pausedByWatermark }
}

/// What the kernel has not taken.
enum WaitingOutput: String, CaseIterable {
    case nothing
    case some
    case aboveHighMark
}

/// What happens to the session.
enum HangUpOutcome: Equatable {
    /// It ends at once. What the peer had sent is delivered before if the session reads.
    case ends(CloseReason)
    /// It ends at once with `.system` of this code, whichever call met the error.
    case fails(Int32)
    /// What waits is sent first, and then this is the reason; or `closeTimeout` is over before.
    case sends(CloseReason)
    /// It stays until reading goes on: then come what the peer had sent and `.peerClosed`. If it
    /// does not go on, `halfCloseTimeout` from the peer's end is the limit.
    case stays
    /// No kernel brings it about.
    case cannotBe(Impossibility)
}

enum Impossibility: String {
    /// TCP hangs up without an error once both streams have ended, and this end's has not.
    case ourStreamIsOpen
    /// The peer's stream has ended already.
    case secondFIN
    /// The high watermark pauses reading while output waits, and only then.
    case nothingPauses
}

/// One combination.
struct HangUpCell: CustomStringConvertible {
    var event: PeerEnd
    var standing: Standing
    var output: WaitingOutput
    var transport: Bench.Transport
    var outcome: HangUpOutcome

    var description: String {
        "\(transport): \(event.rawValue), \(standing.rawValue), output \(output.rawValue)"
    }
}

enum HangUpTable {
    private typealias Row = (
        event: PeerEnd, standing: Standing, output: WaitingOutput, tcp: HangUpOutcome,
        unix: HangUpOutcome
    )

    private static let open = HangUpOutcome.cannotBe(.ourStreamIsOpen)
    private static let second = HangUpOutcome.cannotBe(.secondFIN)
    private static let unpaused = HangUpOutcome.cannotBe(.nothingPauses)

    private static let rows: [Row] = [
        (.fin, .open, .nothing, .ends(.peerClosed), .ends(.peerClosed)),
        (.fin, .open, .some, .sends(.peerClosed), .sends(.peerClosed)),
        (.fin, .open, .aboveHighMark, .sends(.peerClosed), .sends(.peerClosed)),
        (.fin, .pausedByUser, .nothing, .stays, .stays),
        (.fin, .pausedByUser, .some, .stays, .stays),
        (.fin, .pausedByUser, .aboveHighMark, .stays, .stays),
        (.fin, .pausedByWatermark, .nothing, unpaused, unpaused),
        (.fin, .pausedByWatermark, .some, .stays, .stays),
        (.fin, .pausedByWatermark, .aboveHighMark, .stays, .stays),
        (.fin, .closing, .nothing, .ends(.requested), .ends(.requested)),
        (.fin, .closing, .some, .sends(.requested), .sends(.requested)),
        (.fin, .closing, .aboveHighMark, .sends(.requested), .sends(.requested)),
        (.fin, .halfClosedByPeer, .nothing, second, second),
        (.fin, .halfClosedByPeer, .some, second, second),
        (.fin, .halfClosedByPeer, .aboveHighMark, second, second),
        (.fin, .halfClosedByUs, .nothing, .ends(.peerClosed), .ends(.peerClosed)),
        (.fin, .halfClosedByUs, .some, .sends(.peerClosed), .sends(.peerClosed)),
        (.fin, .halfClosedByUs, .aboveHighMark, .sends(.peerClosed), .sends(.peerClosed)),

        (.hangUp, .open, .nothing, open, .ends(.peerClosed)),
        (.hangUp, .open, .some, open, .fails(EPIPE)),
        (.hangUp, .open, .aboveHighMark, open, .fails(EPIPE)),
        (.hangUp, .pausedByUser, .nothing, open, .stays),
        (.hangUp, .pausedByUser, .some, open, .fails(EPIPE)),
        (.hangUp, .pausedByUser, .aboveHighMark, open, .fails(EPIPE)),
        (.hangUp, .pausedByWatermark, .nothing, unpaused, unpaused),
        (.hangUp, .pausedByWatermark, .some, open, .fails(EPIPE)),
        (.hangUp, .pausedByWatermark, .aboveHighMark, open, .fails(EPIPE)),
        (.hangUp, .closing, .nothing, .ends(.requested), .ends(.requested)),
        (.hangUp, .closing, .some, open, .fails(EPIPE)),
        (.hangUp, .closing, .aboveHighMark, open, .fails(EPIPE)),
        (.hangUp, .halfClosedByPeer, .nothing, open, .ends(.peerClosed)),
        (.hangUp, .halfClosedByPeer, .some, open, .fails(EPIPE)),
        (.hangUp, .halfClosedByPeer, .aboveHighMark, open, .fails(EPIPE)),
        (.hangUp, .halfClosedByUs, .nothing, .ends(.peerClosed), .ends(.peerClosed)),
        (.hangUp, .halfClosedByUs, .some, open, .fails(EPIPE)),
        (.hangUp, .halfClosedByUs, .aboveHighMark, open, .fails(EPIPE)),

        (.error, .open, .nothing, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .open, .some, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .open, .aboveHighMark, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .pausedByUser, .nothing, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .pausedByUser, .some, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .pausedByUser, .aboveHighMark, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .pausedByWatermark, .nothing, unpaused, unpaused),
        (.error, .pausedByWatermark, .some, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .pausedByWatermark, .aboveHighMark, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .closing, .nothing, .ends(.requested), .ends(.requested)),
        (.error, .closing, .some, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .closing, .aboveHighMark, .fails(ECONNRESET), .fails(ECONNRESET)),
        // After the peer's FIN, TCP calls its RST a broken pipe.
        (.error, .halfClosedByPeer, .nothing, .fails(EPIPE), .fails(ECONNRESET)),
        (.error, .halfClosedByPeer, .some, .fails(EPIPE), .fails(ECONNRESET)),
        (.error, .halfClosedByPeer, .aboveHighMark, .fails(EPIPE), .fails(ECONNRESET)),
        (.error, .halfClosedByUs, .nothing, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .halfClosedByUs, .some, .fails(ECONNRESET), .fails(ECONNRESET)),
        (.error, .halfClosedByUs, .aboveHighMark, .fails(ECONNRESET), .fails(ECONNRESET)),
    ]

    static let cells: [HangUpCell] = rows.flatMap { row in
        [(Bench.Transport.ipv4, row.tcp), (.unix, row.unix)].map { transport, outcome in
            HangUpCell(
                event: row.event, standing: row.standing, output: row.output,
                transport: transport, outcome: outcome)
        }
    }

    static let possible = cells.filter { cell in
        if case .cannotBe = cell.outcome { false } else { true }
    }

    /// Those in which the session is not told at once: what goes on decides.
    static let lasting = cells.filter { cell in
        switch cell.outcome {
        case .sends, .stays: true
        case .ends, .fails, .cannotBe: false
        }
    }

    static func impossible(_ why: Impossibility) -> [HangUpCell] {
        cells.filter { $0.outcome == .cannotBe(why) }
    }
}
