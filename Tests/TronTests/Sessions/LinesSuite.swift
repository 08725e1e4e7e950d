// What the suites of sessions with frames share: a bench whose sessions are sent lines.
@testable import Tron

/// A suite of sessions that hand over frames.
protocol LinesSuite {}

extension LinesSuite {
    /// A bench whose sessions note the lines that they are given.
    func bench(
        _ framing: LineFraming = .lines(), session options: SessionOptions = SessionOptions(),
        line: @escaping (Session, String) -> Void = { _, _ in }
    ) throws -> Bench {
        try Bench(session: options) { session, log in
            session.onFrames(of: framing) { session, frame in
                log.texts.append(frame.text)
                line(session, frame.text)
            }
        }
    }
}
