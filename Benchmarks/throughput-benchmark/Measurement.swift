// One round: a load on a server, and the figures that come of it.
import Tron

/// Runs rounds of a scenario. The packets are the same in all of them.
struct Measurement {
    let scenario: Scenario
    let stream: PacketStream
    /// Exactly so many packets in place of the duration.
    var packets: Int?

    /// An overloaded server is given so long to answer what it still owes in the open loop.
    private static let drainTime: UInt64 = 2_000_000_000

    init(_ scenario: Scenario, packets: Int? = nil) {
        self.scenario = scenario
        self.packets = packets
        stream = PacketStream(sizes: scenario.sizes)
    }

    func round(on target: Target) throws(Failure) -> Round {
        switch scenario.kind {
        case .churn: try churn(target)
        case .idle: try idle(target)
        default: try exchange(target)
        }
    }

    private var warmUpEnd: UInt64 { nanoseconds() + UInt64(scenario.warmUp * 1e9) }

    private var length: UInt64 { UInt64(scenario.duration * 1e9) }

    private func exchange(_ target: Target) throws(Failure) -> Round {
        let isOpen = scenario.kind == .openLoop
        var load = try Load(
            target.endpoint, connections: scenario.connections, stream: stream,
            pace: isOpen ? .rate(scenario.rate) : .window(scenario.window),
            route: scenario.kind.route, spins: Processor.pair != nil)
        if let packets, !isOpen {
            let interval = Interval(target)
            try load.exchange(packets: packets)
            return interval.round(load.tally)
        }
        try load.exchange(until: warmUpEnd)
        load.resetTally()
        let interval = Interval(target)
        try load.exchange(until: interval.begin + length)
        var round = interval.round(load.tally)
        guard isOpen else { return round }
        try load.drain(within: Self.drainTime)
        round.set(load.tally.latency)
        round[.generatorLateness] = Double(load.tally.lateness)
        return round
    }

    private func churn(_ target: Target) throws(Failure) -> Round {
        var churn = Churn(target.endpoint, connections: scenario.connections, stream: stream)
        if let packets {
            let interval = Interval(target)
            try churn.exchange(connections: packets)
            return interval.round(churn.tally)
        }
        try churn.exchange(until: warmUpEnd)
        churn.resetTally()
        let interval = Interval(target)
        try churn.exchange(until: interval.begin + length)
        return interval.round(churn.tally)
    }

    /// Each connection exchanges one packet, so that it has been alive, and then holds still.
    private func idle(_ target: Target) throws(Failure) -> Round {
        try warm(target)
        let before = target.privateMemory
        var load = try Load(
            target.endpoint, connections: scenario.connections, stream: stream, pace: .window(1))
        try load.exchange(packets: scenario.connections)
        let after = target.privateMemory
        // All are still served.
        try load.exchange(packets: scenario.connections)
        var round = Round()
        if let before, let after {
            round[.bytesPerConnection] = Double(after - before) / Double(scenario.connections)
        }
        return round
    }

    /// What a first connection brings into memory, code above all, belongs to none.
    private func warm(_ target: Target) throws(Failure) {
        var load = try Load(target.endpoint, connections: 1, stream: stream, pace: .window(1))
        try load.exchange(packets: 10)
    }
}

/// The clocks at the begin of what is measured.
private struct Interval {
    let begin: UInt64
    private let target: Target
    private let serverTime: UInt64?
    private let ownTime: UInt64
    private let busyTime: UInt64?

    init(_ target: Target) {
        self.target = target
        serverTime = target.time
        busyTime = Processor.busyTime
        ownTime = Processor.ownTime
        begin = nanoseconds()
    }

    /// The figures of the time since then.
    func round(_ tally: Tally) -> Round {
        let elapsed = Double(nanoseconds() - begin)
        var round = Round()
        round[.packetsPerSecond] = Double(tally.packets) * 1e9 / elapsed
        round[.megabytesPerSecond] = Double(tally.bytes) * 1e3 / elapsed
        let own = Double(Processor.ownTime - ownTime)
        round[.generatorProcessor] = own / elapsed
        if let serverTime, let time = target.time, time >= serverTime {
            let server = Double(time - serverTime)
            round[.serverProcessor] = server / elapsed
            if tally.packets > 0 { round[.processorTime] = server / Double(tally.packets) }
            if tally.bytes > 0 { round[.processorTimeOfByte] = server / Double(tally.bytes) }
            if let busyTime, let busy = Processor.busyTime {
                let others = Double(busy - busyTime) - server - own
                round[.otherProcessor] = max(0, others / (2 * elapsed))
            }
        }
        round.set(tally.latency)
        return round
    }
}

extension Round {
    mutating func set(_ latency: Histogram) {
        guard latency.count > 0 else { return }
        self[.latency50] = Double(latency.value(atQuantile: 0.5))
        self[.latency90] = Double(latency.value(atQuantile: 0.9))
        self[.latency99] = Double(latency.value(atQuantile: 0.99))
        self[.latency999] = Double(latency.value(atQuantile: 0.999))
        self[.latencyMaximum] = Double(latency.maximum)
    }
}
