// The options of the command line: each one's name, help and meaning, in one table.

/// One option.
struct Option: Sendable {
    let name: String
    /// What follows it; empty for nothing.
    let value: String
    let help: String
    var isRepeatable = false
    let store: @Sendable (inout Settings, String) throws -> Void

    static let all = which + amounts + others

    static let reactors = 1...1024
    static let spin = 1...1_000_000

    private static let which = [
        Option(
            name: "--scenario", value: "NAME", help: "one of those below; may be repeated",
            isRepeatable: true
        ) { settings, text in
            guard let kind = Scenario.Kind(rawValue: text) else {
                throw UsageError("there is no scenario \(text)")
            }
            settings.add(kind)
        },
        Option(name: "--peers", value: "", help: "also the servers in Benchmarks/peers/bin") {
            settings, _ in settings.comparesPeers = true
        },
        Option(
            name: Command.reactorsOption, value: "N",
            help: "so many share our server's sessions, on all processors"
        ) { settings, text in settings.reactors = try number(text, in: reactors) },
        Option(
            name: Command.spinOption, value: "N",
            help: "also our server, looking so many microseconds for events before it sleeps"
        ) { settings, text in settings.spin = try number(text, in: spin) },
        Option(name: "--connect", value: "HOST:PORT", help: "load a server that runs already") {
            settings, text in settings.endpoint = try Endpoint(text)
        },
    ]

    private static let amounts = [
        Option(name: "--connections", value: "N", help: "at the same time") { settings, text in
            let count = try number(text, in: 1...1_000_000)
            settings.change { $0.connections = count }
        },
        Option(name: "--window", value: "N", help: "packets in flight on each connection") {
            settings, text in
            let count = try number(text, in: 1...65_536)
            settings.change { $0.inFlight = .packets(count) }
        },
        Option(name: "--size", value: "A[-B]", help: "bytes of data in each packet") {
            settings, text in
            let sizes = try range(text)
            settings.change { $0.sizes = sizes }
        },
        Option(name: "--rate", value: "N", help: "packets a second in the open loop") {
            settings, text in
            let rate = try amount(text, in: 1...100_000_000)
            settings.change { $0.rate = rate }
        },
        Option(name: "--duration", value: "SECONDS", help: "measured in each round") {
            settings, text in
            let seconds = try amount(text, in: 0.01...86_400)
            settings.change { $0.duration = seconds }
        },
        Option(name: "--warm-up", value: "SECONDS", help: "before that, in each round") {
            settings, text in
            let seconds = try amount(text, in: 0...3600)
            settings.change { $0.warmUp = seconds }
        },
        Option(name: "--rounds", value: "N", help: "how often each is measured") {
            settings, text in
            let count = try number(text, in: 1...1000)
            settings.change { $0.rounds = count }
        },
        Option(
            name: "--packets", value: "N", help: "exactly so many, in place of warm-up and duration"
        ) { settings, text in settings.packets = try number(text, in: 1...1_000_000_000) },
    ]

    private static let others = [
        Option(
            name: "--instructions", value: "HOW",
            help: "counters, callgrind or none; the first that works if not given"
        ) { settings, text in
            guard let how = Instruments.Instructions(rawValue: text) else {
                throw UsageError("\(text) is not counters, callgrind or none")
            }
            settings.instructions = how
        },
        Option(
            name: "--no-costs", value: "", help: "only time: no allocations, calls, instructions"
        ) {
            settings, _ in settings.countsCosts = false
        },
        Option(name: "--gate", value: "FILE", help: "only counts; fail when they exceed the file's")
        {
            settings, text in settings.gate = text
        },
        Option(name: "--rewrite", value: "", help: "with --gate: write the counts into the file") {
            settings, _ in settings.rewritesGate = true
        },
        Option(name: "--json", value: "FILE", help: "write the results there as well") {
            settings, text in settings.json = text
        },
    ]
}

// MARK: - Their values

extension Option {
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    // Digits alone: Swift's own parsers would also take "+80", "0x50" and "nan".
    static func number(_ text: String, in range: ClosedRange<Int>) throws(UsageError) -> Int {
        guard text.utf8.allSatisfy(digits.contains), let number = Int(text) else {
            throw UsageError("\(text) is not a number")
        }
        guard range.contains(number) else {
            throw UsageError("\(number) is not within \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    static func amount(
        _ text: String, in range: ClosedRange<Double>
    ) throws(UsageError) -> Double {
        let isPlain = text.utf8.allSatisfy { digits.contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let amount = Double(text) else {
            throw UsageError("\(text) is not a number")
        }
        guard range.contains(amount) else {
            let bounds = [range.lowerBound, range.upperBound].map { decimal($0, 3, trimmed: true) }
            throw UsageError("\(text) is not within \(bounds[0]) to \(bounds[1])")
        }
        return amount
    }

    /// `64`, or `64-4096`.
    static func range(_ text: String) throws(UsageError) -> ClosedRange<Int> {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        var sizes: [Int] = []
        for end in ends { sizes.append(try number(String(end), in: 0...16 << 20)) }
        guard sizes[0] <= sizes[sizes.count - 1] else {
            throw UsageError("\(text) is not in ascending order")
        }
        return sizes[0]...sizes[sizes.count - 1]
    }
}
