// Requests out of bytes: the same however they are cut, and the malformed refused as they deserve.
import Testing

@testable import TronMetrics
@testable import TronTests

/// What a parser makes of a stream that arrives in pieces, up to a refusal.
private func outcomes(
    _ stream: [UInt8], pieces: (Int) -> Int = { _ in .max }
) -> [HTTPRequestParser.Outcome] {
    var parser = HTTPRequestParser()
    var outcomes: [HTTPRequestParser.Outcome] = []
    var start = 0
    var end = 0
    while end < stream.count {
        end += min(stream.count - end, pieces(end))
        arrivals: while start < end {
            let arrived = stream[start..<end]
            let outcome = parser.next(arrived.span.bytes)
            switch outcome {
            case .needsMore: break arrivals
            case .request(_, let length): start += length
            case .refused: return outcomes + [outcome]
            }
            outcomes.append(outcome)
        }
    }
    return outcomes + (start < end ? [.needsMore] : [])
}

private func requests(_ text: String) -> [HTTPRequest] {
    outcomes([UInt8](text.utf8)).compactMap {
        guard case .request(let request, _) = $0 else { return nil }
        return request
    }
}

private let get = "GET /metrics HTTP/1.1\r\nHost: a\r\n"

@Suite struct HTTPRequestTests {
    @Test(arguments: HTTPSample.malformed)
    func `a malformed request is refused, cut where it may be`(sample: HTTPSample) {
        let expected = [HTTPRequestParser.Outcome.refused(sample.status)]
        #expect(outcomes(sample.bytes) == expected)
        #expect(outcomes(sample.bytes, pieces: { _ in 1 }) == expected)
        for cut in 1..<min(sample.bytes.count, 300) {
            #expect(outcomes(sample.bytes, pieces: { $0 == 0 ? cut : .max }) == expected)
        }
    }

    @Test func `requests in a row are the same wherever they are cut`() {
        let text =
            "\(get)\r\n\r\nHEAD http://a:1/healthz?x=/y HTTP/1.0\r\n\r\n"
            + "POST / HTTP/1.1\r\nHost:\r\nContent-Length: 3\r\n\r\n\r\n\n\(get)\r\n\(get)"
        let stream = [UInt8](text.utf8)
        let whole = outcomes(stream)
        #expect(whole.count == 5)
        #expect(whole.last == .needsMore)
        for size in 1...stream.count {
            #expect(outcomes(stream, pieces: { _ in size }) == whole)
            #expect(outcomes(stream, pieces: { $0 == 0 ? size : .max }) == whole)
        }
    }

    @Test(arguments: [
        "GET /metrics HTTP/1.1": "/metrics", "GET /metrics?name=x HTTP/1.1": "/metrics",
        "GET / HTTP/1.7": "/", "GET http://a/metrics HTTP/1.1": "/metrics",
        "GET HTTPS://a:9000/b/c?d HTTP/1.1": "/b/c", "GET http://a HTTP/1.1": "/",
        "GET http://a?b HTTP/1.1": "/", "OPTIONS * HTTP/1.1": "*",
        "CONNECT [::1]:9000 HTTP/1.1": "[::1]:9000", "GET //metrics HTTP/1.1": "//metrics",
    ])
    func `each form of target has its path`(line: String, path: String) {
        #expect(requests("\(line)\r\nHost: a\r\n\r\n").map(\.path) == [path])
    }

    @Test func `only GET and HEAD are known, in capitals`() {
        for (word, method) in [
            "GET": .get, "HEAD": .head, "get": .other, "POST": .other, "GETS": .other,
        ] as [String: HTTPRequest.Method] {
            #expect(requests("\(word) / HTTP/1.1\r\nHost: a\r\n\r\n").map(\.method) == [method])
        }
    }

    @Test(arguments: [
        "HTTP/1.1\r\nHost: a": true, "HTTP/1.1\r\nHost: a\r\nConnection: close": false,
        "HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive , CLOSE": false,
        "HTTP/1.1\r\nHost: a\r\nConnection: x\r\nconnection: close": false,
        "HTTP/1.1\r\nHost: a\r\nConnection: closed": true, "HTTP/1.0": false,
        "HTTP/1.0\r\nConnection: keep-alive": true,
        "HTTP/1.0\r\nConnection: keep-alive, close": false,
        "HTTP/1.0\r\nConnection: \u{212A}eep-alive": false,
        "HTTP/1.0\r\nConnection: KEEP-Alive": true,
    ])
    func `a connection is kept as its version and its fields say`(head: String, keeps: Bool) {
        #expect(requests("GET / \(head)\r\n\r\n").map(\.keepsAlive) == [keeps])
    }

    @Test func `what HTTP/1.0 does not know is ignored there`() {
        #expect(requests("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").count == 1)
    }

    @Test func `values may have tabs, spaces around them, and bytes beyond ASCII`() {
        #expect(requests("\(get)X: \t a\tb \u{e9} \t\r\nEmpty:\r\n\r\n").count == 1)
    }

    @Test func `limits are exact`() {
        let limits = HTTPLimits()
        let path = String(
            repeating: "x", count: limits.maximumRequestLineLength - "GET / HTTP/1.1\r\n".utf8.count
        )
        #expect(requests("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n").count == 1)
        #expect(requests("GET /x\(path) HTTP/1.1\r\nHost: a\r\n\r\n").isEmpty)
        let value = String(
            repeating: "x", count: limits.maximumHeadLength - "\(get)X: \r\n\r\n".utf8.count)
        #expect(requests("\(get)X: \(value)\r\n\r\n").count == 1)
        #expect(requests("\(get)X: x\(value)\r\n\r\n").isEmpty)
        let fields = String(repeating: "X: b\r\n", count: limits.maximumFields - 1)
        #expect(requests(get + fields + "\r\n").count == 1)
        let body = String(repeating: "\n", count: limits.maximumBodyLength)
        #expect(requests("\(get)Content-Length: 8192\r\n\r\n\(body)\(get)\r\n").count == 2)
    }
}

// MARK: - Random streams

extension HTTPRequestTests {
    @Test func `random changes are understood alike however they are cut`() {
        var random = SeededGenerator(seed: RandomRun.seed)
        print("HTTPRequestTests: TRON_SEED=\(RandomRun.seed)")
        let samples = HTTPSample.malformed.map(\.bytes) + [[UInt8]("\(get)\r\n".utf8)]
        var refused = 0
        for _ in 0..<RandomRun.operations / 100 {
            var stream = (0..<3).flatMap { _ in samples.randomElement(using: &random)!.prefix(400) }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let index = stream.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<3, using: &random) {
                case 0: stream[index] = .random(in: 0...255, using: &random)
                case 1: stream.remove(at: index)
                default: stream.insert("\r\n :,".utf8.randomElement(using: &random)!, at: index)
                }
            }
            let whole = outcomes(stream)
            let cut = outcomes(stream) { _ in .random(in: 1...40, using: &random) }
            #expect(cut == whole)
            if case .refused = whole.last { refused += 1 }
        }
        #expect(refused > 0)
    }
}
