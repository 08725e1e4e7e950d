// Where the program starts: reads the command line, runs what it asks for, and exits.
import Glibc

/// The usage, made from the table of options.
func helpText() -> String {
    let options = Option.all.map { option in
        padded("  \(option.name) \(option.value)", to: 24) + option.help
    }
    let scenarios = Scenario.Kind.allCases.map { kind in
        padded("  \(kind.rawValue)", to: 24) + kind.summary
    }
    return """
        Measures what the echo server does a second, at which latency, and what a packet costs.

        usage: throughput-benchmark [OPTION VALUE]...
                   starts the server, loads it, and prints a table; about a minute
               throughput-benchmark --serve [--reactors N | --spin N] [PORT [ROUTE]]
                   the server alone, on 127.0.0.1, port 9000 if not given; packets leave where
                   they came in (echo), on the neighbour (pairs), or everywhere (room)
               throughput-benchmark --compare OLD.json NEW.json
                   what changed between two results, and whether it exceeds their spread

        options:
        \(options.joined(separator: "\n"))

        scenarios, all if none is given:
        \(scenarios.joined(separator: "\n"))

        exit status: 0 done, 1 failed, 64 misused, 130 interrupted
        """
}

func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

func readReport(_ path: String) throws(Failure) -> Report {
    guard let text = Files.read(path) else { throw Failure("\(path) cannot be read") }
    do throws(Failure) {
        return try Report(try JSON(parsing: text))
    } catch {
        throw Failure("\(path): \(error)")
    }
}

/// Runs the command and returns the exit status.
func runCommand(_ command: Command) throws -> Int32 {
    switch command {
    case .become(let words): return ChildProcess.become(words)
    case .help: print(helpText())
    case .serve(let port, let serving): try serving.run(port: port)
    case .compare(let old, let new):
        let comparison = Comparison(old: try readReport(old), new: try readReport(new))
        print(comparison.text(emphasis: Terminal.emphasis))
    case .measure(let settings):
        Interrupt.install()
        var benchmark = Benchmark(settings)
        return try benchmark.run()
    }
    return ExitStatus.success
}

func runProgram(_ arguments: [String]) -> Int32 {
    do {
        return try runCommand(try Command(arguments))
    } catch let error as UsageError {
        Terminal.complain("\(error.reason)\nthroughput-benchmark --help tells all")
        return ExitStatus.misuse
    } catch {
        if Interrupt.isRequested { Terminal.clear() } else { Terminal.complain("\(error)") }
        return Interrupt.isRequested ? ExitStatus.interrupted : ExitStatus.failure
    }
}

exit(runProgram(Array(CommandLine.arguments.dropFirst())))
