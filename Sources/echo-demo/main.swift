// Where the program starts: reads the command line, runs what it asks for, and exits.
import Tron

// In functions and not at the top level: there, variables would belong to the main actor, which
// `Reactor.run()` blocks.

/// Runs the program and returns its exit status.
func runProgram(_ arguments: [String]) -> Int32 {
    do throws(UsageError) {
        return runCommand(try Command(arguments))
    } catch {
        Terminal.complain("\(error.reason)\n\(CommandLineHelp.hint)")
        return ExitStatus.misuse
    }
}

private func runCommand(_ command: Command) -> Int32 {
    do {
        switch command {
        case .demonstrate: return try demonstrate()
        case .serve(let settings): return try serve(settings)
        case .connect(let settings): return try connect(settings)
        case .help: Terminal.say(CommandLineHelp.text)
        case .version: Terminal.say("echo-demo 0.1.0")
        }
        return ExitStatus.success
    } catch {
        Terminal.complain("\(error)")
        return ExitStatus.failure
    }
}

Platform.exit(runProgram(Array(CommandLine.arguments.dropFirst())))
