// The load against servers that do right, and against those that do one thing wrong.
import Dispatch
import Glibc
import Testing

@testable import throughput_benchmark

@Suite struct LoadTests {
    private let stream = PacketStream(sizes: 0...200)

    private func load(
        _ server: EchoServer, connections: Int = 3, window: Int = 10
    ) throws -> Load {
        try Load(
            server.endpoint, connections: connections, stream: stream, pace: .window(window))
    }

    @Test func `every packet is answered and counted, also over several cycles`() throws {
        let server = try EchoServer()
        var load = try load(server)
        let packets = 3 * stream.packetCount + 1
        try load.exchange(packets: packets)
        try load.exchange(packets: 5)
        #expect(load.tally.packets == packets + 5)
        #expect(load.tally.latency.count == UInt64(packets) + 5)
        #expect(load.tally.bytes > packets * PacketStream.overhead)
    }

    @Test func `large packets with a large window pass`() throws {
        let server = try EchoServer()
        var load = try Load(
            server.endpoint, connections: 2, stream: PacketStream(sizes: 300_000...400_000),
            pace: .window(20))
        try load.exchange(packets: 100)
        #expect(load.tally.packets == 100)
    }

    @Test func `packets that come out where the route does not say fail the load`() throws {
        let server = try EchoServer()
        var load = try Load(
            server.endpoint, connections: 2, stream: stream, pace: .window(4), route: .pairs)
        let error = #expect(throws: Failure.self) { try load.exchange(packets: 100) }
        #expect(error?.description.hasPrefix("connection ") == true)
    }

    @Test(arguments: [0, 8, 9, 5000, 70_001])
    func `one wrong byte fails the load, wherever it is`(place: Int) throws {
        let server = try EchoServer { bytes, offset in
            if bytes.indices.contains(place - offset) { bytes[place - offset] ^= 1 }
        }
        var load = try load(server, connections: 1)
        var message = ""
        do { try load.exchange(packets: 10_000) } catch { message = error.description }
        #expect(message.hasPrefix("connection 0: a wrong answer: byte "), "\(message)")
    }

    @Test func `neighbours never send the same packets at the same time`() {
        let starts = (0..<100).map { stream.firstPacket(ofConnection: $0) }
        #expect(Set(starts).count == 100)
    }

    @Test func `a byte too many fails the load`() throws {
        let server = try EchoServer { bytes, _ in bytes.append(0) }
        var load = try load(server, connections: 1, window: 1)
        let error = #expect(throws: Failure.self) { try load.exchange(packets: 100) }
        #expect(error?.description == "connection 0: the server sent more than it was sent")
    }

    @Test func `a server that closes fails the load`() throws {
        let server = try EchoServer { bytes, offset in if offset > 2000 { bytes = [] } }
        var load = try load(server, connections: 1)
        let error = #expect(throws: Failure.self) { try load.exchange(packets: 10_000) }
        #expect(error?.description.hasPrefix("connection 0: ") == true)
    }

    @Test func `at a rate, latency counts from when a packet was due`() throws {
        let server = try EchoServer()
        var load = try Load(
            server.endpoint, connections: 2, stream: stream, pace: .rate(100_000))
        // The first of these are due long before they can be sent.
        try load.exchange(until: nanoseconds() + 20_000_000)
        try load.drain(within: .max)
        #expect(load.tally.packets > 0)
        #expect(load.tally.latency.count == UInt64(load.tally.packets))
        #expect(load.tally.latency.maximum >= load.tally.lateness)
    }

    @Test func `what an overloaded server still owes counts with the time it has waited`() throws {
        let isOver = DispatchSemaphore(value: 0)
        defer { isOver.signal() }
        let server = try EchoServer { bytes, _ in
            isOver.wait()
            isOver.signal()
            bytes = []
        }
        var load = try Load(server.endpoint, connections: 1, stream: stream, pace: .rate(1000))
        try load.exchange(until: nanoseconds() + 20_000_000)
        try load.drain(within: 10_000_000)
        #expect(load.tally.packets == 0)
        #expect(load.tally.latency.count > 0)
        #expect(load.tally.latency.maximum >= 10_000_000)
    }

    @Test func `churn counts whole lives`() throws {
        let server = try EchoServer()
        var churn = Churn(server.endpoint, connections: 5, stream: stream)
        try churn.exchange(connections: 40)
        #expect(churn.tally.packets == 40)
        #expect(churn.tally.latency.count == 40)
        #expect(server.accepted == 40)
    }

    @Test func `one wrong byte fails churn`() throws {
        let server = try EchoServer { bytes, _ in bytes[0] ^= 0x80 }
        var churn = Churn(server.endpoint, connections: 5, stream: stream)
        #expect(throws: Failure.self) { try churn.exchange(connections: 40) }
    }

    @Test func `a server that checks nothing does not conform`() throws {
        let server = try EchoServer()
        #expect(try Conformance(endpoint: server.endpoint).firstBreach() != nil)
    }

    @Test func `a software counter tells the time that this process works`() throws {
        let counters = try Counters([.taskClock], of: getpid())
        let before = counters.read()
        var sum: UInt64 = 0
        for index in 0..<3_000_000 as Range<UInt64> { sum ^= index &* sum &+ index }
        #expect(sum != 1)
        // Only threads that were there: the test runs on one of them.
        #expect(counters.read()[0] > before[0])
    }
}
