// The Redis example as a process: exact answers, hostile bytes, a slow reader, its own client.
import Glibc
import Testing
import Tron

@Suite struct RedisExampleTests {
    private static let arity = "-ERR wrong number of arguments for '"

    private static let answers: [(request: [UInt8], answer: String)] = [
        (redisRequest("PING"), "+PONG\r\n"), (Array("PING\r\n".utf8), "+PONG\r\n"),
        (Array("  ping \n".utf8), "+PONG\r\n"), (Array("echo a\r\n".utf8), "$1\r\na\r\n"),
        (redisRequest("pInG", "a b\r\n"), "$5\r\na b\r\n\r\n"),
        (redisRequest("ECHO", ""), "$0\r\n\r\n"),
        (Array("*0\r\n*-1\r\n\r\n\n".utf8), ""),
        (redisRequest("GET", "a"), "$-1\r\n"), (redisRequest("SET", "a", "1"), "+OK\r\n"),
        (redisRequest("set", "b", ""), "+OK\r\n"), (redisRequest("get", "b"), "$0\r\n\r\n"),
        (redisRequest("EXISTS", "a", "b", "c", "a"), ":3\r\n"),
        (redisRequest("INCR", "a"), ":2\r\n"),
        (redisRequest("INCR", "new"), ":1\r\n"), (redisRequest("DEL", "new"), ":1\r\n"),
        (redisRequest("GET", "a"), "$1\r\n2\r\n"),
        (redisRequest("SET", "a", "\(Int.max)"), "+OK\r\n"),
        (redisRequest("INCR", "a"), "-ERR value is not an integer or out of range\r\n"),
        (redisRequest("INCR", "b"), "-ERR value is not an integer or out of range\r\n"),
        (redisRequest("DEL", "a", "b", "a"), ":2\r\n"), (redisRequest("DEL", "a"), ":0\r\n"),
        (redisRequest("SET", "a", "1", "EX", "9"), "-ERR syntax error\r\n"),
        (redisRequest("GET"), "\(arity)get' command\r\n"),
        (redisRequest("SET", "a"), "\(arity)set' command\r\n"),
        (redisRequest("PING", "a", "b"), "\(arity)ping' command\r\n"),
        (redisRequest("DEL"), "\(arity)del' command\r\n"),
        (redisRequest("COMMAND", "DOCS"), "*0\r\n"), (redisRequest("SELECT", "0"), "+OK\r\n"),
        (redisRequest("SELECT", "1"), "-ERR DB index is out of range\r\n"),
        (redisRequest("CONFIG", "GET", "save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        (redisRequest("CLIENT", "SETNAME", "me"), "+OK\r\n"),
        (redisRequest("HELLO"), "*2\r\n$5\r\nproto\r\n:2\r\n"),
        (redisRequest("HELLO", "3"), "-NOPROTO unsupported protocol version\r\n"),
        (redisRequest("FLUSHALL"), "-ERR unknown command\r\n"),
        (redisRequest("\r\n+OK"), "-ERR unknown command\r\n"),
        (redisRequest([[0xff, 0x00]]), "-ERR unknown command\r\n"),
    ]

    @Test func `every command is answered to the byte, one at a time and all at once`() throws {
        let server = try RedisServer()
        let client = try server.connect()
        for (request, answer) in Self.answers + Self.answers {
            client.send(request)
            let answer = Array(answer.utf8)
            let name = String(decoding: request, as: UTF8.self)
            #expect(try client.receive(count: answer.count) == answer, "\(name)")
        }
        client.send(Self.answers.flatMap(\.request) + redisRequest("QUIT", "now"))
        let all = Self.answers.map(\.answer).joined() + "+OK\r\n"
        #expect(try client.receive(count: .max) == Array(all.utf8))
    }

    @Test func `random binary keys and values are a dictionary's, in pipelines cut at random`()
        throws
    {
        let server = try RedisServer()
        let client = try server.connect()
        var generator = SeededGenerator(seed: RandomRun.seed)
        var model = RedisModel(using: &generator)
        for batch in 0..<60 {
            var (requests, answers): ([UInt8], [UInt8]) = ([], [])
            for _ in 0..<Int.random(in: 1...30, using: &generator) {
                let next = model.next(using: &generator)
                requests += next.request
                answers += next.answer
            }
            while !requests.isEmpty {
                let count = Int.random(in: 1...requests.count, using: &generator)
                client.send(Array(requests.prefix(count)))
                requests.removeFirst(count)
            }
            let received = try client.receive(count: answers.count)
            try #require(received == answers, "batch \(batch), TRON_SEED=\(RandomRun.seed)")
        }
        #expect(model.found > 100, "TRON_SEED=\(RandomRun.seed)")
    }

    @Test func `what is no request is told why and ends its connection, and no other`() throws {
        let server = try RedisServer()
        let good = try server.connect()
        for row in HostileRequest.all {
            good.send(Array("*1\r\n$4\r\nPI".utf8))
            let client = try server.connect()
            client.send(redisRequest("PING") + row.bytes)
            let expected = Array("+PONG\r\n-ERR Protocol error: \(row.reason)\r\n".utf8)
            #expect(try client.receive(count: .max) == expected, "\(row.name)")
            good.send(Array("NG\r\n".utf8))
            #expect(try good.receive(count: 7) == Array("+PONG\r\n".utf8), "\(row.name)")
        }
        good.send(Array("*2\r\n$4\r\nECHO\r\n".utf8))
        good.finish()
        #expect(try good.receive(count: 1) == [])
    }

    @Test func `who pipelines large answers and does not read costs little, and gets them all`()
        throws
    {
        // Of the address sanitizer, which else keeps what was freed.
        let server = try RedisServer(environment: ["ASAN_OPTIONS": "quarantine_size_mb=1"])
        let (slow, other) = (try server.connect(), try server.connect())
        let value = (0..<512 << 10).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        slow.send(redisRequest([Array("SET".utf8), [1], value]))
        #expect(try slow.receive(count: 5) == Array("+OK\r\n".utf8))
        let before = try server.process.highestMemory()
        let count = 60
        slow.send(Array((0..<count).map { _ in redisRequest([Array("GET".utf8), [1]]) }.joined()))
        // Of the turns in which these are answered, one has seen the requests.
        for _ in 0..<3 {
            other.send(Array("PING\r\n".utf8))
            #expect(try other.receive(count: 7) == Array("+PONG\r\n".utf8))
        }
        let answer = redisBulk(value)
        var received: [UInt8] = []
        for index in 0..<count {
            while received.count < answer.count {
                let more = try slow.receive(count: 1)
                try #require(!more.isEmpty, "the end, in answer \(index)")
                received += more
            }
            try #require(received.prefix(answer.count) == answer[...], "answer \(index)")
            received.removeFirst(answer.count)
        }
        // The answers are 30 MiB. What waits is at most the high watermark and one of them; blocks
        // are powers of two, and their predecessors are there while they grow.
        #expect(try server.process.highestMemory() - before < 8 << 20)
    }

    @Test func `SIGTERM ends it with status 0, after what was answered has left`() throws {
        let server = try RedisServer()
        let client = try server.connect()
        client.send(redisRequest("SET", "a", "b"))
        #expect(try client.receive(count: 5) == Array("+OK\r\n".utf8))
        server.process.signal(SIGTERM)
        #expect(try client.receive(count: 1) == [])
        client.finish()
        let outcome = try server.process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output == "1 closed, 0 aborted, 0 replies not given\n")
    }
}

/// Bytes that are no request, and what the server says to them.
private struct HostileRequest {
    let name: String
    let bytes: [UInt8]
    let reason: String

    init(_ text: String, _ reason: String) {
        self.init(String(text.prefix(40)), Array(text.utf8), reason)
    }

    init(_ name: String, _ bytes: [UInt8], _ reason: String) {
        (self.name, self.bytes, self.reason) = (name, bytes, reason)
    }

    private static let line = 64 << 10
    private static let argument = 512 << 10

    static let all: [HostileRequest] =
        [
            "*1025", "*2147483648", "*99999999999999999999", "*-99999999999999999999", "*x", "*",
            "*1 ",
        ]
        .map { HostileRequest("\($0)\r\n", "invalid multibulk length") }
        + ["$-1", "$524289", "$99999999999999999999", "$x", "$", "$4 "]
        .map { HostileRequest("*1\r\n\($0)\r\n", "invalid bulk length") }
        + ["*1", ":4", "", "PING", "+OK"].map { HostileRequest("*1\r\n\($0)\r\n", "expected '$'") }
        + [
            HostileRequest("*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$'"),
            HostileRequest("*1\r\n$4\r\nPINGxx", "expected CRLF behind a bulk"),
            HostileRequest("*1\r\n$4\r\nPING\n\n", "expected CRLF behind a bulk"),
            HostileRequest("*1\r\n$3\r\nPING\r\n", "expected CRLF behind a bulk"),
            HostileRequest("*1\r\n$6\r\nPING\r\n*1\r\n", "expected CRLF behind a bulk"),
            HostileRequest(String(repeating: "a", count: line + 2), "too big inline request"),
            HostileRequest("*" + String(repeating: "0", count: line + 1), "too big inline request"),
            HostileRequest(
                "*1\r\n$" + String(repeating: "0", count: line + 1), "too big bulk count string"),
            HostileRequest(String(repeating: "a ", count: 1025) + "\r\n", "too many arguments"),
            HostileRequest(
                "two large arguments",
                Array("*3\r\n".utf8) + redisBulk([1])
                    + redisBulk([UInt8](repeating: 7, count: argument))
                    + Array("$\(argument)\r\n".utf8), "too big request"),
        ]
}
