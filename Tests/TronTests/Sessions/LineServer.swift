// A user of the library whose protocol is not its own: lines, whole, on `onFrames`.
import Tron

/// Keeps one text per key: `set KEY VALUE`, `get KEY`, `quit`; lines end with LF or CR LF.
final class LineServer {
    let server: Server
    private var texts: [String: String] = [:]

    init(on reactor: Reactor, address: String, options: ServerOptions = .init()) throws {
        var install: (Session) -> Void = { _ in }
        server = try reactor.listen(on: address, options: options) { install($0) }
        install = { [unowned self] session in
            session.onFrames(of: .lines()) { [unowned self] session, line in
                answer(line.text, on: session)
            }
        }
    }

    private func answer(_ line: String, on session: Session) {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        switch (words.first, words.count) {
        case ("set", 3):
            texts[words[1]] = words[2]
            session.send(bytes: "ok\r\n")
        case ("get", 2): session.send(bytes: (texts[words[1]] ?? "?") + "\r\n")
        case ("quit", 1): session.close()
        default: session.send(bytes: "what?\r\n")
        }
    }
}
