// What one counts the ends of sessions by.

/// Why sessions end, without the details.
public enum CloseCause: Int, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    /// `CloseReason` of the same names.
    case requested, aborted, peerClosed, idle, dead, unanswered, protocolFault, overflow
    case deadlineExceeded, reactorStopped
    /// The peer's kernel reset the connection (ECONNRESET, EPIPE).
    case reset
    /// The peer's kernel was silent for too long (ETIMEDOUT).
    case silent
    /// The kernel refused another call, or for another reason.
    case system

    /// The name in small letters: `peer_closed`.
    public var description: String {
        switch self {
        case .requested: "requested"
        case .aborted: "aborted"
        case .peerClosed: "peer_closed"
        case .idle: "idle"
        case .dead: "dead"
        case .unanswered: "unanswered"
        case .protocolFault: "protocol_fault"
        case .overflow: "overflow"
        case .deadlineExceeded: "deadline_exceeded"
        case .reactorStopped: "reactor_stopped"
        case .reset: "reset"
        case .silent: "silent"
        case .system: "system"
        }
    }
}
