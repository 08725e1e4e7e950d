// Short lives: connect, one packet, close, and again, with so many at a time.
import CBenchmark
import Glibc
import Tron

/// Latency counts from before the connection is asked for until its answer is checked.
@safe
struct Churn: ~Copyable {
    private let endpoint: Endpoint
    private let stream: PacketStream
    private let epoll: Int32
    private var lives: [Life?]
    private var events = unsafe [epoll_event](repeating: epoll_event(), count: 256)
    private var buffer = [UInt8](repeating: 1, count: 256 << 10)
    private var serial = 0
    private(set) var tally = Tally()

    private struct Life {
        var connection: LoadConnection
        let born: UInt64
    }

    init(_ endpoint: Endpoint, connections: Int, stream: PacketStream) {
        self.endpoint = endpoint
        self.stream = stream
        lives = Array(repeating: nil, count: connections)
        epoll = Int32(benchmark_epoll_create())
    }

    deinit {
        for case let life? in lives { close(life.connection.descriptor) }
        close(epoll)
    }

    mutating func resetTally() { tally = Tally() }

    /// Goes on until the clock shows `deadline`; what has begun is left.
    mutating func exchange(until deadline: UInt64) throws(Failure) {
        try exchange { _, now in now < deadline }
    }

    /// So many whole lives.
    mutating func exchange(connections count: Int) throws(Failure) {
        let last = serial + count
        try exchange { serial, _ in serial < last }
        while lives.contains(where: { $0 != nil }) {
            try turn { _, _ in false }
        }
    }

    private mutating func exchange(while goesOn: (Int, UInt64) -> Bool) throws(Failure) {
        for slot in lives.indices where lives[slot] == nil {
            guard goesOn(serial, nanoseconds()) else { return }
            try begin(slot)
        }
        while goesOn(serial, nanoseconds()) { try turn(goesOn) }
    }

    private mutating func turn(_ goesOn: (Int, UInt64) -> Bool) throws(Failure) {
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe benchmark_epoll_wait(epoll, $0.baseAddress, Int32($0.count), 10_000)
        }
        try Interrupt.check()
        if count == 0 { throw Failure("no answer for 10 s") }
        for place in 0..<max(0, count) {
            let slot = unsafe Int(benchmark_event_token(events[place]))
            guard try receive(slot) else { continue }
            if goesOn(serial, nanoseconds()) { try begin(slot) }
        }
    }

    private mutating func begin(_ slot: Int) throws(Failure) {
        let born = nanoseconds()
        let descriptor = try endpoint.connect()
        var connection = LoadConnection(
            descriptor, index: serial, source: serial, stream: stream)
        serial += 1
        connection.allow(stream)
        guard try connection.send(stream) else {
            throw Failure("the packet does not fit the socket's buffer")
        }
        lives[slot] = Life(connection: connection, born: born)
        _ = benchmark_epoll_control(
            epoll, EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue, UInt64(slot))
    }

    /// Whether the life has ended.
    private mutating func receive(_ slot: Int) throws(Failure) -> Bool {
        guard let count = try lives[slot]?.connection.receive(into: &buffer) else { return false }
        let sent = lives[slot]?.connection.sentBytes ?? 0
        let packets = try lives[slot]?.connection.check(count, of: buffer, stream, sent: sent)
        tally.bytes += count
        guard packets == 1, let life = lives[slot] else { return false }
        close(life.connection.descriptor)
        lives[slot] = nil
        tally.packets += 1
        tally.latency.record(nanoseconds() &- life.born)
        return true
    }
}
