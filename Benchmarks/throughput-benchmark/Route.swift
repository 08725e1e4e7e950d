// Where a server sends what comes in: an echo alone would flatter those that answer from where a
// packet lies.

/// Which connections a packet leaves on. Connections are counted in the order of their acceptance.
enum Route: String, Sendable {
    /// The one on which it came.
    case echo
    /// Its neighbour: 0 and 1 are a pair, and so on.
    case pairs
    /// All, its own among them. The load sends on the first alone.
    case room

    /// Whose packets this connection receives.
    func source(of connection: Int) -> Int {
        switch self {
        case .echo: connection
        case .pairs: connection ^ 1
        case .room: 0
        }
    }

    /// Whether the load sends on it.
    func sends(_ connection: Int) -> Bool { self != .room || connection == 0 }
}
