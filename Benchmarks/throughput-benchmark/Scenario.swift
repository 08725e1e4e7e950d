// What is measured: each scenario with its numbers.

/// One kind of load.
struct Scenario: Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case throughput
        case roundTrips = "round-trips"
        case bandwidth
        case connections
        case churn
        case idle
        case openLoop = "open-loop"

        var summary: String {
            switch self {
            case .throughput: "many packets in flight"
            case .roundTrips: "one packet in flight on each connection"
            case .bandwidth: "large packets"
            case .connections: "many connections"
            case .churn: "connect, one packet, close"
            case .idle: "memory of connections that do nothing"
            case .openLoop: "a fixed rate; latency counts from when a packet was due"
            }
        }
    }

    let kind: Kind
    var connections: Int
    var window = 1
    /// Bytes of data in each packet.
    var sizes = 64...64
    /// Packets a second, in the open loop.
    var rate = 20_000.0
    /// Seconds that are measured, and that pass before, in each round.
    var duration = 1.0
    var warmUp = 0.3
    var rounds = 3

    /// Every scenario with its defaults.
    static func standard(_ kind: Kind) -> Scenario {
        switch kind {
        case .throughput: Scenario(kind: kind, connections: 50, window: 64)
        case .roundTrips: Scenario(kind: kind, connections: 50)
        case .bandwidth:
            Scenario(kind: kind, connections: 8, window: 8, sizes: 65_536...65_536)
        case .connections: Scenario(kind: kind, connections: 1000, window: 4)
        case .churn: Scenario(kind: kind, connections: 50)
        // Both sides keep some descriptors for other things.
        case .idle:
            Scenario(
                kind: kind, connections: max(1, min(100_000, DescriptorLimit.raise() - 100)),
                rounds: 1)
        case .openLoop: Scenario(kind: kind, connections: 50)
        }
    }

    var name: String { kind.rawValue }

    /// In a heading: `50 connections, 64 in flight, 64 B of data, 3 rounds of 1 s`.
    var description: String {
        let size =
            sizes.count == 1
            ? "\(sizes.lowerBound) B" : "\(sizes.lowerBound) to \(sizes.upperBound) B"
        var parts = ["\(grouped(connections)) connections"]
        switch kind {
        case .churn: parts[0] += " at a time"
        case .idle: break
        case .openLoop: parts.append("\(grouped(Int(rate))) packets/s")
        default: parts.append("\(window) in flight")
        }
        parts.append("\(size) of data")
        if kind != .idle {
            let time = decimal(duration, 3, trimmed: true)
            parts.append("\(rounds) \(rounds == 1 ? "round" : "rounds") of \(time) s")
        }
        return parts.joined(separator: ", ")
    }

    /// How many packets (connections in churn) a run has in which they are counted: enough for the
    /// cost of one to be told to a part in a thousand.
    var countedPackets: Int {
        if kind == .churn { return 3000 }
        if sizes.upperBound >= 16 << 10 { return max(2000, 4 * connections * window) }
        return max(20_000, 20 * connections * window)
    }
}
