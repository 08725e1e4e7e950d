// What the tests of the metrics endpoint stand on: a reactor on a fake clock that serves metrics.
import Testing

@testable import Tron
@testable import TronMetrics
@testable import TronTests

/// A reactor with a metrics endpoint, whose clients are raw peers.
final class MetricsBench {
    let kernel = FaultyKernel()
    let reactor: Reactor
    let endpoint: MetricsEndpoint

    init(
        on address: String = Bench.unixName(), options: MetricsOptions = MetricsOptions(),
        adding add: @escaping (inout ExpositionText) -> Void = { _ in }
    ) throws {
        reactor = try Reactor(kernel: kernel)
        endpoint = try reactor.serveMetrics(
            on: SocketAddress(address), options: options, adding: add)
    }

    /// A peer, and turns until the endpoint has its connection.
    func connect(receiveBuffer: Int32? = nil) throws -> Peer {
        let count = endpoint.connectionCount
        let peer = try Peer(to: endpoint.address, receiveBuffer: receiveBuffer)
        try reactor.turn(until: { endpoint.connectionCount > count })
        return peer
    }

    /// Sends a text on a connection of its own, ends the stream, and returns all that comes.
    func ask(_ text: String) throws -> [Answer] {
        let peer = try connect()
        peer.send(text.utf8)
        peer.finish()
        try reactor.turn(until: { peer.drained.isAtEnd && endpoint.connectionCount == 0 })
        return answers(peer.received)
    }
}

/// An answer, taken apart.
struct Answer {
    var status: Int
    var fields: [String: String]
    var body: String
}

/// The whole answers in a stream. Those with the numbers in `bodiless` have no body.
func answers(_ stream: [UInt8], bodiless: Set<Int> = []) -> [Answer] {
    var rest = stream[...]
    var answers: [Answer] = []
    while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
        let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        let status = lines[0].split(separator: " ")[1]
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1)
            fields[String(parts[0])] = String(parts[1])
        }
        let length = bodiless.contains(answers.count) ? 0 : Int(fields["Content-Length"]!)!
        guard end.upperBound + length <= rest.endIndex else { break }
        let body = rest[end.upperBound..<end.upperBound + length]
        answers.append(
            Answer(
                status: Int(status)!, fields: fields, body: String(decoding: body, as: UTF8.self)))
        rest = rest[(end.upperBound + length)...]
    }
    return answers
}
