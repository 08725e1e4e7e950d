// The command line: what it asks for, or why it cannot be told.

/// Why the command line cannot be understood, in one line.
struct UsageError: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What the command line asks for.
enum Command {
    case measure(Settings)
    case serve(port: UInt16, Serving)
    case compare(old: String, new: String)
    case become([String])
    case help

    /// Reads the arguments that follow the program's name.
    init(_ arguments: [String]) throws {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case ChildProcess.becomeVerb: self = .become(rest)
        case "--help", "-h": self = .help
        case "--serve": self = try Self.serve(rest)
        case "--compare":
            guard rest.count == 2 else { throw UsageError("--compare needs two files") }
            self = .compare(old: rest[0], new: rest[1])
        default: self = .measure(try Settings(arguments))
        }
    }

    private static func serve(_ words: [String]) throws(UsageError) -> Command {
        var words = words
        let reactors = try take(reactorsOption, in: Option.reactors, from: &words)
        let spin = try take(spinOption, in: Option.spin, from: &words)
        let route = words.count > 1 ? Route(rawValue: words[1]) : .echo
        guard words.count <= 2, let port = UInt16(words.first ?? "9000"), let route else {
            throw UsageError("--serve takes a port, and echo, pairs or room")
        }
        guard let reactors else { return .serve(port: port, .alone(route, spin: spin ?? 0)) }
        if route != .echo { throw UsageError("--serve --reactors echoes: no pairs, no room") }
        if spin != nil { throw UsageError("--reactors excludes --spin") }
        return .serve(port: port, .group(reactors: reactors))
    }

    /// The value of an option that is the first word; nil where it is another.
    private static func take(
        _ option: String, in range: ClosedRange<Int>, from words: inout [String]
    ) throws(UsageError) -> Int? {
        guard words.first == option else { return nil }
        guard words.count > 1 else { throw UsageError("\(option) needs a value, N") }
        let value = try Option.number(words[1], in: range)
        words.removeFirst(2)
        return value
    }

    static let reactorsOption = "--reactors"
    static let spinOption = "--spin"
}

/// What a run is to measure.
struct Settings {
    var scenarios: [Scenario] = []
    /// Load this in place of servers of our own.
    var endpoint: Endpoint?
    var json: String?
    var comparesPeers = false
    /// So many reactors share the server's sessions; nil for one without a group.
    var reactors: Int?
    /// Measure our server a second time, where it looks for events for so many microseconds before
    /// it sleeps.
    var spin: Int?
    /// Whether a table of servers for each scenario tells more than one of scenarios.
    var comparesServers: Bool { comparesPeers || spin != nil }
    var countsCosts = true
    var instructions: Instruments.Instructions?
    /// Exactly so many packets in place of a duration.
    var packets: Int?

    /// A file of figures that may not be exceeded.
    var gate: String?
    var rewritesGate = false

    /// What the options say of every scenario.
    private var changes: [(inout Scenario) -> Void] = []
    private var kinds: [Scenario.Kind] = []

    init(_ arguments: [String]) throws {
        var words = arguments[...]
        var seen: Set<String> = []
        while let word = words.popFirst() {
            guard let option = Option.all.first(where: { $0.name == word }) else {
                throw UsageError("unknown option \(word)")
            }
            guard seen.insert(word).inserted || option.isRepeatable else {
                throw UsageError("\(word) is given twice")
            }
            var value = ""
            if !option.value.isEmpty {
                guard let next = words.popFirst(), !next.hasPrefix("--") else {
                    throw UsageError("\(word) needs a value, \(option.value)")
                }
                value = next
            }
            do {
                try option.store(&self, value)
            } catch let error as UsageError {
                throw UsageError("\(word): \(error.reason)")
            }
        }
        try finish()
    }

    private mutating func finish() throws(UsageError) {
        if comparesPeers && endpoint != nil {
            throw UsageError("--peers and --connect exclude each other")
        }
        if reactors != nil && (endpoint != nil || comparesPeers || gate != nil) {
            throw UsageError("--reactors excludes --connect, --peers and --gate")
        }
        if spin != nil && (endpoint != nil || reactors != nil || gate != nil) {
            throw UsageError("--spin excludes --connect, --reactors and --gate")
        }
        if reactors != nil && instructions == .counters {
            throw UsageError("--reactors: the counters count one thread alone")
        }
        if gate != nil && (endpoint != nil || comparesPeers || !countsCosts) {
            throw UsageError("--gate excludes --connect, --peers and --no-costs")
        }
        if rewritesGate && gate == nil { throw UsageError("--rewrite needs --gate") }
        if kinds.isEmpty { kinds = gate == nil ? Scenario.Kind.allCases : Gate.scenarios }
        // A server that runs already, and a group, is one that echoes.
        if endpoint != nil || reactors != nil { kinds.removeAll { $0.route != .echo } }
        if kinds.isEmpty {
            let option = endpoint == nil ? Command.reactorsOption : "--connect"
            throw UsageError("\(option) loads servers that echo: no pairs, no room")
        }
        if gate != nil { change { $0.rounds = 0 } }
        for kind in kinds {
            for var scenario in Scenario.standard(kind) {
                for change in changes { change(&scenario) }
                // `--size` makes one of several.
                if !scenarios.contains(scenario) { scenarios.append(scenario) }
            }
        }
    }

    mutating func add(_ kind: Scenario.Kind) {
        if !kinds.contains(kind) { kinds.append(kind) }
    }

    mutating func change(_ change: @escaping (inout Scenario) -> Void) { changes.append(change) }
}
