// How often requests for metrics are answered: seldom enough to leave the loop its time.
import Tron

/// Lets requests be answered one at a time, in the order in which they came, with a pause after
/// each answer.
///
/// A pause lasts 19 times as long as its answer took, so that answers take at most a twentieth of
/// the loop's time, but never less than `shortestPause` or more than `longestPause`. An answer for
/// which other reactors are asked takes what the first of it took; nobody is answered meanwhile.
///
/// Invariant: the sessions in `waiting` do not read, and while there are any, an answer is being
/// made or a call of `admitNext` is due.
final class MetricsPace {
    static let shortestPause: Duration = .milliseconds(1)
    /// An answer may have taken long only because the thread did not run meanwhile.
    static let longestPause: Duration = .seconds(1)

    private unowned let reactor: Reactor
    private var waiting: [SessionID] = []
    /// The one whose turn it is.
    private var admitted: SessionID?
    private var isAnswering = false
    private var isCallDue = false
    /// When the pause after the last answer is over, as an `uptime` of the reactor.
    private var pauseEnd: Duration = .zero

    init(of reactor: Reactor) { self.reactor = reactor }

    /// Whether the session's request is to be answered now. If not, the session stops reading, and
    /// is given what it has received again when its turn has come.
    func admits(_ session: Session) -> Bool {
        if admitted == session.id {
            admitted = nil
            if !isAnswering { return true }
        } else if waiting.isEmpty && !isAnswering && reactor.uptime >= pauseEnd {
            return true
        }
        session.pauseReading()
        waiting.append(session.id)
        callLater(after: pauseEnd - reactor.uptime)
        return false
    }

    /// Makes an answer, and begins the pause after it.
    func measure(_ answer: () -> Void) {
        let start = reactor.uptime
        answer()
        let end = reactor.uptime
        pauseEnd = end + max(Self.shortestPause, min((end - start) * 19, Self.longestPause))
        if !waiting.isEmpty { callLater(after: pauseEnd - end) }
    }

    /// Begins an answer that is made later: `finish` is to be called then, once.
    func begin(_ question: () -> Void) {
        isAnswering = true
        measure(question)
    }

    /// Ends it.
    func finish(_ answer: () -> Void) {
        isAnswering = false
        measure(answer)
    }

    private func callLater(after delay: Duration) {
        if isAnswering || isCallDue { return }
        isCallDue = true
        reactor.schedule(after: delay) { [self] in
            isCallDue = false
            admitNext()
        }
    }

    /// Those that have ended meanwhile are passed over.
    private func admitNext() {
        // It is called again when the answer is made.
        if isAnswering { return }
        // The timer was set before the one who was then admitted had its answer.
        guard reactor.uptime >= pauseEnd else { return callLater(after: pauseEnd - reactor.uptime) }
        let next = waiting.firstIndex { reactor.session($0)?.isOpen == true }
        admitted = next.map { waiting[$0] }
        waiting.removeFirst(next.map { $0 + 1 } ?? waiting.count)
        if let admitted { reactor.session(admitted)?.resumeReading() }
        if waiting.isEmpty { return }
        callLater(after: Self.shortestPause)
    }
}
