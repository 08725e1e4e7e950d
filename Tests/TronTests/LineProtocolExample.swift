// A second user of the library: a line protocol, whole, on `onBytes`.
import Tron

/// Keeps one text per key: `set KEY VALUE`, `get KEY`, `quit`; lines end with LF or CR LF.
final class LineServer {
    let server: Server
    private var texts: [String: String] = [:]

    init(on reactor: Reactor, address: String, options: ServerOptions = .init()) throws {
        var install: (Session) -> Void = { _ in }
        server = try reactor.listen(on: address, options: options) { install($0) }
        install = { [unowned self] session in
            session.onBytes { [unowned self] session, bytes in takeLine(of: session, bytes) }
        }
    }

    /// Consumes one line, or nothing while it has no end yet.
    private func takeLine(of session: Session, _ bytes: RawSpan) -> Int {
        bytes.withUnsafeBytes { bytes in
            guard let end = bytes.firstIndex(of: 0x0a) else { return 0 }
            let line = String(decoding: bytes[..<end], as: UTF8.self)
            let words = line.split(separator: " ", maxSplits: 2).map { $0.filter { $0 != "\r" } }
            switch (words.first, words.count) {
            case ("set", 3):
                texts[words[1]] = words[2]
                session.send(bytes: "ok\r\n")
            case ("get", 2): session.send(bytes: (texts[words[1]] ?? "?") + "\r\n")
            case ("quit", 1): session.close()
            default: session.send(bytes: "what?\r\n")
            }
            return end + 1
        }
    }
}
