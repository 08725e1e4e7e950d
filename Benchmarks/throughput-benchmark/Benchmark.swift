// A run: every scenario, every server, round by round; then what a packet costs; then the tables.
import Glibc

/// Runs what the command line asks for.
struct Benchmark {
    let settings: Settings
    private var programs: [ServerProgram] = []
    private var failures: [String] = []

    init(_ settings: Settings) { self.settings = settings }

    /// Returns the exit status.
    mutating func run() throws -> Int32 {
        DescriptorLimit.raise()
        if let pair = Processor.pair { Processor.bind(to: [pair.generator]) }
        let instruments = try makeInstruments()
        try choosePrograms()
        var report = Report()
        describe(report)
        for (place, scenario) in settings.scenarios.enumerated() {
            let position = "[\(place + 1)/\(settings.scenarios.count)]"
            let result = try run(scenario, position, instruments)
            report.scenarios.append(result)
            if settings.comparesServers {
                let text = Summary(emphasis: Terminal.emphasis).text(of: result)
                Terminal.say("\n\(scenario.name): \(scenario.description)\n\(text)")
            }
        }
        if !settings.comparesServers && settings.gate == nil {
            Terminal.say("\n" + Summary(emphasis: Terminal.emphasis).text(of: report.scenarios))
        }
        let notes = (instruments?.notes ?? []).map { "- \($0)" }
        if !notes.isEmpty { Terminal.say("\n" + notes.joined(separator: "\n")) }
        if let path = settings.json { try Files.write(report.json.text() + "\n", to: path) }
        if let path = settings.gate { try checkGate(path, report.scenarios) }
        for failure in failures { Terminal.complain(failure) }
        return failures.isEmpty ? ExitStatus.success : ExitStatus.failure
    }

    private func makeInstruments() throws(Failure) -> Instruments? {
        guard settings.endpoint == nil, settings.countsCosts else { return nil }
        Terminal.show("looking for tools")
        var instructions = settings.instructions
        // The committed figures are callgrind's on every machine, and only it sees all threads.
        if settings.gate != nil || settings.reactors != nil, instructions == nil {
            instructions =
                Files.command("valgrind") == nil ? Instruments.Instructions.none : .callgrind
        }
        return try Instruments(instructions: instructions)
    }

    private mutating func checkGate(_ path: String, _ results: [ScenarioResult]) throws(Failure) {
        let text = Files.read(path)
        if text == nil && !settings.rewritesGate { throw Failure("\(path) cannot be read") }
        var gate = try text.map { text throws(Failure) in try Gate(parsing: text) } ?? Gate()
        if settings.rewritesGate {
            gate.rewrite(results)
            try Files.write(gate.text, to: path)
        }
        let (table, passes) = gate.check(results)
        Terminal.say("\n" + table.text(emphasis: Terminal.emphasis))
        if !passes { failures.append("a packet costs more than \(path) says") }
    }

    private mutating func choosePrograms() throws(Failure) {
        guard settings.endpoint == nil else { return }
        programs = [settings.reactors.map(ServerProgram.ours(reactors:)) ?? .ours]
        defer { if let spin = settings.spin { programs.append(.ours(spin: spin)) } }
        guard settings.comparesPeers else { return }
        let peers = ServerProgram.peers()
        if peers.isEmpty {
            throw Failure("no peers in \(ServerProgram.peersFolder): build them first")
        }
        for program in peers + programs {
            Terminal.show("conformance: \(program.name)")
            if let breach = try breach(of: program) {
                Terminal.say("\(program.name) does not conform, and is left out: \(breach)")
                failures.append("\(program.name) \(breach)")
                programs.removeAll { $0.name == program.name }
            } else if program.name != ServerProgram.ours.name {
                programs.append(program)
            }
        }
        // The reference first, then ours.
        programs.sort { Self.rank($0) < Self.rank($1) }
    }

    private static func rank(_ program: ServerProgram) -> Int {
        switch program.name {
        case ServerProgram.reference: 0
        case ServerProgram.ours.name: 1
        default: 2
        }
    }

    private func breach(of program: ServerProgram) throws(Failure) -> String? {
        do throws(Failure) {
            let server = try ServerProcess(program)
            return try Conformance(endpoint: server.endpoint).firstBreach()
        } catch {
            try Interrupt.check()
            return error.description
        }
    }

    private func describe(_ report: Report) {
        var place = "server and load share a processor"
        if let pair = Processor.pair {
            place = settings.endpoint == nil ? "server on processor \(pair.server), " : ""
            if let reactors = settings.reactors {
                place = "\(reactors) reactors on all processors, "
            }
            place += "load on \(settings.endpoint == nil ? "" : "processor ")\(pair.generator)"
        }
        let machine = ["processor", "processors", "system"].compactMap { report.machine[$0] }
        Terminal.say("\(machine[0]) × \(machine[1]), \(machine[2]), \(report.date); \(place)")
        guard !settings.comparesServers && settings.gate == nil else { return }
        for scenario in settings.scenarios {
            Terminal.say("  \(scenario.name): \(scenario.description)")
        }
    }
}

// MARK: - One scenario

extension Benchmark {
    /// Interleaved: every server in turn, then the next round, each time a new process.
    private mutating func run(
        _ scenario: Scenario, _ position: String, _ instruments: Instruments?
    ) throws(Failure) -> ScenarioResult {
        let measurement = Measurement(scenario, packets: settings.packets)
        if let endpoint = settings.endpoint {
            return try load(endpoint, measurement, position)
        }
        let programs = programs.filter { $0.hasRoutes || scenario.kind.route == .echo }
        var results = programs.map { ServerResult(name: $0.name) }
        for round in 1..<scenario.rounds + 1 {
            for (place, program) in programs.enumerated() {
                Terminal.show(
                    "\(position) \(scenario.name), round \(round) of \(scenario.rounds), "
                        + program.name)
                try attempt(program, scenario) { () throws(Failure) in
                    let server = try ServerProcess(program, scenario.kind.route)
                    results[place].rounds.append(try measurement.round(on: server.target))
                }
            }
        }
        guard let instruments else { return ScenarioResult(name: scenario.name, servers: results) }
        for (place, program) in programs.enumerated() where program.isCounted {
            // None has passed, though some were to be.
            if results[place].rounds.isEmpty {
                if scenario.rounds > 0 { continue }
                results[place].rounds.append(Round())
            }
            Terminal.show("\(position) \(scenario.name), costs, \(program.name)")
            let costs = try Costs(
                program: program, measurement: measurement, instruments: instruments
            ).count()
            results[place].rounds[0].values.merge(costs.values) { _, cost in cost }
        }
        return ScenarioResult(name: scenario.name, servers: results)
    }

    /// A peer that fails is named at the end, and does not cost the others their results.
    private mutating func attempt(
        _ program: ServerProgram, _ scenario: Scenario, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) {
            try body()
        } catch {
            try Interrupt.check()
            let failure = "\(scenario.name), \(program.name): \(error)"
            guard settings.comparesPeers else { throw Failure(failure) }
            failures.append(failure)
        }
    }

    private func load(
        _ endpoint: Endpoint, _ measurement: Measurement, _ position: String
    ) throws(Failure) -> ScenarioResult {
        var result = ServerResult(name: endpoint.text)
        let scenario = measurement.scenario
        for round in 1...scenario.rounds {
            Terminal.show("\(position) \(scenario.name), round \(round) of \(scenario.rounds)")
            do throws(Failure) {
                let target = Target(endpoint: endpoint, process: nil)
                result.rounds.append(try measurement.round(on: target))
            } catch {
                try Interrupt.check()
                throw Failure("\(scenario.name), \(endpoint.text): \(error)")
            }
        }
        return ScenarioResult(name: scenario.name, servers: [result])
    }
}
