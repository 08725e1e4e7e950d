// What a run found, and its form in a file. See RESULTS.md.
import Glibc

/// All results of a run, and what they were measured on.
struct Report: Equatable {
    var machine: [String: String] = [:]
    var date = ""
    var command = ""
    var scenarios: [ScenarioResult] = []

    var json: JSON {
        .object([
            .init(
                "machine",
                .object(machine.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
            ),
            .init("date", .string(date)),
            .init("command", .string(command)),
            .init("scenarios", .array(scenarios.map(\.json))),
        ])
    }

    /// Reads what `json` wrote; members that it does not know are skipped.
    init(_ json: JSON) throws(Failure) {
        guard let scenarios = json["scenarios"]?.array else {
            throw Failure("it has no scenarios: not a result of throughput-benchmark")
        }
        if case .object(let members)? = json["machine"] {
            for member in members { machine[member.key] = member.value.string }
        }
        date = json["date"]?.string ?? ""
        command = json["command"]?.string ?? ""
        for scenario in scenarios { self.scenarios.append(try ScenarioResult(scenario)) }
    }

    /// Of this machine, now, without results.
    init() {
        machine = Machine.description
        date = Machine.date
        command = (["throughput-benchmark"] + CommandLine.arguments.dropFirst())
            .joined(separator: " ")
    }
}

extension ScenarioResult {
    var json: JSON {
        .object([
            .init("name", .string(name)),
            .init("servers", .array(servers.map(\.json))),
        ])
    }

    init(_ json: JSON) throws(Failure) {
        guard let name = json["name"]?.string, let items = json["servers"]?.array else {
            throw Failure("a scenario without name or servers")
        }
        var servers: [ServerResult] = []
        for item in items { servers.append(try ServerResult(item)) }
        self.init(name: name, servers: servers)
    }
}

extension ServerResult {
    var json: JSON {
        .object([
            .init("name", .string(name)),
            .init("rounds", .array(rounds.map(\.json))),
        ])
    }

    init(_ json: JSON) throws(Failure) {
        guard let name = json["name"]?.string, let rounds = json["rounds"]?.array else {
            throw Failure("a server without name or rounds")
        }
        self.init(name: name, rounds: rounds.map { Round($0) })
    }
}

extension Round {
    /// Every figure, null where it was not measured.
    var json: JSON {
        var members: [JSON.Member] = []
        for figure in Figure.allCases where !Figure.latencies.contains(figure) {
            members.append(.init(figure.rawValue, .optional(self[figure])))
            if figure == .megabytesPerSecond {
                let latencies = Figure.latencies.map {
                    JSON.Member($0.rawValue, .optional(self[$0]))
                }
                members.append(.init(Figure.latencyKey, .object(latencies)))
            }
        }
        return .object(members)
    }

    init(_ json: JSON) {
        for figure in Figure.allCases {
            let isLatency = Figure.latencies.contains(figure)
            let home = isLatency ? json[Figure.latencyKey] : json
            self[figure] = home?[figure.rawValue]?.number
        }
    }
}

/// The machine and the time.
enum Machine {
    static var description: [String: String] {
        var names = utsname()
        unsafe uname(&names)
        let processor = Files.read("/proc/cpuinfo")?.split(separator: "\n")
            .first { $0.hasPrefix("model name") }?
            .split(separator: ":").last?.drop { $0 == " " }
        return [
            "system": "\(text(of: names.sysname)) \(text(of: names.release))",
            "architecture": text(of: names.machine),
            "processor": String(processor ?? "unknown"),
            "processors": String(Processor.usable.count),
        ]
    }

    /// Now, as ISO 8601 has it, in UTC.
    static var date: String {
        var seconds = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A field of `utsname`, which Swift sees as a tuple.
    private static func text<Characters>(of characters: Characters) -> String {
        unsafe withUnsafeBytes(of: characters) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
