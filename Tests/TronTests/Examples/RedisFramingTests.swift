// The Redis example's parts without a process: framings at every cut, limits, and a full database.
import Testing

@testable import Tron
@testable import example_redis

@Suite struct RedisFramingTests {
    /// What a stream of requests is, and how often the framing was asked.
    private struct RequestStream: Equatable {
        var requests: [[[UInt8]]] = []
        var malformed: String?
        var calls = 0
    }

    private func read(_ stream: [UInt8], cuts: some Sequence<Int>) -> RequestStream {
        var framing = RequestFraming()
        var result = RequestStream()
        var (start, needed) = (0, 1)
        for end in Array(cuts) + [stream.count] {
            while end - start >= needed {
                let bytes = stream.span.bytes.extracting(start..<end)
                result.calls += 1
                switch framing.nextFrame(in: bytes) {
                case .frame(.arguments(let places), let length):
                    result.requests.append(places.map { bytes.extracting($0).copy() })
                    start += length
                    needed = 1
                case .frame(.malformed(let reason), _):
                    result.malformed = reason
                    return result
                case .needs(let count):
                    #expect(count > end - start && count <= framing.maximumFrameLength)
                    needed = count
                case .fault(let fault): Issue.record("\(fault)")
                }
            }
        }
        #expect(start == stream.count)
        return result
    }

    private let mixed =
        Array("PING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n\r\n".utf8)
        + redisRequest("SET", "", "\r\n")
        + Array("*-1\r\nset a  b\n".utf8)

    @Test func `requests are the same at every one and every two cuts of their stream`() {
        let expected = [
            ["PING"], ["GET", "k"], [], [], ["SET", "", "\r\n"], [], ["set", "a", "b"],
        ]
        .map { $0.map { Array($0.utf8) } }
        for first in 0...mixed.count {
            for second in first...mixed.count {
                let found = read(mixed, cuts: [first, second])
                #expect(found.requests == expected, "\(first), \(second)")
            }
        }
        #expect(read(mixed, cuts: 0..<mixed.count).requests == expected)
    }

    @Test func `a server's answers are the same at every cut of what it receives`() throws {
        let database = Database()
        let bench = try Bench { session, _ in
            session.onFrames(of: RequestFraming()) { session, frame in
                database.answer(frame, on: session)
            }
        }
        let peer = try bench.connect()
        let expected = "+PONG\r\n$-1\r\n+OK\r\n+OK\r\n"
        for cut in 0...mixed.count {
            let before = peer.received.count
            for piece in [mixed[..<cut], mixed[cut...]] where !piece.isEmpty {
                peer.send(piece)
                try bench.reactor.turn()
            }
            try bench.reactor.turn(until: { peer.drained.received.count >= before + 21 })
            #expect(peer.received[before...] == Array(expected.utf8)[...], "\(cut)")
        }
    }

    @Test func `an argument is asked for at once, however long it is`() {
        let calls = [100_000, 500_000].map { length in
            let request = redisRequest([[1], [UInt8](repeating: 7, count: length)])
            return read(request, cuts: 0..<request.count).calls
        }
        #expect(calls[0] == calls[1] && calls[0] < 30)
    }

    @Test(arguments: ["", "*1\r\n$"])
    func `no byte of a line is searched twice`(before: String) {
        var framing = RequestFraming()
        let start = before.utf8.count
        var bytes = Array(before.utf8) + [UInt8](repeating: 48, count: 60_000) + [10]
        for count in 1...bytes.count {
            let step = framing.nextFrame(in: bytes.span.bytes.extracting(0..<count))
            // Had it looked at this again, the line would end here.
            if count > start { bytes[count - 1] = 10 }
            if case .needs = step { continue }
            #expect(count == bytes.count)
            return
        }
        Issue.record("no request")
    }

    @Test func `the bounds are exact: of an argument, of how many there are, of a line`() {
        let largest = redisRequest([[1], [UInt8](repeating: 7, count: Limits.argument)])
        #expect(read(largest, cuts: []).requests.count == 1)
        let most = redisRequest([[UInt8]](repeating: [], count: Limits.arguments))
        #expect(read(most, cuts: []).requests[0].count == Limits.arguments)
        let words = Array(String(repeating: "a ", count: Limits.arguments).utf8) + [10]
        #expect(read(words, cuts: []).requests[0].count == Limits.arguments)
        let line = [UInt8](repeating: 65, count: Limits.line) + [13, 10]
        #expect(read(line, cuts: []).requests == [[Array(line.dropLast(2))]])
        #expect(read([65] + line, cuts: []).malformed == "too big inline request")
    }

    @Test func `replies are the same at every cut, and what is none is a fault`() {
        let stream = Array("+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n$0\r\n\r\n$3\r\n\r\n$\r\n".utf8)
        let contents = ["OK", "ERR no", "-7", "-1", "", "\r\n$"].map { Array($0.utf8) }
        for first in 0...stream.count {
            for second in first...stream.count {
                let found = ReplyFraming().read(stream, cuts: [first, second])
                #expect(found == FramedStream(contents: contents), "\(first), \(second)")
            }
        }
        let none = [
            ("OK\r\n", 1), ("\r\n", 1), ("\n", 1), ("*0\r\n", 1), ("$\r\n", 2), ("$-2\r\n", 2),
            ("$x\r\n", 2), ("$524289\r\n", 2), ("$99999999999999999999\r\n", 2), ("$1\r\nabc", 3),
        ]
        for (text, code) in none {
            let found = ReplyFraming().read(Array(text.utf8))
            #expect(found.fault == .malformedFrame(code: code), "\(text)")
        }
    }

    @Test func `a database that is full refuses what is more, keeps what it has, and frees`() throws
    {
        let database = Database(capacity: 1000)
        let bench = try Bench { session, _ in
            session.onFrames(of: RequestFraming()) { session, frame in
                database.answer(frame, on: session)
            }
        }
        let peer = try bench.connect()
        let full = "-OOM the values take as much memory as they may\r\n"
        let value = String(repeating: "v", count: 400)
        let requests: [([UInt8], String)] = [
            (redisRequest("SET", "a", value), "+OK\r\n"), (redisRequest("SET", "b", value), full),
            (redisRequest("SET", "a", value + value), "+OK\r\n"), (redisRequest("INCR", "n"), full),
            (redisRequest("SET", "a", value + value + value), full),
            (redisRequest("STRLEN", "a"), "-ERR unknown command\r\n"),
            (redisRequest("GET", "a"), "$800\r\n\(value)\(value)\r\n"),
            (redisRequest("DEL", "a"), ":1\r\n"), (redisRequest("SET", "b", value), "+OK\r\n"),
            (redisRequest("INCR", "n"), ":1\r\n"),
        ]
        peer.send(requests.flatMap(\.0))
        let expected = requests.map(\.1).joined()
        try bench.reactor.turn(until: { peer.drained.received.count >= expected.utf8.count })
        #expect(String(decoding: peer.received, as: UTF8.self) == expected)
    }
}
