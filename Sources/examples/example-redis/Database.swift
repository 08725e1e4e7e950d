// What the server keeps, and what it answers to each command.
import Tron

/// The values by their keys. It belongs to the reactor's thread, as all handlers do.
final class Database {
    /// Bytes of memory for keys and values. What does not fit is refused.
    private let capacity: Int

    /// What a key and its value take beside their bytes: two arrays' heads, and a place in a
    /// dictionary that may be a third full.
    private static let overhead = 160

    private var values: [[UInt8]: [UInt8]] = [:]
    private var bytes = 0

    /// 256 MiB by default. The buffers of sessions come on top of it: `reactor.memoryBound`.
    init(capacity: Int = 256 << 20) { self.capacity = capacity }

    /// Whether there was room.
    private func set(_ key: [UInt8], to value: [UInt8]) -> Bool {
        let before = values[key].map { Self.cost(key, $0) } ?? 0
        let after = bytes - before + Self.cost(key, value)
        guard after <= capacity else { return false }
        bytes = after
        values[key] = value
        return true
    }

    /// Whether it was there.
    private func remove(_ key: [UInt8]) -> Bool {
        guard let value = values.removeValue(forKey: key) else { return false }
        bytes -= Self.cost(key, value)
        return true
    }

    private static func cost(_ key: [UInt8], _ value: [UInt8]) -> Int {
        key.count + value.count + overhead
    }
}

// MARK: - Commands

extension Database {
    private static let isFull = Reply.error("OOM the values take as much memory as they may")

    /// Answers a request. It need not ask whether the session is writable: while more output waits
    /// than the session's high watermark, the session itself reads no further requests.
    func answer(_ frame: borrowing Frame<Request>, on session: Session) {
        switch frame.layout {
        case .arguments(let places):
            guard let first = places.first else { return }
            let name = frame.bytes.extracting(first).text.uppercased()
            session.send(reply(name, places, in: frame.bytes))
            if name == "QUIT" { session.close() }
        case .malformed(let reason):
            session.send(Reply.error("ERR Protocol error: \(reason)"))
            session.close()
        }
    }

    private func reply(_ name: String, _ places: [Range<Int>], in bytes: RawSpan) -> Reply {
        let arguments = places.dropFirst().map { bytes.extracting($0).copy() }
        switch (name, arguments.count) {
        case ("GET", 1): return .bulk(values[arguments[0]])
        case ("SET", 2): return set(arguments[0], to: arguments[1]) ? .ok : Self.isFull
        case ("SET", 3...): return .error("ERR syntax error")
        case ("DEL", 1...): return .integer(arguments.count { remove($0) })
        case ("EXISTS", 1...): return .integer(arguments.count { values[$0] != nil })
        case ("INCR", 1): return increment(arguments[0])
        case ("PING", 0): return .status("PONG")
        case ("PING", 1), ("ECHO", 1): return .bulk(arguments[0])
        case ("QUIT", _): return .ok
        default: return replyToTools(name, arguments)
        }
    }

    private func increment(_ key: [UInt8]) -> Reply {
        let text = values[key] ?? Array("0".utf8)
        guard let number = try? Int(decimal: text.span.bytes), number < .max else {
            return .error("ERR value is not an integer or out of range")
        }
        return set(key, to: Array("\(number + 1)".utf8)) ? .integer(number + 1) : Self.isFull
    }

    /// What redis-cli, redis-benchmark and client libraries ask before they begin.
    private func replyToTools(_ name: String, _ arguments: [[UInt8]]) -> Reply {
        let words = arguments.map { String(decoding: $0, as: UTF8.self).uppercased() }
        switch (name, words.first) {
        case ("COMMAND", _): return .array([])
        case ("CONFIG", "GET") where words.count == 2:
            return .array([.bulk(arguments[1]), .bulk([])])
        case ("CLIENT", "SETNAME"), ("CLIENT", "SETINFO"), ("SELECT", "0"): return .ok
        case ("SELECT", .some): return .error("ERR DB index is out of range")
        case ("HELLO", nil), ("HELLO", "2"):
            return .array([.bulk(Array("proto".utf8)), .integer(2)])
        case ("HELLO", _): return .error("NOPROTO unsupported protocol version")
        case ("GET", _), ("SET", _), ("DEL", _), ("EXISTS", _), ("INCR", _), ("PING", _),
            ("ECHO", _), ("CONFIG", _), ("CLIENT", _), ("SELECT", _):
            return .error("ERR wrong number of arguments for '\(name.lowercased())' command")
        default: return .error("ERR unknown command")
        }
    }
}
