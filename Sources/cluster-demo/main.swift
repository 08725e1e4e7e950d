// Where the program starts: reads the command line, runs what it asks for, and exits.
import Tron

// In functions and not at the top level: there, variables would belong to the main actor, which
// `Reactor.run()` blocks.

/// Runs the program and returns its exit status.
func runProgram(_ arguments: [String]) -> Int32 {
    do {
        return try runCommand(try Command(arguments))
    } catch let error as UsageError {
        Terminal.complain("\(error.reason)\n\(CommandLineHelp.hint)")
        return ExitStatus.misuse
    } catch {
        Terminal.complain("\(error)")
        return ExitStatus.failure
    }
}

private func runCommand(_ command: Command) throws -> Int32 {
    switch command {
    case .demonstrate: return try demonstrate()
    case .node(let settings): return try runNode(settings)
    case .help: Terminal.say(CommandLineHelp.text)
    case .version: Terminal.say("cluster-demo 0.1.0")
    }
    return ExitStatus.success
}

Platform.exit(runProgram(Array(CommandLine.arguments.dropFirst())))
