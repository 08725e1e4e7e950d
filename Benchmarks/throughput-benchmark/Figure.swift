// The figures that a round yields: their names in files, their units, and which way is better.

/// One figure.
enum Figure: String, CaseIterable, Sendable {
    case packetsPerSecond = "packets_per_second"
    case megabytesPerSecond = "megabytes_per_second"
    case latency50 = "p50"
    case latency90 = "p90"
    case latency99 = "p99"
    case latency999 = "p99_9"
    case latencyMaximum = "max"
    case allocations = "allocations_per_packet"
    case systemCalls = "system_calls_per_packet"
    case userInstructions = "user_instructions_per_packet"
    case kernelInstructions = "kernel_instructions_per_packet"
    case userCycles = "user_cycles_per_packet"
    case kernelCycles = "kernel_cycles_per_packet"
    case processorTime = "server_nanoseconds_per_packet"
    case processorTimeOfByte = "server_nanoseconds_per_byte"
    case bytesPerConnection = "bytes_per_connection"
    case serverProcessor = "server_cpu"
    case generatorProcessor = "generator_cpu"
    case otherProcessor = "other_cpu"
    case generatorLateness = "generator_late_ns"

    /// The five that a file holds as an object of their own.
    static let latencies: [Figure] = [
        .latency50, .latency90, .latency99, .latency999, .latencyMaximum,
    ]

    static let latencyKey = "latency_ns"

    /// A table's column: title, unit.
    var title: String {
        switch self {
        case .packetsPerSecond: "packets/s"
        case .megabytesPerSecond: "MB/s"
        case .latency50: "p50 µs"
        case .latency90: "p90 µs"
        case .latency99: "p99 µs"
        case .latency999: "p99.9 µs"
        case .latencyMaximum: "max µs"
        case .allocations: "allocations"
        case .systemCalls: "calls"
        case .userInstructions: "user instr."
        case .kernelInstructions: "kernel"
        case .userCycles: "user cycles"
        case .kernelCycles: "kernel"
        case .processorTime: "ns"
        case .processorTimeOfByte: "ns/B"
        case .bytesPerConnection: "B/connection"
        case .serverProcessor: "CPU %"
        case .generatorProcessor: "load %"
        case .otherProcessor: "others %"
        case .generatorLateness: "load late µs"
        }
    }

    /// Where the column before does not tell what is the kernel's.
    var fullTitle: String {
        switch self {
        case .kernelInstructions: "kernel instr."
        case .kernelCycles: "kernel cycles"
        case .systemCalls: "system calls"
        case .processorTime: "server ns/packet"
        case .serverProcessor: "server CPU %"
        case .generatorProcessor: "load CPU %"
        default: title
        }
    }

    /// The value as a table shows it.
    func text(_ value: Double) -> String {
        switch self {
        case .packetsPerSecond, .bytesPerConnection, .processorTime: grouped(Int(value.rounded()))
        case .megabytesPerSecond: decimal(value, value < 100 ? 1 : 0)
        case .latency50, .latency90, .latency99, .latency999, .latencyMaximum,
            .generatorLateness:
            threeDigits(value / 1000)
        case .allocations, .systemCalls, .processorTimeOfByte: decimal(value, 3)
        case .userInstructions, .kernelInstructions, .userCycles, .kernelCycles:
            decimal(value, value < 1000 ? 1 : 0)
        case .serverProcessor, .generatorProcessor, .otherProcessor: decimal(value * 100, 0)
        }
    }

    /// Whether more of it is better; nil where neither way is.
    var moreIsBetter: Bool? {
        switch self {
        case .packetsPerSecond, .megabytesPerSecond: true
        case .serverProcessor, .generatorProcessor, .otherProcessor, .generatorLateness: nil
        default: false
        }
    }
}

/// What one round of one server yielded; what could not be measured is missing.
struct Round: Equatable {
    var values: [Figure: Double] = [:]

    subscript(figure: Figure) -> Double? {
        get { values[figure] }
        set { values[figure] = newValue }
    }

    /// Whether the generator had no more to give while the server had.
    var isLimitedByGenerator: Bool {
        guard let generator = self[.generatorProcessor], let server = self[.serverProcessor] else {
            return false
        }
        return generator >= 0.95 && server < generator - 0.02
    }
}

/// All rounds of one server in one scenario.
struct ServerResult: Equatable {
    let name: String
    var rounds: [Round] = []

    func values(_ figure: Figure) -> [Double] { rounds.compactMap { $0[figure] } }

    /// The median over the rounds.
    func median(_ figure: Figure) -> Double? {
        let sorted = values(figure).sorted()
        guard !sorted.isEmpty else { return nil }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The distance between the largest and the smallest, relative to the median.
    func spread(_ figure: Figure) -> Double {
        let values = values(figure)
        guard let least = values.min(), let most = values.max(), let middle = median(figure),
            middle != 0
        else { return 0 }
        return (most - least) / middle
    }
}

/// One scenario's results.
struct ScenarioResult: Equatable {
    let name: String
    var servers: [ServerResult]
}
