// A client of a Redis server: random commands, many at a time, whose replies a dictionary judges.
import Tron

final class Check {
    /// Requests whose replies have not come, at most: of 64 the replies are 4 MiB, which a server
    /// may have to hold.
    private static let window = 64
    /// Bytes of a value.
    private static let longestValue = 64 << 10

    private let requests: Int
    private let keys: [[UInt8]]
    private let noise = randomBytes(2 * longestValue)
    private var values: [[UInt8]: [UInt8]] = [:]
    /// What the next replies have to be, byte for byte; nil where any integer is right.
    private var expected: [[UInt8]?] = []
    private var sent = 0
    private var answered = 0
    private var found = 0
    private var failure: String?

    init(requests: Int) {
        self.requests = requests
        keys = (0..<32).map { Array("example-redis:\($0):".utf8) + Self.randomBytes($0) }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255) }
    }

    /// Prints what came of it. Whether every reply was right.
    func run(to address: SocketAddress) throws -> Bool {
        let reactor = try Reactor()
        var options = SessionOptions.client
        // A server that owes a reply and says nothing for so long has failed.
        options.idle.read = .seconds(10)
        reactor.connectOnce(to: address, options: options) { [self] result in
            switch result {
            case .success(let session): begin(session, reactor)
            case .failure(let error):
                failure = "\(error)"
                reactor.stop()
            }
        }
        try reactor.run()
        print(failure ?? "\(answered) replies right, \(found) of them values")
        return failure == nil
    }

    private func begin(_ session: Session, _ reactor: Reactor) {
        session.onFrames(of: ReplyFraming()) { [self] session, frame in
            judge(frame)
            if failure != nil || answered == requests { return session.close() }
            ask(session)
        }
        session.onWritabilityChange { [self] session, isWritable in
            if isWritable { ask(session) }
        }
        session.onClose { [self] _, reason in
            if answered < requests { failure = failure ?? "after \(answered) replies: \(reason)" }
            reactor.stop()
        }
        ask(session)
    }

    /// Sends as much as may be on its way.
    private func ask(_ session: Session) {
        while expected.count < Self.window, sent < requests, session.isWritable {
            let (command, reply) = nextCommand()
            session.send(command)
            expected.append(reply)
            sent += 1
        }
    }

    /// A command and its reply. What an earlier run may have left is deleted first.
    private func nextCommand() -> (command: Reply, reply: [UInt8]?) {
        if sent < keys.count { return (Self.command("DEL", keys[sent]), nil) }
        let key = keys[Int.random(in: 0..<keys.count)]
        switch Int.random(in: 0..<5) {
        case 0:
            let count = values.removeValue(forKey: key) == nil ? 0 : 1
            return (Self.command("DEL", key), Array(":\(count)\r\n".utf8))
        case 1, 2:
            let length = Int.random(in: 0...Self.longestValue) >> Int.random(in: 0...16)
            let start = Int.random(in: 0..<Self.longestValue)
            let value = Array(noise[start..<start + length])
            values[key] = value
            return (Self.command("SET", key, value), Array("+OK\r\n".utf8))
        default:
            guard let value = values[key] else {
                return (Self.command("GET", key), Array("$-1\r\n".utf8))
            }
            found += 1
            let reply = "$\(value.count)\r\n".utf8 + value + "\r\n".utf8
            return (Self.command("GET", key), Array(reply))
        }
    }

    /// A command is written as an array of bulks.
    private static func command(_ name: String, _ arguments: [UInt8]...) -> Reply {
        .array([.bulk(Array(name.utf8))] + arguments.map { .bulk($0) })
    }

    private func judge(_ reply: borrowing Frame<Range<Int>>) {
        answered += 1
        guard let wanted = expected.first else {
            failure = "reply \(answered) answers nothing"
            return
        }
        expected.removeFirst()
        let isRight =
            if let wanted { reply.bytes.equals(wanted) } else { reply.bytes.starts(with: ":") }
        if !isRight { failure = "reply \(answered) is wrong: \(reply.text.prefix(80))" }
    }
}
