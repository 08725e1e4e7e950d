// The load: connections that send packets and check the answers, with a window or at a rate.
import CBenchmark
import Glibc
import Tron

/// One thread, one epoll, level-triggered; everything lies ready, so that little is done a packet.
@safe
struct Load: ~Copyable {
    private let stream: PacketStream
    private let pace: Pace
    private let route: Route
    private let epoll: Int32
    private var connections: [LoadConnection] = []
    private var events = unsafe [epoll_event](repeating: epoll_event(), count: 256)
    private var buffer = [UInt8](repeating: 1, count: 256 << 10)
    private(set) var tally = Tally()
    /// Packets that may still be sent.
    private var budget = 0
    private var lastProgress: UInt64 = 0
    /// Since when what is due counts.
    private var countsFrom: UInt64 = 0

    /// With a window.
    private var sendTimes: SendTimes
    // At a rate: packet k is due at `start` + k steps, on connection k modulo their number.
    private var start: UInt64 = 0
    private var scheduled = 0
    /// Whether it may spin for the sake of punctuality: it has a processor of its own.
    private let spins: Bool

    init(
        _ endpoint: Endpoint, connections count: Int, stream: PacketStream, pace: Pace,
        route: Route = .echo, spins: Bool = false
    ) throws(Failure) {
        self.stream = stream
        self.pace = pace
        self.route = route
        self.spins = spins
        var window = 1
        if case .window(let packets) = pace { window = packets }
        sendTimes = SendTimes(connections: count, window: window)
        epoll = Int32(benchmark_epoll_create())
        connections.reserveCapacity(count)
        for index in 0..<count {
            try Interrupt.check()
            // No source has more connections than it has ports.
            let source = count > 8000 ? UInt32(index / 8000) : nil
            let descriptor = try endpoint.connect(source: source)
            connections.append(
                LoadConnection(
                    descriptor, index: index, source: route.source(of: index), stream: stream))
            control(EPOLL_CTL_ADD, index, events: EPOLLIN.rawValue)
        }
    }

    deinit {
        for connection in connections { close(connection.descriptor) }
        close(epoll)
    }

    private func control(_ operation: Int32, _ index: Int, events: UInt32) {
        _ = benchmark_epoll_control(
            epoll, operation, connections[index].descriptor, events, UInt64(index))
    }

    /// Begins to count anew.
    mutating func resetTally() {
        tally = Tally()
        if case .rate = pace { countsFrom = nanoseconds() }
    }
}

// MARK: - Exchanges

extension Load {
    /// Sends and receives until the clock shows `deadline`, at least once; packets stay in flight.
    mutating func exchange(until deadline: UInt64) throws(Failure) {
        budget = .max
        var now = nanoseconds()
        lastProgress = now
        if start == 0 { start = now }
        try fillWindows(now)
        repeat {
            try sendDue(now)
            now = try turn()
        } while now < deadline
        budget = 0
    }

    /// Exchanges exactly so many packets, and returns when all are answered.
    mutating func exchange(packets: Int) throws(Failure) {
        budget = packets
        lastProgress = nanoseconds()
        try fillWindows(lastProgress)
        try drain(within: .max)
    }

    /// Receives what is in flight, for at most so many nanoseconds. What is then still missing
    /// counts as answered at that time, which is too early.
    mutating func drain(within patience: UInt64) throws(Failure) {
        let begin = nanoseconds()
        var now = begin
        while connections.contains(where: { $0.inFlight > 0 }) || budget > 0 {
            if now - begin > patience { return recordMissing(now) }
            now = try turn()
        }
    }

    private mutating func recordMissing(_ now: UInt64) {
        guard case .rate(let rate) = pace else { return }
        for index in connections.indices {
            let connection = connections[index]
            recordScheduled(index, connection.answered, connection.inFlight, rate, now)
        }
    }

    private mutating func fillWindows(_ now: UInt64) throws(Failure) {
        guard case .window(let window) = pace else { return }
        for index in connections.indices where route.sends(index) {
            allow(index, window - connections[index].inFlight, now)
            try send(index)
        }
    }

    private mutating func sendDue(_ now: UInt64) throws(Failure) {
        guard case .rate(let rate) = pace else { return }
        let first = scheduled
        while dueTime(number: scheduled, rate) <= now {
            let due = dueTime(number: scheduled, rate)
            if due >= countsFrom { tally.lateness = max(tally.lateness, now - due) }
            connections[scheduled % connections.count].allow(stream)
            scheduled += 1
        }
        for number in first..<min(scheduled, first + connections.count) {
            try send(number % connections.count)
        }
    }

    private func dueTime(number: Int, _ rate: Double) -> UInt64 {
        start + UInt64(Double(number) * (1e9 / rate))
    }

    /// Lets packets go, as far as the budget reaches.
    private mutating func allow(_ index: Int, _ count: Int, _ now: UInt64) {
        let packets = min(count, budget)
        guard packets > 0 else { return }
        sendTimes.append(packets, at: now, connection: index)
        connections[index].allow(stream, packets)
        budget -= packets
    }

    /// The latencies of a connection's packets from the `first` on, answered or given up.
    private mutating func recordScheduled(
        _ index: Int, _ first: Int, _ count: Int, _ rate: Double, _ now: UInt64
    ) {
        for packet in first..<first + count {
            let due = dueTime(number: packet * connections.count + index, rate)
            if due >= countsFrom { tally.latency.record(now &- due) }
        }
    }
}

// MARK: - One turn

extension Load {
    /// Waits for readiness and serves it; returns the time.
    private mutating func turn() throws(Failure) -> UInt64 {
        var timeout: Int32 = 100
        if case .rate = pace { timeout = spins ? 0 : 1 }
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe benchmark_epoll_wait(epoll, $0.baseAddress, Int32($0.count), timeout)
        }
        let isIdle = count <= 0
        for place in 0..<max(0, count) {
            let index = unsafe Int(benchmark_event_token(events[place]))
            let readiness = unsafe events[place].events
            do throws(Failure) {
                if readiness & ~EPOLLOUT.rawValue != 0 { try receive(index) }
                if !connections[index].waitsForRoom || readiness & EPOLLOUT.rawValue != 0 {
                    try send(index)
                }
            } catch {
                try Interrupt.check()
                throw Failure("connection \(index): \(error)")
            }
        }
        let now = nanoseconds()
        try Interrupt.check()
        if isIdle { try checkIdle(now) } else { lastProgress = now }
        return now
    }

    private func checkIdle(_ now: UInt64) throws(Failure) {
        let isWaiting = now - lastProgress > 10_000_000_000
        if isWaiting, connections.contains(where: { $0.inFlight > 0 }) {
            throw Failure("no answer for 10 s")
        }
    }

    private mutating func receive(_ index: Int) throws(Failure) {
        // Not for ever: the others wait.
        for _ in 0..<4 {
            guard let count = try connections[index].receive(into: &buffer) else { return }
            let now = nanoseconds()
            let source = route.source(of: index)
            let packets = try connections[index].check(
                count, of: buffer, stream, sent: connections[source].sentBytes)
            tally.packets += packets
            tally.bytes += count
            // In a room those packets are through which every connection has.
            let least = route == .room ? connections.lazy.map(\.arrived).min() : nil
            complete(source, least.map { $0 - connections[source].answered } ?? packets, now)
            if source != index { try send(source) }
            if count < buffer.count { return }
        }
    }

    /// So many packets of a connection have come out of the server: the next ones may go.
    private mutating func complete(_ index: Int, _ packets: Int, _ now: UInt64) {
        let first = connections[index].answered
        connections[index].complete(packets)
        switch pace {
        case .window:
            sendTimes.remove(packets, answeredAt: now, connection: index, into: &tally.latency)
            allow(index, packets, now)
        case .rate(let rate):
            recordScheduled(index, first, packets, rate, now)
        }
    }

    private mutating func send(_ index: Int) throws(Failure) {
        let isDone = try connections[index].send(stream)
        guard isDone == connections[index].waitsForRoom else { return }
        connections[index].waitsForRoom = !isDone
        let room = isDone ? 0 : EPOLLOUT.rawValue
        control(EPOLL_CTL_MOD, index, events: EPOLLIN.rawValue | room)
    }
}
