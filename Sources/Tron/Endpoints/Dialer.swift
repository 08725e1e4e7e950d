// Where a client's connection stands: one case at a time, with all that it holds.

/// The connection of a client.
///
///     idle → (resolving →) queued (→ admitted) → dialing → connected → waiting → idle …
///
/// What every request looks at is small: the rest of what the cases hold lies apart.
///
/// From anywhere to `gaveUp`, when the backoff's attempts are used up, and to `ended`.
enum Dialer {
    /// Not begun, or about to begin anew.
    case idle
    /// The name is being looked up.
    case resolving
    /// Before the gate.
    case queued([SocketAddress])
    /// Holds a place at the gate, and dials in the next turn.
    case admitted([SocketAddress])
    /// Holds a place at the gate. `failure` is what befell an address before, if that is worth
    /// another attempt.
    indirect case dialing(
        ConnectionAttempt, left: ArraySlice<SocketAddress>, failure: ClientFailure?)
    case connected(Session, since: Int64)
    indirect case waiting(TimerKey, delay: Duration, attempt: Int)
    case gaveUp(ClientFailure)
    /// Closed; its last state is that, or that it had given up.
    case ended(ClientState)

    var state: ClientState {
        switch self {
        case .idle, .resolving, .queued, .admitted, .dialing: .connecting
        case .connected: .connected
        case .waiting(_, let delay, let attempt): .waiting(delay: delay, attempt: attempt)
        case .gaveUp(let failure): .gaveUp(failure)
        case .ended(let last): last
        }
    }

    var session: Session? {
        if case .connected(let session, _) = self { session } else { nil }
    }

    /// Whether a session may follow that does not count for itself yet.
    var mayConnect: Bool {
        switch self {
        case .idle, .resolving, .queued, .admitted, .waiting: true
        case .dialing, .connected, .gaveUp, .ended: false
        }
    }
}
