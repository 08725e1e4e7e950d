// The Redis example as a process, requests as they travel, and what a dictionary answers to them.
import Testing
import Tron

/// `example-redis serve` as a process that listens.
struct RedisServer {
    let process: ProcessUnderTest
    let address: SocketAddress

    init(environment: [String: String] = [:]) throws {
        process = try ProcessUnderTest(
            ["serve", "--port", "0"], of: "example-redis", environment: environment)
        let words = try process.readLine().split(separator: " ")
        try #require(words.dropLast() == ["listening", "on"])
        address = try SocketAddress(String(words[2]))
    }

    func connect() throws -> PlainClient { try PlainClient(address) }

    /// Has the example's own client check a server. Its exit status, and what it printed.
    static func check(
        _ address: SocketAddress, requests: Int = 2000
    ) throws -> ProcessUnderTest {
        let port = "\(try #require(address.port))"
        return try ProcessUnderTest(
            ["check", "--port", port, "--requests", "\(requests)"], of: "example-redis")
    }
}

/// A request as clients send it: an array of bulks.
func redisRequest(_ arguments: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(arguments.count)\r\n".utf8)
    for argument in arguments { bytes += redisBulk(argument) }
    return bytes
}

func redisRequest(_ words: String...) -> [UInt8] { redisRequest(words.map { Array($0.utf8) }) }

func redisBulk(_ bytes: [UInt8]) -> [UInt8] {
    Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
}

/// Random commands, and their answers by a dictionary.
struct RedisModel {
    private var values: [[UInt8]: [UInt8]] = [:]
    private let source: RandomBytes
    private(set) var found = 0

    init(using generator: inout SeededGenerator) { source = RandomBytes(using: &generator) }

    /// Keys are few, so that they come again, and of any bytes; values are up to 16 KiB.
    mutating func next(
        using generator: inout SeededGenerator
    ) -> (request: [UInt8], answer: [UInt8]) {
        let key = [UInt8](repeating: .random(in: 8...15, using: &generator), count: 3)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0..<3:
            let value = [UInt8](source.slice(using: &generator))
            values[key] = value
            return (redisRequest([Array("set".utf8), key, value]), Array("+OK\r\n".utf8))
        case 3:
            let count = values.removeValue(forKey: key) == nil ? 0 : 1
            return (redisRequest([Array("del".utf8), key]), Array(":\(count)\r\n".utf8))
        case 4:
            let count = values[key] == nil ? 0 : 2
            return (redisRequest([Array("exists".utf8), key, key]), Array(":\(count)\r\n".utf8))
        default:
            if values[key] != nil { found += 1 }
            let answer = values[key].map(redisBulk) ?? Array("$-1\r\n".utf8)
            return (redisRequest([Array("get".utf8), key]), answer)
        }
    }
}
