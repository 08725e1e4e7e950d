// What clients ask of the server, and what came of it.
import Synchronization

/// What each client asks.
enum Question: Sendable {
    /// Sets, so many at once, and another one for each answer. The server is at work once it has
    /// answered a thousand.
    case sets(atOnce: Int)
    /// So many sets, and then a get. The server is at work once it has answered all gets: by then
    /// the handler has been called for each set.
    case setsThenGet(Int)
}

/// What came of it.
struct Outcome: Sendable, CustomStringConvertible {
    var asked = 0
    var answered = 0
    /// Clients whose unanswered requests are not the last ones that they made.
    var gaps = 0
    /// Clients with unanswered requests.
    var unanswered = 0
    /// Clients whose connection did not end with the server's end of stream.
    var broken = 0
    var problem: String?

    var description: String {
        let counts = "asked \(asked), answered \(answered)"
        let clients = "clients: \(unanswered) unanswered, \(gaps) with gaps, \(broken) broken"
        return "\(counts); \(clients); \(problem ?? "no problem")"
    }
}

/// Carries an outcome from the thread of the clients.
final class OutcomeBox: Sendable {
    private let box = Mutex(Outcome())

    var outcome: Outcome {
        get { box.withLock { $0 } }
        set { box.withLock { $0 = newValue } }
    }
}
