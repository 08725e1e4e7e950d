// What is measured: each scenario with its numbers.

/// One kind of load.
struct Scenario: Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case throughput
        case roundTrips = "round-trips"
        case connections
        case churn
        case idle
        case openLoop = "open-loop"
        case sizes
        case pairs
        case room

        var summary: String {
            switch self {
            case .throughput: "many packets in flight"
            case .roundTrips: "one packet in flight on each connection"
            case .connections: "many connections"
            case .churn: "connect, one packet, close"
            case .idle: "memory of connections that do nothing"
            case .openLoop: "a fixed rate; latency counts from when a packet was due"
            case .sizes: "packets of 256 B to 1 MiB"
            case .pairs: "packets of 4 and 64 KiB leave on the neighbour of their connection"
            case .room: "packets of 4 and 64 KiB leave on every connection"
            }
        }

        /// Whether what a packet costs is counted: where it is bytes that cost, time tells more.
        var countsCosts: Bool { self != .idle && self != .openLoop && standardSizes.isEmpty }

        /// Where the server sends what comes in.
        var route: Route {
            switch self {
            case .pairs: .pairs
            case .room: .room
            default: .echo
            }
        }

        /// Those that are about bytes, and are measured with several sizes.
        fileprivate var standardSizes: [Int] {
            switch self {
            case .sizes: stride(from: 8, through: 20, by: 2).map { 1 << $0 }
            case .pairs, .room: [4 << 10, 64 << 10]
            default: []
            }
        }
    }

    let kind: Kind
    var connections: Int
    /// Packets in flight on each connection, or so many bytes of them.
    var inFlight = Amount.packets(1)
    /// Bytes of data in each packet.
    var sizes = 64...64
    /// Packets a second, in the open loop.
    var rate = 20_000.0
    /// Seconds that are measured, and that pass before, in each round.
    var duration = 1.0
    var warmUp = 0.3
    var rounds = 3

    enum Amount: Equatable, Sendable {
        case packets(Int)
        case bytes(Int)
    }

    /// Every scenario of a kind with its defaults.
    static func standard(_ kind: Kind) -> [Scenario] {
        let sizes = kind.standardSizes
        guard !sizes.isEmpty else { return [single(kind)] }
        return sizes.map { size in
            Scenario(
                kind: kind, connections: 8, inFlight: .bytes(512 << 10), sizes: size...size,
                duration: 0.6)
        }
    }

    private static func single(_ kind: Kind) -> Scenario {
        switch kind {
        case .throughput: Scenario(kind: kind, connections: 50, inFlight: .packets(64))
        case .connections: Scenario(kind: kind, connections: 1000, inFlight: .packets(4))
        // Both sides keep some descriptors for other things.
        case .idle:
            Scenario(
                kind: kind, connections: max(1, min(100_000, DescriptorLimit.raise() - 100)),
                rounds: 1)
        default: Scenario(kind: kind, connections: 50)
        }
    }

    /// The kind, and with those that have several sizes the bytes of data: `sizes-4096`.
    var name: String {
        kind.standardSizes.isEmpty ? kind.rawValue : "\(kind.rawValue)-\(sizes.upperBound)"
    }

    /// Packets in flight on each connection.
    var window: Int {
        switch inFlight {
        case .packets(let count): count
        case .bytes(let count): max(1, count / max(1, sizes.upperBound))
        }
    }

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
